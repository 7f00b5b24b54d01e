/**
 * The formats of masters: those that are read, and those that are refused by name. This is the only
 * table of signatures. To add a format, add its folder and its entries here, and its name in
 * src/pyramid/source-image.ts.
 */
import type { ConvertibleFormat, SourceFormat } from '../pyramid/source-image.ts';
import { avif } from './avif/avif.ts';
import { bmp } from './bmp/bmp.ts';
import { type ConvertedFormat, type DirectFormat, signature } from './format.ts';
import { gif } from './gif/gif.ts';
import { heic } from './heic/heic.ts';
import { jp2 } from './jp2/jp2.ts';
import { jpeg } from './jpeg/jpeg.ts';
import { pdf } from './pdf/pdf.ts';
import { png } from './png/png.ts';
import { psd } from './psd/psd.ts';
import { tiff } from './tiff/tiff.ts';
import { webp } from './webp/webp.ts';

/** A format that people send and that is not accepted. */
export interface RefusedFormat {
  /** A noun phrase: "a JPEG XL image". */
  readonly is: string;
  /** What the sender can do instead; absent: send one of the accepted formats. */
  readonly advice?: string;
  matches(prefix: Uint8Array): boolean;
}

export interface Registry {
  readonly direct: { readonly [Name in SourceFormat]: DirectFormat & { readonly name: Name } };
  readonly converted: { readonly [Name in ConvertibleFormat]: ConvertedFormat & { readonly name: Name } };
  /** In order: the first match names the file. */
  readonly refused: readonly RefusedFormat[];
}

const saveAs = 'save it as TIFF or PNG and send that';
const draw = 'it has no pixels of its own: export it as TIFF, PNG or PDF at the size you want';
const unpack = 'unpack it and send the images that are in it';
const develop = 'develop it and send the TIFF';

const refused: readonly RefusedFormat[] = [
  { is: 'an EPS or PostScript file', advice: draw, matches: signature('%!PS') },
  { is: 'an EPS file with a preview', advice: draw, matches: signature('\xc5\xd0\xd3\xc6') },
  { is: 'a Canon raw photograph', advice: develop, matches: signature('ftypcrx', 4) },
  { is: 'a HEIF or MP4 container without a HEIC image', advice: saveAs, matches: signature('ftyp', 4) },
  { is: 'a JPEG XL image', advice: saveAs, matches: signature('\0\0\0\x0cJXL ') },
  { is: 'a JPEG XL codestream', advice: saveAs, matches: signature('\xff\x0a') },
  { is: 'a JPEG XR image', advice: saveAs, matches: signature('II\xbc') },
  { is: 'a DjVu document', advice: saveAs, matches: signature('AT&TFORM') },
  { is: 'a Fujifilm raw photograph', advice: develop, matches: signature('FUJIFILMCCD-RAW') },
  { is: 'a Panasonic raw photograph', advice: develop, matches: signature('IIU\0') },
  { is: 'an Olympus raw photograph', advice: develop, matches: signature('IIRO') },
  { is: 'an OpenEXR image', advice: saveAs, matches: signature('v/1\x01') },
  { is: 'a FITS image', advice: saveAs, matches: signature('SIMPLE  =') },
  { is: 'a DICOM image', advice: saveAs, matches: signature('DICM', 128) },
  { is: 'a ZIP archive, or a document that is one', advice: unpack, matches: signature('PK\x03\x04') },
  { is: 'a gzip archive', advice: unpack, matches: signature('\x1f\x8b') },
  { is: 'a RAR archive', advice: unpack, matches: signature('Rar!') },
  { is: 'a 7-Zip archive', advice: unpack, matches: signature('7z\xbc\xaf\x27\x1c') },
  { is: 'an SVG drawing', advice: draw, matches: signature('<svg') },
  { is: 'an SVG drawing or another XML document', advice: draw, matches: signature('<?xml') },
  { is: 'an HTML page', matches: signature('<!DOCTYPE') },
];

export const registry: Registry = {
  direct: { jpeg, png, webp, tiff },
  converted: { jp2, pdf, bmp, heic, avif, gif, psd },
  refused,
};

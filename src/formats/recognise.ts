/** What is it, by its first bytes? Whatever the object is called. */
import { RejectedImageError } from '../errors.ts';
import { readableFormat, readMagic } from './identify.ts';
import type { ConvertibleFormat, SourceFormat } from '../pyramid/source-image.ts';
import type { RangeReader } from '../bytes/range-reader.ts';
import { formatOfMagic } from './converted.ts';

/** A master is read as it is, or made a TIFF first. */
export type Recognised =
  | { readonly kind: 'readable'; readonly format: SourceFormat }
  | { readonly kind: 'convertible'; readonly format: ConvertibleFormat };

/** The format of a master. Throws RejectedImageError that says what it is instead, and what to do. */
export async function recognise(reader: RangeReader): Promise<Recognised> {
  const magic = await readMagic(reader);
  const readable = readableFormat(magic);
  if (readable) return { kind: 'readable', format: readable };
  const convertible = formatOfMagic(magic);
  if (convertible && convertible !== 'eps') return { kind: 'convertible', format: convertible };
  const text = String.fromCharCode(...magic);
  const other = refused.find(({ at, bytes }) => text.startsWith(bytes, at));
  throw new RejectedImageError('UNSUPPORTED_FORMAT', other ? `this is ${other.is}; ${other.todo}` : unknown);
}

const accepted = 'JPEG, PNG, WebP, TIFF, JPEG 2000, PDF, BMP, HEIC or GIF';
const unknown = `its first bytes are of no image format; send ${accepted}`;
const saveAs = 'save it as TIFF or PNG and send that';
const draw = 'it has no pixels of its own: export it as TIFF, PNG or PDF at the size you want';
const unpack = 'unpack it and send the images that are in it';
const develop = 'develop it and send the TIFF';

interface Refused {
  readonly is: string;
  readonly todo: string;
  readonly at: number;
  readonly bytes: string;
}

/** What people send that is not accepted, so that the refusal can name it. The first that fits. */
const refused: readonly Refused[] = [
  { is: 'an EPS or PostScript file', todo: draw, at: 0, bytes: '%!PS' },
  { is: 'an EPS file with a preview', todo: draw, at: 0, bytes: '\xc5\xd0\xd3\xc6' },
  { is: 'a Photoshop document', todo: 'flatten it, save it as TIFF and send that', at: 0, bytes: '8BPS' },
  { is: 'an AVIF image', todo: saveAs, at: 4, bytes: 'ftypavi' },
  { is: 'a Canon raw photograph', todo: develop, at: 4, bytes: 'ftypcrx' },
  { is: 'a HEIF or MP4 container without a HEIC image', todo: saveAs, at: 4, bytes: 'ftyp' },
  { is: 'a JPEG XL image', todo: saveAs, at: 0, bytes: '\0\0\0\x0cJXL ' },
  { is: 'a JPEG XL codestream', todo: saveAs, at: 0, bytes: '\xff\x0a' },
  { is: 'a JPEG XR image', todo: saveAs, at: 0, bytes: 'II\xbc' },
  { is: 'a DjVu document', todo: saveAs, at: 0, bytes: 'AT&TFORM' },
  { is: 'a Fujifilm raw photograph', todo: develop, at: 0, bytes: 'FUJIFILMCCD-RAW' },
  { is: 'a Panasonic raw photograph', todo: develop, at: 0, bytes: 'IIU\0' },
  { is: 'an Olympus raw photograph', todo: develop, at: 0, bytes: 'IIRO' },
  { is: 'an OpenEXR image', todo: saveAs, at: 0, bytes: 'v/1\x01' },
  { is: 'a FITS image', todo: saveAs, at: 0, bytes: 'SIMPLE  =' },
  { is: 'a DICOM image', todo: saveAs, at: 128, bytes: 'DICM' },
  { is: 'a ZIP archive, or a document that is one', todo: unpack, at: 0, bytes: 'PK\x03\x04' },
  { is: 'a gzip archive', todo: unpack, at: 0, bytes: '\x1f\x8b' },
  { is: 'a RAR archive', todo: unpack, at: 0, bytes: 'Rar!' },
  { is: 'a 7-Zip archive', todo: unpack, at: 0, bytes: '7z\xbc\xaf\x27\x1c' },
  { is: 'an SVG drawing', todo: draw, at: 0, bytes: '<svg' },
  { is: 'an SVG drawing or another XML document', todo: draw, at: 0, bytes: '<?xml' },
  { is: 'an HTML page', todo: `send ${accepted}`, at: 0, bytes: '<!DOCTYPE' },
];

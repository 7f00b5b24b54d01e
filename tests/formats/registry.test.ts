import { describe, expect, test } from '@jest/globals';
import type { RejectedImageError } from '../../src/errors.ts';
import { memoryReader } from '../../src/bytes/range-reader.ts';
import { decode, memoryNeed, probe } from '../../src/formats/convert.ts';
import type { ImageShape } from '../../src/formats/decoded-image.ts';
import { type ConvertedFormat, type Decoder, signature } from '../../src/formats/format.ts';
import { recognise } from '../../src/formats/identify.ts';
import { readEmbeddedMetadata } from '../../src/formats/read-metadata.ts';
import { decoders } from '../../src/formats/decoders.ts';
import { type Registry, registry } from '../../src/formats/registry.ts';
import { pictureOf } from '../support/pixels.ts';

const latin = (text: string): Buffer => Buffer.from(text, 'latin1');
const recogniseBytes = (bytes: Uint8Array) => recognise(memoryReader(bytes));

describe('recognise accepts by the first bytes of a file', () => {
  test.each<[string, Buffer, Awaited<ReturnType<typeof recognise>>]>([
    ['JPEG', latin('\xff\xd8\xff\xe0'), { kind: 'direct', format: 'jpeg' }],
    [
      'a JPEG whose comment quotes a PDF',
      latin('\xff\xd8\xff\xfe\x00\x0a%PDF-1.7'),
      { kind: 'direct', format: 'jpeg' },
    ],
    ['PNG', latin('\x89PNG\r\n\x1a\n'), { kind: 'direct', format: 'png' }],
    ['WebP', latin('RIFF\x10\x00\x00\x00WEBP'), { kind: 'direct', format: 'webp' }],
    ['TIFF', latin('II*\0\x08\0\0\0'), { kind: 'direct', format: 'tiff' }],
    ['big-endian BigTIFF', latin('MM\0+\0\x08\0\0'), { kind: 'direct', format: 'tiff' }],
    ['JP2', latin('\x00\x00\x00\x0cjP  \r\n\x87\n'), { kind: 'converted', format: 'jp2' }],
    ['JPX', latin('\0\0\0\x0cjP  \r\n\x87\n\0\0\0\x14ftypjpx '), { kind: 'converted', format: 'jp2' }],
    ['JPEG 2000 codestream', latin('\xff\x4f\xff\x51\x00\x2f'), { kind: 'converted', format: 'jp2' }],
    ['PDF', latin('%PDF-1.7\n'), { kind: 'converted', format: 'pdf' }],
    ['PDF after blank lines', latin('\n\n%PDF-1.4\n'), { kind: 'converted', format: 'pdf' }],
    ['PDF after other text', latin('\r\n<something in front>\r\n%PDF-1.4\n'), { kind: 'converted', format: 'pdf' }],
    ['BMP', latin(`BM\x3a${'\0'.repeat(11)}\x28\0\0\0`), { kind: 'converted', format: 'bmp' }],
    ['HEIC', latin('\x00\x00\x00\x18ftypheic\x00\x00\x00\x00'), { kind: 'converted', format: 'heic' }],
    ['HEIC by a compatible brand', latin('\0\0\0\x18ftypmif1\0\0\0\0mif1heic'), { kind: 'converted', format: 'heic' }],
    ['HEIC of 10 bits', latin('\0\0\0\x18ftypheix\0\0\0\0mif1heix'), { kind: 'converted', format: 'heic' }],
    ['GIF 89a', latin('GIF89a\x01\x00\x01\x00'), { kind: 'converted', format: 'gif' }],
    ['GIF 87a', latin('GIF87a\x01\x00\x01\x00'), { kind: 'converted', format: 'gif' }],
  ])('%s', async (_, bytes, expected) => {
    expect(await recogniseBytes(bytes)).toEqual(expected);
  });

  test('such as a GIF that sharp wrote', async () => {
    const gif = await pictureOf(20, 10).gif().toBuffer();
    expect(await recogniseBytes(gif)).toEqual({ kind: 'converted', format: 'gif' });
  });
});

describe('recognise refuses other formats by name and states what to send instead', () => {
  test('such as an object without bytes, which is EMPTY_OBJECT', async () => {
    await expect(recogniseBytes(new Uint8Array())).rejects.toMatchObject({ code: 'EMPTY_OBJECT' });
  });

  test.each<[string, Buffer, string]>([
    [
      'PostScript',
      latin('%!PS-Adobe-3.0 EPSF-3.0\n'),
      'an EPS or PostScript file; it has no pixels of its own: export it',
    ],
    ['PostScript that quotes a PDF header', latin('%!PS-Adobe-3.0\n%%Title: %PDF-1.7\n'), 'an EPS or PostScript file'],
    ['a ZIP archive that starts with a PDF', latin('PK\x03\x04\x14\x00a.pdf%PDF-1.7\n'), 'a ZIP archive'],
    ['EPS with a preview', latin('\xc5\xd0\xd3\xc6\x1e\x00\x00\x00'), 'an EPS file with a preview; it has no pixels'],
    ['MP4', latin('\x00\x00\x00\x20ftypisom\x00\x00\x02\x00'), 'a HEIF or MP4 container without a HEIC image'],
    [
      'a HEIC brand after the end of the brands',
      latin('\0\0\0\x10ftypisom\0\0\0\0heicheic'),
      'a HEIF or MP4 container',
    ],
    ['CR3', latin('\x00\x00\x00\x18ftypcrx \x00\x00\x00\x01'), 'a Canon raw photograph; develop it'],
    ['RAF', latin('FUJIFILMCCD-RAW 0201'), 'a Fujifilm raw photograph; develop it'],
    ['JPEG XL', latin('\x00\x00\x00\x0cJXL \r\n\x87\n'), 'a JPEG XL image; save it as TIFF'],
    ['JPEG XR', latin('II\xbc\x01'), 'a JPEG XR image; save it'],
    ['DjVu', latin('AT&TFORM\x00\x00'), 'a DjVu document; save it'],
    ['DICOM', Buffer.concat([Buffer.alloc(128), latin('DICM')]), 'a DICOM image; save it'],
    ['ZIP', latin('PK\x03\x04\x14\x00'), 'a ZIP archive, or a document that is one; unpack it'],
    ['gzip', latin('\x1f\x8b\x08\x00'), 'a gzip archive; unpack it'],
    [
      'SVG',
      latin('<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>'),
      'an SVG drawing; it has no pixels',
    ],
    ['SVG behind an XML declaration', latin('<?xml version="1.0"?><svg/>'), 'an SVG drawing or another XML document'],
    ['HTML', latin('<!DOCTYPE html><html></html>'), 'an HTML page; send JPEG, PNG, WebP, TIFF, JPEG 2000, PDF'],
    ['SVG behind a blank', latin(' \n<svg xmlns="http://www.w3.org/2000/svg"/>'), 'no image format; send JPEG, PNG'],
    ['text', latin('not an image at all\n'), 'no image format'],
    ['text that begins like a BMP', latin('BMW, a maker of motor cars'), 'no image format'],
    ['one byte', latin('I'), 'no image format'],
    ['an incomplete JPEG signature', latin('\xff\xd8'), 'no image format'],
    ['zeros', Buffer.alloc(4096), 'no image format'],
    ['a RIFF that is no WebP', latin('RIFF\x24\x00\x00\x00WAVEfmt '), 'no image format'],
  ])('%s', async (_, bytes, message) => {
    const refusal = await recogniseBytes(bytes).catch((error: unknown) => error as RejectedImageError);
    expect(refusal).toMatchObject({ code: 'UNSUPPORTED_FORMAT' });
    expect((refusal as RejectedImageError).message).toContain(message);
  });
});

describe('a new format', () => {
  const shapeOf = ([width = 0, height = 0]: Uint8Array): ImageShape => ({
    width,
    height,
    bands: 1,
    alpha: false,
    bitDepth: 8,
  });
  /** A signature, width and height in one byte each, and grey samples. */
  const toy: ConvertedFormat = {
    kind: 'converted',
    name: 'toy',
    title: 'Toy',
    matches: signature('TOY'),
    metadata: () => Promise.resolve({ text: { Author: 'Toymaker' } }),
  };
  const toyDecoder: Decoder = {
    header: async (reader) => shapeOf(await reader.read(3, 2)),
    decode: (bytes) => Promise.resolve({ ...shapeOf(bytes.subarray(3)), data: bytes.slice(5) }),
    memory: () => ({ heap: 0, rasterCopies: 1 }),
  };
  const converted = { ...registry.converted, toy };
  const withToy: Registry = { ...registry, converted };
  const toyDecoders = { ...decoders, toy: toyDecoder };
  const file = Uint8Array.of(...latin('TOY'), 2, 1, 10, 20);
  const options = { dpi: 300, background: '#ffffff' };

  test('needs only its entries in the registry to be recognised, decoded and read', async () => {
    await expect(recogniseBytes(file)).rejects.toThrow('no image format');
    const { kind, format } = await recognise(memoryReader(file), withToy);
    if (kind !== 'converted') throw new Error(`Expected a converted format but received ${kind}`);
    const shape = await probe(format, memoryReader(file), options, toyDecoders);
    expect(shape).toEqual({ width: 2, height: 1, bands: 1, alpha: false, bitDepth: 8 });
    expect(memoryNeed(format, shape, file.length, toyDecoders)).toEqual({ heap: 0, total: 9 });
    expect(await decode(format, file, options, toyDecoders)).toEqual({ ...shape, data: Uint8Array.of(10, 20) });
    const metadata = await readEmbeddedMetadata(memoryReader(file), format, withToy);
    expect(metadata.descriptive).toEqual({ artist: 'Toymaker' });
  });

  test('is named among the accepted formats when another file is refused', async () => {
    await expect(recognise(memoryReader(latin('text')), withToy)).rejects.toThrow('AVIF, GIF, PSD or Toy');
  });
});

test('the registry lists each format under its own name', () => {
  const { direct, converted } = registry;
  for (const [name, format] of Object.entries({ ...direct, ...converted })) expect(format.name).toBe(name);
});

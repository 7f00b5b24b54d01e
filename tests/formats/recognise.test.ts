import { describe, expect, test } from '@jest/globals';
import type { RejectedImageError } from '../../src/errors.ts';
import { recognise } from '../../src/formats/recognise.ts';
import { memoryReader } from '../../src/bytes/range-reader.ts';
import { pictureOf } from '../support/pixels.ts';

const latin = (text: string): Buffer => Buffer.from(text, 'latin1');
const recogniseBytes = (bytes: Uint8Array) => recognise(memoryReader(bytes));

describe('what is accepted, by its first bytes', () => {
  test.each<[string, Buffer, Awaited<ReturnType<typeof recognise>>]>([
    ['JPEG', latin('\xff\xd8\xff\xe0'), { kind: 'readable', format: 'jpeg' }],
    [
      'a JPEG whose comment quotes a PDF',
      latin('\xff\xd8\xff\xfe\x00\x0a%PDF-1.7'),
      { kind: 'readable', format: 'jpeg' },
    ],
    ['PNG', latin('\x89PNG\r\n\x1a\n'), { kind: 'readable', format: 'png' }],
    ['WebP', latin('RIFF\x10\x00\x00\x00WEBP'), { kind: 'readable', format: 'webp' }],
    ['TIFF', latin('II*\0\x08\0\0\0'), { kind: 'readable', format: 'tiff' }],
    ['big-endian BigTIFF', latin('MM\0+\0\x08\0\0'), { kind: 'readable', format: 'tiff' }],
    ['JP2', latin('\x00\x00\x00\x0cjP  \r\n\x87\n'), { kind: 'convertible', format: 'jp2' }],
    ['JPEG 2000 codestream', latin('\xff\x4f\xff\x51\x00\x2f'), { kind: 'convertible', format: 'jp2' }],
    ['PDF', latin('%PDF-1.7\n'), { kind: 'convertible', format: 'pdf' }],
    ['PDF behind what a mailer put there', latin('\n\n%PDF-1.4\n'), { kind: 'convertible', format: 'pdf' }],
    ['BMP', latin(`BM\x3a${'\0'.repeat(11)}\x28\0\0\0`), { kind: 'convertible', format: 'bmp' }],
    ['HEIC', latin('\x00\x00\x00\x18ftypheic\x00\x00\x00\x00'), { kind: 'convertible', format: 'heic' }],
    ['GIF', latin('GIF89a\x01\x00\x01\x00'), { kind: 'convertible', format: 'gif' }],
  ])('%s', async (_, bytes, expected) => {
    expect(await recogniseBytes(bytes)).toEqual(expected);
  });

  test('a GIF that sharp wrote', async () => {
    const gif = await pictureOf(20, 10).gif().toBuffer();
    expect(await recogniseBytes(gif)).toEqual({ kind: 'convertible', format: 'gif' });
  });
});

describe('what is refused, by its name and with what to do', () => {
  test('nothing', async () => {
    await expect(recogniseBytes(new Uint8Array())).rejects.toMatchObject({ code: 'EMPTY_OBJECT' });
  });

  test.each<[string, Buffer, string]>([
    [
      'PostScript',
      latin('%!PS-Adobe-3.0 EPSF-3.0\n'),
      'an EPS or PostScript file; it has no pixels of its own: export it',
    ],
    ['EPS with a preview', latin('\xc5\xd0\xd3\xc6\x1e\x00\x00\x00'), 'an EPS file with a preview; it has no pixels'],
    ['PSD', latin('8BPS\x00\x01'), 'a Photoshop document; flatten it, save it as TIFF'],
    ['AVIF', latin('\x00\x00\x00\x1cftypavif\x00\x00\x00\x00'), 'an AVIF image; save it as TIFF or PNG'],
    ['MP4', latin('\x00\x00\x00\x20ftypisom\x00\x00\x02\x00'), 'a HEIF or MP4 container without a HEIC image'],
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
    ['a JPEG mark cut short', latin('\xff\xd8'), 'no image format'],
    ['zeros', Buffer.alloc(4096), 'no image format'],
    ['a RIFF that is no WebP', latin('RIFF\x24\x00\x00\x00WAVEfmt '), 'no image format'],
  ])('%s', async (_, bytes, says) => {
    const refusal = await recogniseBytes(bytes).catch((error: unknown) => error as RejectedImageError);
    expect(refusal).toMatchObject({ code: 'UNSUPPORTED_FORMAT' });
    expect((refusal as RejectedImageError).message).toContain(says);
  });
});

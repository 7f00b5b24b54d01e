import { describe, expect, test } from '@jest/globals';
import { memoryReader } from '../../src/bytes/range-reader.ts';
import { readEmbeddedMetadata } from '../../src/formats/read-metadata.ts';
import { redact } from '../../src/metadata/redact.ts';
import {
  dublinCore,
  exifBlock,
  jpegSegment,
  jpegWith,
  picture,
  rational,
  text,
  webpWith,
} from '../support/embedded.ts';
import { greyFields, short, withFields } from '../support/tiff-bytes.ts';

const jpeg = await picture().jpeg().toBuffer();
const webp = await picture().webp().toBuffer();
const packet = Buffer.from(dublinCore);

describe('Exif fields in the first directory', () => {
  const photograph = [
    rational(0x829a, 1, 125),
    short(0x8827, 100),
    text(0x9003, '2020:01:02 03:04:05'),
    text(0xa431, 'BODY-778'),
  ];
  const fields = { ExposureTime: 0.008, ISO: 100, DateTimeOriginal: '2020-01-02T03:04:05', SerialNumber: 'BODY-778' };

  test.each(['tiff', 'jpeg'] as const)('of a %s are read, and its serial number is removed', async (format) => {
    const block = exifBlock({ image: withFields(greyFields(1, 1, 8), text(271, 'Maker'), ...photograph) });
    const bytes = format === 'tiff' ? block : jpegWith(jpeg, jpegSegment(0xe1, 'Exif\0\0', block));
    const metadata = await readEmbeddedMetadata(memoryReader(bytes), format);
    expect(metadata.exif).toEqual({ Make: 'Maker', ...fields });
    expect(JSON.stringify(redact(metadata))).not.toContain('BODY-778');
  });

  test('give way to those of the Exif directory', async () => {
    const block = exifBlock({ image: [text(271, 'Maker'), ...photograph], exif: [short(0x8827, 400)] });
    const { exif } = await readEmbeddedMetadata(memoryReader(block), 'tiff');
    expect(exif).toEqual({ Make: 'Maker', ...fields, ISO: 400 });
  });
});

describe('an XMP packet', () => {
  const title = { 'dc:title': 'The bridge & the river' };

  test.each([
    ['without a signature', ''],
    ['behind a signature without its NUL', 'http://ns.adobe.com/xap/1.0/'],
    ['behind XMP and a NUL', 'XMP\0'],
  ])('%s is read from a JPEG with a warning', async (_, signature) => {
    const bytes = jpegWith(jpeg, jpegSegment(0xe1, signature, packet));
    const { xmp, warnings } = await readEmbeddedMetadata(memoryReader(bytes), 'jpeg');
    expect(xmp?.fields).toMatchObject(title);
    expect(warnings).toEqual(['XMP: read from a segment with a non-standard signature']);
  });

  test('behind the standard signature takes precedence', async () => {
    const other = jpegSegment(0xe1, Buffer.from(dublinCore.replace('river', 'sea')));
    const bytes = jpegWith(jpeg, other, jpegSegment(0xe1, 'http://ns.adobe.com/xap/1.0/\0', packet));
    const { xmp, warnings } = await readEmbeddedMetadata(memoryReader(bytes), 'jpeg');
    expect(xmp?.fields).toMatchObject(title);
    expect(warnings).toEqual([]);
  });

  test('in a misnamed chunk of a WebP is read with a warning', async () => {
    const { xmp, warnings } = await readEmbeddedMetadata(memoryReader(webpWith(webp, ['XMP\0', packet])), 'webp');
    expect(xmp?.fields).toMatchObject(title);
    expect(warnings).toEqual(['XMP: read from a chunk with a non-standard name']);
  });
});

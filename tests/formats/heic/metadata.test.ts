import { describe, expect, test } from '@jest/globals';
import { memoryReader } from '../../../src/bytes/range-reader.ts';
import { readEmbeddedMetadata } from '../../../src/formats/read-metadata.ts';
import { exifBlock, rational, text, xmpPacket } from '../../support/embedded.ts';
import { heic, type HeicItem } from '../../support/heic-fixtures.ts';

const exif = exifBlock({
  image: [text(271, 'Phase One'), text(315, 'Ada Muster')],
  exif: [text(0xa431, 'BODY-778')],
  gps: [text(1, 'N'), rational(2, 48, 1, 51, 1, 24, 1), text(3, 'E'), rational(4, 2, 1, 21, 1, 3, 1)],
});
const packet = Buffer.from(xmpPacket('<dc:source>Größe 12</dc:source>'));
describe('the metadata of a HEIC file', () => {
  const picture: HeicItem = { type: 'hvc1', data: Uint8Array.of(1, 2, 3), properties: [] };
  const block = (offset: number, ...front: readonly number[]): HeicItem => ({
    type: 'Exif',
    data: Uint8Array.from([0, 0, 0, offset, ...front, ...exif]),
    properties: [],
    references: [{ type: 'cdsc', to: [1] }],
  });
  const xmp: HeicItem = { type: 'mime', contentType: 'application/rdf+xml', data: packet, properties: [] };
  const other: HeicItem = { type: 'mime', contentType: 'text/plain', data: Buffer.from('Größe 13'), properties: [] };

  test('is read from the items of Exif and XMP', async () => {
    const file = heic({ items: [picture, block(0), other, xmp] });
    expect(await readEmbeddedMetadata(memoryReader(file), 'heic')).toMatchObject({
      exif: { Make: 'Phase One', SerialNumber: 'BODY-778' },
      gps: { GPSLatitudeRef: 'N' },
      xmp: { packet: packet.toString(), fields: { 'dc:source': 'Größe 12' } },
      warnings: [],
    });
  });

  test('is read from an Exif block that starts with a signature', async () => {
    const file = heic({ items: [picture, block(6, ...Buffer.from('Exif\0\0'))] });
    const { exif: fields } = await readEmbeddedMetadata(memoryReader(file), 'heic');
    expect(fields).toMatchObject({ Make: 'Phase One' });
  });

  test('is left out with a warning when the Exif block points beyond its end', async () => {
    const file = heic({ items: [picture, { ...block(0), data: Uint8Array.of(0xff, 0, 0, 0, 1) }] });
    const { exif: fields, warnings } = await readEmbeddedMetadata(memoryReader(file), 'heic');
    expect(fields).toEqual({});
    expect(warnings).toHaveLength(1);
  });

  test('is empty for a file without metadata items', async () => {
    const metadata = await readEmbeddedMetadata(memoryReader(heic({ items: [picture] })), 'heic');
    expect(metadata).toEqual({ exif: {}, iptc: {}, descriptive: {}, warnings: [] });
  });
});

import { describe, expect, test } from '@jest/globals';
import { readEmbeddedMetadata } from '../../src/formats/read-metadata.ts';
import { redact } from '../../src/metadata/redact.ts';
import { memoryReader } from '../../src/bytes/range-reader.ts';
import { exifBlock, iptcRecord, rational, text, xmpPacket } from '../support/embedded.ts';
import { heic, type HeicItem } from '../support/heic-fixtures.ts';
import { box, jp2 } from '../support/jp2-fixtures.ts';

const exif = exifBlock({
  image: [text(271, 'Phase One'), text(315, 'Ada Muster')],
  exif: [text(0xa431, 'BODY-778')],
  gps: [text(1, 'N'), rational(2, 48, 1, 51, 1, 24, 1), text(3, 'E'), rational(4, 2, 1, 21, 1, 3, 1)],
});
const packet = Buffer.from(xmpPacket('<dc:source>Größe 12</dc:source>'));
const iptc = iptcRecord([2, 105, 'The old bridge']);

function uuidBox(uuid: string, content: Uint8Array): Uint8Array {
  return box('uuid', [...Buffer.from(uuid.replaceAll('-', ''), 'hex'), ...content]);
}

const codestream = Uint8Array.of(0xff, 0x4f, 0xff, 0x51);

function jp2With(...boxes: readonly Uint8Array[]): Uint8Array {
  const plain = jp2(codestream, { width: 1, height: 1, components: 1, colour: 17 });
  return Uint8Array.from(Buffer.concat([plain, ...boxes]));
}

describe('JPEG 2000', () => {
  test('Exif, XMP and IPTC are read from their boxes', async () => {
    const file = jp2With(
      uuidBox('4a706754-6966-6645-7869-662d3e4a5032', exif),
      uuidBox('be7acfcb-97a9-42e8-9c71-999491e3afac', packet),
      uuidBox('33c7a4d2-b81d-4723-a0ba-f1a3e097ad38', iptc),
      // GeoJP2, which says where the picture was taken.
      uuidBox('b14bf8bd-083d-4b43-a5ae-8cd7d5a6ce03', Buffer.from('II*\0')),
    );
    const metadata = await readEmbeddedMetadata(memoryReader(file), 'jp2');
    expect(metadata).toMatchObject({
      exif: { Make: 'Phase One', Artist: 'Ada Muster', SerialNumber: 'BODY-778' },
      gps: { GPSLatitudeRef: 'N' },
      iptc: { Headline: 'The old bridge' },
      xmp: { fields: { 'dc:source': 'Größe 12' } },
      descriptive: { artist: 'Ada Muster', make: 'Phase One' },
      warnings: [],
    });
    const published = JSON.stringify(redact(metadata));
    expect(published).not.toContain('BODY-778');
    expect(published).not.toContain('GPS');
  });

  test('a bare codestream says nothing', async () => {
    const metadata = await readEmbeddedMetadata(memoryReader(codestream), 'jp2');
    expect(metadata).toEqual({ exif: {}, iptc: {}, descriptive: {}, warnings: [] });
  });

  test('a box that is cut short costs the metadata, not the image', async () => {
    const file = jp2With(uuidBox('4a706754-6966-6645-7869-662d3e4a5032', exif));
    const metadata = await readEmbeddedMetadata(memoryReader(file.subarray(0, -9)), 'jp2');
    expect(metadata.exif).toEqual({});
    expect(metadata.warnings).toEqual(['jp2: unreadable']);
  });
});

describe('HEIC', () => {
  const picture: HeicItem = { type: 'hvc1', data: Uint8Array.of(1, 2, 3), properties: [] };
  const block = (offset: number, ...front: readonly number[]): HeicItem => ({
    type: 'Exif',
    data: Uint8Array.from([0, 0, 0, offset, ...front, ...exif]),
    properties: [],
    references: [{ type: 'cdsc', to: [1] }],
  });
  const xmp: HeicItem = { type: 'mime', contentType: 'application/rdf+xml', data: packet, properties: [] };
  const other: HeicItem = { type: 'mime', contentType: 'text/plain', data: Buffer.from('Größe 13'), properties: [] };

  test('Exif and XMP are read from their items', async () => {
    const file = heic({ items: [picture, block(0), other, xmp] });
    expect(await readEmbeddedMetadata(memoryReader(file), 'heic')).toMatchObject({
      exif: { Make: 'Phase One', SerialNumber: 'BODY-778' },
      gps: { GPSLatitudeRef: 'N' },
      xmp: { packet: packet.toString(), fields: { 'dc:source': 'Größe 12' } },
      warnings: [],
    });
  });

  test('an Exif block may begin with a signature', async () => {
    const file = heic({ items: [picture, block(6, ...Buffer.from('Exif\0\0'))] });
    const { exif: fields } = await readEmbeddedMetadata(memoryReader(file), 'heic');
    expect(fields).toMatchObject({ Make: 'Phase One' });
  });

  test('an Exif block that points beyond itself is a warning', async () => {
    const file = heic({ items: [picture, { ...block(0), data: Uint8Array.of(0xff, 0, 0, 0, 1) }] });
    const { exif: fields, warnings } = await readEmbeddedMetadata(memoryReader(file), 'heic');
    expect(fields).toEqual({});
    expect(warnings).toHaveLength(1);
  });

  test('a file without metadata says nothing', async () => {
    const metadata = await readEmbeddedMetadata(memoryReader(heic({ items: [picture] })), 'heic');
    expect(metadata).toEqual({ exif: {}, iptc: {}, descriptive: {}, warnings: [] });
  });
});

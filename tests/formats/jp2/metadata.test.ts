import { describe, expect, test } from '@jest/globals';
import { memoryReader } from '../../../src/bytes/range-reader.ts';
import { readEmbeddedMetadata } from '../../../src/formats/read-metadata.ts';
import { redact } from '../../../src/metadata/redact.ts';
import { exifBlock, iptcRecord, rational, text, xmpPacket } from '../../support/embedded.ts';
import { box, jp2 } from '../../support/jp2-fixtures.ts';

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

describe('the metadata of a JPEG 2000 file', () => {
  test('is read from the UUID boxes of Exif, XMP and IPTC', async () => {
    const file = jp2With(
      uuidBox('4a706754-6966-6645-7869-662d3e4a5032', exif),
      uuidBox('be7acfcb-97a9-42e8-9c71-999491e3afac', packet),
      uuidBox('33c7a4d2-b81d-4723-a0ba-f1a3e097ad38', iptc),
      // GeoJP2, which contains the geographic position.
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

  test('is empty for a bare codestream', async () => {
    const metadata = await readEmbeddedMetadata(memoryReader(codestream), 'jp2');
    expect(metadata).toEqual({ exif: {}, iptc: {}, descriptive: {}, warnings: [] });
  });

  test('is left out with a warning when a box is cut short', async () => {
    const file = jp2With(uuidBox('4a706754-6966-6645-7869-662d3e4a5032', exif));
    const metadata = await readEmbeddedMetadata(memoryReader(file.subarray(0, -9)), 'jp2');
    expect(metadata.exif).toEqual({});
    expect(metadata.warnings).toEqual(['jp2: unreadable']);
  });
});

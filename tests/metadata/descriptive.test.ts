import { expect, test } from '@jest/globals';
import { fromArrayBuffer } from 'geotiff';
import sharp from 'sharp';
import { descriptiveFields } from '../../src/metadata/descriptive.ts';
import { layoutTiff, joinHeader } from '../../src/tiff/layout.ts';
import { pyramidFields } from '../../src/tiff/pyramid-fields.ts';
import { iptcRecord, xmpPacket } from '../support/embedded.ts';

const encoding = { compression: 1, photometric: 1, bitsPerSample: [8], sampleFormat: [1], extraSamples: [] };

/** A TIFF of one grey tile with the layout of a pyramid. */
function tiffWith(fields: ReturnType<typeof descriptiveFields>): Buffer {
  const level = {
    width: 16,
    height: 16,
    tilesAcross: 1,
    tilesDown: 1,
    fields: [...pyramidFields(0, encoding, {}), ...fields],
  };
  const run = { level: 0, column: 0, row: 0, across: 1, down: 1, byteCounts: [256] };
  const layout = layoutTiff({ tileSize: 16, levels: [level], bundles: [{ runs: [run] }] });
  return Buffer.concat([joinHeader(layout), Buffer.alloc(layout.size - layout.headerBytes, 128)]);
}

test('libtiff and geotiff.js read the descriptive fields', async () => {
  const packet = xmpPacket('<dc:source>Größe</dc:source>');
  const record = iptcRecord([2, 5, 'Odd'], [2, 25, 'ab']);
  const bytes = tiffWith(
    descriptiveFields({
      imageDescription: 'Die Brücke',
      make: 'Maker',
      model: 'Model 1',
      software: 'Scan 2',
      dateTime: '2021:03:04 05:06:07',
      artist: 'Ada',
      copyright: '© Ada',
      xmp: Buffer.from(packet).toString('base64'),
      iptc: record.toString('base64'),
    }),
  );
  const { xmp, iptc, width, format } = await sharp(bytes).metadata();
  expect({ width, format }).toEqual({ width: 16, format: 'tiff' });
  expect(xmp?.toString('utf8')).toBe(packet);
  expect(iptc).toEqual(record);
  const image = await (await fromArrayBuffer(Uint8Array.from(bytes).buffer)).getImage();
  const text = async (tag: number): Promise<string> =>
    String(await image.fileDirectory.loadValue(tag)).replace(/\0$/u, '');
  const read = await Promise.all([270, 271, 272, 305, 306, 315, 33_432].map(text));
  expect(read).toEqual(['Die Brücke', 'Maker', 'Model 1', 'Scan 2', '2021:03:04 05:06:07', 'Ada', '© Ada']);
});

test('fields that the master does not have are not written', () => {
  expect(descriptiveFields({})).toEqual([]);
  expect(descriptiveFields({ artist: 'A' })).toEqual([{ tag: 315, type: 2, values: Uint8Array.of(65, 0) }]);
});

import { expect, test } from '@jest/globals';
import { Arena } from '../../src/imaging/arena.ts';
import { rasterBytes } from '../../src/imaging/raster.ts';
import { openPublished } from '../../src/published/open-published.ts';
import { readRegion } from '../../src/published/read-region.ts';
import { takeTiles } from '../../src/tiff/encoded-tiles.ts';
import { joinHeader, layoutTiff } from '../../src/tiff/layout.ts';
import { pyramidFields } from '../../src/tiff/pyramid-fields.ts';
import { decodeLevels, pictureOf } from '../support/pixels.ts';
import { startPublishedPipeline } from '../support/published.ts';

test('a BigTIFF is opened in one read, and its tiles are those of the classic file', async () => {
  const pipeline = await startPublishedPipeline();
  try {
    const classic = await pipeline.run('a.png', await pictureOf(200, 150).png().toBuffer());
    const file = await pipeline.store.read(classic);
    const { header } = await openPublished(pipeline.store, classic);
    const encoded = await takeTiles(file);
    const levels = encoded.map(({ across, down, encoding }, index) => {
      const { width = 0, height = 0 } = header.levels[index] ?? {};
      return { width, height, tilesAcross: across, tilesDown: down, fields: pyramidFields(index, encoding, {}) };
    });
    const runs = encoded.map(({ across, down, tiles }, level) => {
      return { level, column: 0, row: 0, across, down, byteCounts: tiles.map(({ length }) => length) };
    });
    const layout = layoutTiff({ tileSize: 64, levels, bundles: [{ runs }], bigTiff: true });
    const big = { bucket: 'stepwell-published', key: 'big.tif' };
    await pipeline.store.write(big, Buffer.concat([joinHeader(layout), ...encoded.flatMap(({ tiles }) => tiles)]));
    pipeline.takeReads();
    const image = await openPublished(pipeline.store, big);
    expect(pipeline.takeReads()).toHaveLength(1);
    const arena = new Arena();
    const region = { left: 0, top: 0, width: 200, height: 150 };
    const raster = await readRegion(image, region, region, { timeoutSeconds: 60 }, arena);
    const [expected] = await decodeLevels(file);
    expect(expected?.pixels.equals(rasterBytes(raster))).toBe(true);
    arena.release();
  } finally {
    await pipeline.stop();
  }
});

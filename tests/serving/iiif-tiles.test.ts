import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Publication } from '../../src/ledger/ledger.ts';
import { type Pipeline, startPipeline } from '../support/pipeline.ts';
import { type Level, pictureOf, singlePass } from '../support/pixels.ts';
import { type ApiVersion, crop, type Info, meanDifference, serveIiif } from './iiif-server.ts';

let pipeline: Pipeline;
beforeAll(async () => {
  pipeline = await startPipeline();
});
afterAll(() => pipeline.stop());

interface Tile {
  readonly scaleFactor: number;
  readonly region: readonly [left: number, top: number, width: number, height: number];
  readonly width: number;
  readonly height: number;
}

/**
 * All tiles that a deep-zoom viewer requests, computed as in the implementation notes of the Image
 * API.
 */
function tilesOf({ width, height, tiles }: Info): Tile[] {
  return tiles.flatMap((grid) =>
    grid.scaleFactors.flatMap((scaleFactor) => {
      const [across, down] = [grid.width * scaleFactor, grid.height * scaleFactor];
      const places = Array.from({ length: Math.ceil(height / down) }, (_, row) =>
        Array.from({ length: Math.ceil(width / across) }, (_unused, column) => ({ row, column })),
      );
      return places.flat().map(({ row, column }): Tile => {
        const [left, top] = [column * across, row * down];
        const [wide, high] = [Math.min(across, width - left), Math.min(down, height - top)];
        const region = [left, top, wide, high] as const;
        return { scaleFactor, region, width: Math.ceil(wide / scaleFactor), height: Math.ceil(high / scaleFactor) };
      });
    }),
  );
}

describe.each<[recipe: string, width: number, height: number, channels: 1 | 3, tiles: number]>([
  ['iiif', 2101, 1499, 3, 25],
  ['default', 1283, 2755, 1, 28],
  ['archival', 1537, 1033, 3, 19],
])('every tile of the grid: %s, %i × %i × %i', (recipe, width, height, channels, count) => {
  let published: Publication;
  beforeAll(async () => {
    const master = await pictureOf(width, height, channels).png().toBuffer();
    published = await pipeline.run(`${recipe}.png`, master, { recipe });
  });

  test.each<ApiVersion>([2, 3])('Image API %i returns each tile in its size', async (version) => {
    const iiif = await serveIiif(pipeline.store, published);
    const tiles = tilesOf(await iiif.info(version));
    expect(tiles).toHaveLength(count);
    for (const tile of tiles) {
      const served = await iiif.raster(version, `${tile.region.join(',')}/${tile.width},${tile.height}/0/default.jpg`);
      expect([tile, served.width, served.height]).toEqual([tile, tile.width, tile.height]);
    }
  });
});

test('the tiles of a picture that halves evenly equal those of one libvips pass, pixel for pixel', async () => {
  const master = await pictureOf(2048, 1536).png().toBuffer();
  const published = await pipeline.run('even.png', master, { recipe: 'archival' });
  const levels = await singlePass(master, { tileSize: 512, compression: 'deflate', colourspace: 'srgb' });
  const iiif = await serveIiif(pipeline.store, published);
  const tiles = tilesOf(await iiif.info(3)).filter(({ scaleFactor }) => scaleFactor <= 4);
  expect(tiles).toHaveLength(12 + 4 + 1);
  for (const { scaleFactor, region, width, height } of tiles) {
    const served = await iiif.raster(3, `${region.join(',')}/${width},${height}/0/default.png`);
    const level = levels[Math.log2(scaleFactor)] as Level;
    const expected = crop(level, [region[0] / scaleFactor, region[1] / scaleFactor, width, height]);
    expect([region, meanDifference(served, expected)]).toEqual([region, 0]);
  }
});

test('iiif-processor fails for an edge tile narrower than its scale factor, also in a pyramid made by libvips', async () => {
  const master = await pictureOf(1537, 1025).png().toBuffer();
  const published = await pipeline.run('thin.png', master, { recipe: 'archival' });
  const byLibvips = { bucket: pipeline.sourceBucket, key: 'libvips.tif' };
  const wholePass = pictureOf(1537, 1025).tiff({ pyramid: true, tile: true, tileWidth: 512, tileHeight: 512 });
  await pipeline.store.write(byLibvips, await wholePass.toBuffer());
  for (const object of [published, byLibvips]) {
    const iiif = await serveIiif(pipeline.store, object, { names: 'none' });
    await expect(iiif.raster(3, '0,1024,1024,1/512,1/0/default.jpg')).rejects.toThrow('extract_area');
    expect(await iiif.raster(3, '0,1024,512,1/512,1/0/default.jpg')).toMatchObject({ width: 512, height: 1 });
  }
});

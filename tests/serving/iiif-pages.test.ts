import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { fromArrayBuffer } from 'geotiff';
import type { Publication } from '../../src/ledger/ledger.ts';
import { type Pipeline, startPipeline } from '../support/pipeline.ts';
import { type Level, pictureOf, singlePass } from '../support/pixels.ts';
import { meanDifference, rasterOf, serveIiif } from './iiif-server.ts';

/** Sizes that halve evenly, so that what iiif-processor rounds cannot blur which page answered. */
const [width, height] = [2048, 1536];
const pages = [
  { page: 0, wide: 2048, high: 1536 },
  { page: 1, wide: 1024, high: 768 },
  { page: 2, wide: 512, high: 384 },
];

let pipeline: Pipeline;
let published: Publication;
let expectedLevels: Level[];
beforeAll(async () => {
  pipeline = await startPipeline();
  const master = await pictureOf(width, height).png().toBuffer();
  published = await pipeline.run('picture.png', master, { recipe: 'archival' });
  expectedLevels = await singlePass(master, { tileSize: 512, compression: 'deflate', colourspace: 'srgb' });
});
afterAll(() => pipeline.stop());

/** The bytes of the file with the tiles of these pages overwritten: none of them can be decoded any more. */
async function withoutTilesOf(lost: readonly number[]): Promise<(bytes: Uint8Array) => Uint8Array> {
  const whole = await pipeline.store.read(published);
  const tiff = await fromArrayBuffer(Uint8Array.from(whole).buffer);
  const tables = await Promise.all(
    lost.map(async (page) => {
      const { fileDirectory } = await tiff.getImage(page);
      const offsets = (await fileDirectory.loadValue('TileOffsets')) as ArrayLike<number>;
      const lengths = (await fileDirectory.loadValue('TileByteCounts')) as ArrayLike<number>;
      return Array.from(offsets, (offset, tile) => [offset, offset + (lengths[tile] ?? 0)] as const);
    }),
  );
  return (bytes) => {
    const damaged = Uint8Array.from(bytes);
    for (const [start, end] of tables.flat()) damaged.fill(0xee, start, end);
    return damaged;
  };
}

describe.each(['plain', 'iiif-', 'none'] as const)('with sizes from %s user metadata', (names) => {
  test.each(pages)('a width of $wide is page $page, pixel for pixel', async ({ page, wide, high }) => {
    const iiif = await serveIiif(pipeline.store, published, { names });
    const served = await iiif.raster(3, `full/${wide},/0/default.png`);
    const level = expectedLevels[page];
    expect([served.width, served.height]).toEqual([wide, high]);
    expect(level && meanDifference(served, level)).toBe(0);
  });

  test.each([
    ['full', '2048,', 0],
    ['full', '1100,', 0],
    ['full', '1024,', 1],
    ['full', '700,', 1],
    ['full', '512,', 2],
    ['full', '80,', 2],
    ['0,0,1024,1024', '512,', 1],
    ['1024,512,1024,1024', '256,256', 2],
  ])('the region %s at the size %s is decoded from page %i alone', async (region, size, page) => {
    const request = `${region}/${size}/0/default.png`;
    const others = pages.map((each) => each.page).filter((each) => each !== page);
    const intact = await serveIiif(pipeline.store, published, { names });
    const thatPage = await serveIiif(pipeline.store, published, { names, damage: await withoutTilesOf(others) });
    const otherPages = await serveIiif(pipeline.store, published, { names, damage: await withoutTilesOf([page]) });
    expect(meanDifference(await thatPage.raster(3, request), await intact.raster(3, request))).toBe(0);
    await expect(otherPages.raster(3, request)).rejects.toThrow();
  });
});

test('a size between two pages is close to the whole picture made that small', async () => {
  const iiif = await serveIiif(pipeline.store, published);
  const expected = await rasterOf(pictureOf(width, height).resize(700, 525));
  expect(meanDifference(await iiif.raster(3, 'full/700,/0/default.png'), expected)).toBeLessThan(6);
});

import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { fromArrayBuffer } from 'geotiff';
import type { Publication } from '../../src/ledger/ledger.ts';
import { type Pipeline, startPipeline } from '../support/pipeline.ts';
import { type Level, pictureOf, singlePass } from '../support/pixels.ts';
import { meanDifference, rasterOf, serveIiif } from './iiif-server.ts';

/**
 * Sizes that halve evenly: rounding in iiif-processor then does not obscure which page was decoded.
 */
const [width, height] = [1024, 768];
const pages = [
  { page: 0, wide: 1024, high: 768 },
  { page: 1, wide: 512, high: 384 },
  { page: 2, wide: 256, high: 192 },
];

/** Lossless, in tiles so small that a small picture has three pages. */
const recipe = `name: pages\nversion: 1\ndescription: test\ntileSize: 256\nencoding: { compression: deflate }
colour: srgb\ndepth: keep\nbackground: '#ffffff'\n`;

let recipesDirectory: string;
let pipeline: Pipeline;
let published: Publication;
let intact: Uint8Array;
let expectedLevels: Level[];
beforeAll(async () => {
  recipesDirectory = await mkdtemp(path.join(os.tmpdir(), 'stepwell-recipes-'));
  await writeFile(path.join(recipesDirectory, 'pages.yml'), recipe);
  pipeline = await startPipeline((store) => store, { recipesDirectory });
  const master = await pictureOf(width, height).png().toBuffer();
  published = await pipeline.run('picture.png', master, { recipe: 'pages' });
  intact = await pipeline.store.read(published);
  expectedLevels = await singlePass(master, { tileSize: 256, compression: 'deflate', colourspace: 'srgb' });
});
afterAll(async () => {
  await pipeline.stop();
  await rm(recipesDirectory, { recursive: true });
});

/** The file with the tiles of these pages overwritten, so that they cannot be decoded. */
async function withoutTilesOf(lost: readonly number[]): Promise<Uint8Array> {
  const tiff = await fromArrayBuffer(Uint8Array.from(intact).buffer);
  const damaged = Uint8Array.from(intact);
  for (const page of lost) {
    const { fileDirectory } = await tiff.getImage(page);
    const offsets = (await fileDirectory.loadValue('TileOffsets')) as ArrayLike<number>;
    const lengths = (await fileDirectory.loadValue('TileByteCounts')) as ArrayLike<number>;
    for (const [tile, offset] of Array.from(offsets).entries()) {
      damaged.fill(0xee, offset, offset + (lengths[tile] ?? 0));
    }
  }
  return damaged;
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
    ['full', '1024,', 0],
    ['full', '550,', 0],
    ['full', '512,', 1],
    ['full', '350,', 1],
    ['full', '256,', 2],
    ['full', '40,', 2],
    ['0,0,512,512', '256,', 1],
    ['512,256,512,512', '128,128', 2],
  ])('the region %s at the size %s is decoded from page %i alone', async (region, size, page) => {
    const request = `${region}/${size}/0/default.png`;
    const others = pages.map((each) => each.page).filter((each) => each !== page);
    const whole = await serveIiif(pipeline.store, published, { names });
    const thatPage = await serveIiif(pipeline.store, published, { names, bytes: await withoutTilesOf(others) });
    const otherPages = await serveIiif(pipeline.store, published, { names, bytes: await withoutTilesOf([page]) });
    expect(meanDifference(await thatPage.raster(3, request), await whole.raster(3, request))).toBe(0);
    await expect(otherPages.raster(3, request)).rejects.toThrow();
  });
});

test('a size between two pages is close to the whole picture reduced to that size', async () => {
  const iiif = await serveIiif(pipeline.store, published);
  const expected = await rasterOf(pictureOf(width, height).resize(352, 264));
  expect(meanDifference(await iiif.raster(3, 'full/352,/0/default.png'), expected)).toBeLessThan(6);
});

import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import sharp from 'sharp';
import { Arena } from '../../src/imaging/arena.ts';
import { rasterBytes } from '../../src/imaging/raster.ts';
import type { Publication } from '../../src/ledger/ledger.ts';
import { openPublished } from '../../src/published/open-published.ts';
import type { PublishedPyramid } from '../../src/published/published-pyramid.ts';
import { readRegion } from '../../src/published/read-region.ts';
import type { Region } from '../../src/published/region-plan.ts';
import { decodeLevels, type Level, pictureOf } from '../support/pixels.ts';
import { type PublishedPipeline, type PublishedRecipe, startPublishedPipeline } from '../support/published.ts';

let pipeline: PublishedPipeline;
beforeAll(async () => {
  pipeline = await startPublishedPipeline();
});
afterAll(() => pipeline.stop());

const cases: readonly [PublishedRecipe, 1 | 3, 8 | 16][] = [
  ['jpeg', 3, 8],
  ['jpeg', 1, 8],
  ['rgb', 3, 8],
  ['webp', 3, 8],
  ['deflate', 3, 8],
  ['deflate', 3, 16],
  ['deflate', 1, 16],
  ['lzw', 1, 8],
  ['lzw', 3, 16],
];

/** The pixels of a rectangle of a level, beyond whose edge the last column and row are repeated. */
function cut({ width, height, channels, pixels }: Level, [left, top, across, down]: readonly number[], bytes: number) {
  const pixel = channels * bytes;
  const rows = Array.from({ length: down ?? 0 }, (_, y) => Math.min(height - 1, y + (top ?? 0)));
  const columns = Array.from({ length: across ?? 0 }, (_, x) => Math.min(width - 1, x + (left ?? 0)));
  return Buffer.concat(
    rows.flatMap((y) => columns.map((x) => pixels.subarray((y * width + x) * pixel, (y * width + x + 1) * pixel))),
  );
}

async function pixelsOf(
  image: PublishedPyramid,
  [left, top, width, height]: readonly [number, number, number, number],
  size: readonly [number, number],
): Promise<Buffer> {
  const arena = new Arena();
  const region: Region = { left, top, width, height };
  const raster = await readRegion(image, region, { width: size[0], height: size[1] }, { timeoutSeconds: 60 }, arena);
  expect([raster.width, raster.height]).toEqual(size);
  const copy = Buffer.from(rasterBytes(raster));
  arena.release();
  return copy;
}

describe.each(cases)('a region of a %s pyramid of %i bands and %i bits', (recipe, bands, bits) => {
  let image: PublishedPyramid;
  let published: Publication;
  let levels: Level[];
  beforeAll(async () => {
    const key = `${recipe}-${bands}-${bits}.png`;
    const picture = pictureOf(331, 205, bands).toColourspace(bits === 16 ? (bands === 1 ? 'grey16' : 'rgb16') : 'srgb');
    published = await pipeline.run(key, await (bands === 1 && bits === 8 ? pictureOf(331, 205, 1) : picture).png().toBuffer(), { recipe });
    levels = await decodeLevels(await pipeline.store.read(published));
    image = await openPublished(pipeline.store, published);
  });
  const bytes = bits / 8;

  test('equals those pixels of its level', async () => {
    expect(image.header.levels.map(({ width, height }) => [width, height])).toEqual([
      [331, 205],
      [165, 102],
      [82, 51],
      [41, 25],
    ]);
    for (const [region, size, level, rect] of [
      [[0, 0, 331, 205], [331, 205], 0, [0, 0, 331, 205]],
      [[50, 60, 100, 80], [100, 80], 0, [50, 60, 100, 80]],
      [[330, 204, 1, 1], [1, 1], 0, [330, 204, 1, 1]],
      [[128, 64, 128, 128], [64, 64], 1, [64, 32, 64, 64]],
      [[0, 0, 331, 205], [165, 102], 1, [0, 0, 165, 102]],
      [[256, 128, 75, 77], [38, 39], 1, [128, 64, 38, 39]],
      [[256, 128, 75, 77], [37, 38], 1, [128, 64, 37, 38]],
      [[0, 0, 331, 205], [42, 26], 3, [0, 0, 42, 26]],
    ] as const) {
      const expected = cut(levels[level] as Level, rect, bytes);
      expect([region, (await pixelsOf(image, region, size)).equals(expected)]).toEqual([region, true]);
    }
  });

  test('is resized from the smallest level that suffices, as sharp resizes it', async () => {
    const half = levels[1] as Level;
    const part = cut(half, [10, 20, 80, 60], bytes);
    const data = bytes === 2 ? new Uint16Array(Uint8Array.from(part).buffer) : part;
    const space = bits === 16 ? (bands === 1 ? 'grey16' : 'rgb16') : bands === 1 ? 'b-w' : 'srgb';
    const expected = await sharp(data, { raw: { width: 80, height: 60, channels: bands } })
      .toColourspace(space)
      .resize(71, 47, { fit: 'fill' })
      .raw({ depth: bits === 16 ? 'ushort' : 'uchar' })
      .toBuffer();
    expect((await pixelsOf(image, [20, 40, 160, 120], [71, 47])).equals(expected)).toBe(true);
  });
});

test('a region can be enlarged, and images of one pixel and of one column are read', async () => {
  const one = await openPublished(
    pipeline.store,
    await pipeline.run('one.png', await pictureOf(1, 1).png().toBuffer(), { recipe: 'deflate' }),
  );
  const pixel = await pixelsOf(one, [0, 0, 1, 1], [1, 1]);
  expect((await pixelsOf(one, [0, 0, 1, 1], [3, 2])).equals(Buffer.concat(Array.from({ length: 6 }, () => pixel)))).toBe(true);
  const column = await pipeline.run('column.png', await pictureOf(1, 500).png().toBuffer(), { recipe: 'deflate' });
  const levels = await decodeLevels(await pipeline.store.read(column));
  const image = await openPublished(pipeline.store, column);
  expect(image.header.levels.map(({ height }) => height)).toEqual([500, 250, 125, 62]);
  expect((await pixelsOf(image, [0, 0, 1, 500], [1, 63])).equals(cut(levels[3] as Level, [0, 0, 1, 63], 1))).toBe(true);
});

test('a tile takes one read of its own bytes, and tiles that are adjacent in the file take one read together', async () => {
  const published = await pipeline.run('reads.png', await pictureOf(331, 205).png().toBuffer(), { recipe: 'jpeg' });
  pipeline.takeReads();
  const image = await openPublished(pipeline.store, published);
  const opening = pipeline.takeReads();
  expect(opening.map(({ method, offset }) => [method, offset])).toEqual([['readDescribed', 0]]);
  await pixelsOf(image, [64, 64, 64, 64], [64, 64]);
  const [level] = image.header.levels;
  const tile = pipeline.takeReads();
  expect(tile).toEqual([
    { method: 'read', key: published.key, offset: level.tileOffset(7), length: level.tileBytes(7), ifMatch: image.etag },
  ]);
  await pixelsOf(image, [0, 0, 331, 205], [331, 205]);
  const all = pipeline.takeReads();
  expect(all).toHaveLength(1);
  const sum = Array.from({ length: 24 }, (_, index) => level.tileBytes(index)).reduce((a, b) => a + b);
  expect(all[0]?.length).toBe(sum);
});

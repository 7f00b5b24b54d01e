import path from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { fromUrl, type GeoTIFF } from 'geotiff';
import { type Pipeline, startPipeline } from '../support/pipeline.ts';
import { type Level, pictureOf, singlePass } from '../support/pixels.ts';
import { type RangedServer, startRangedServer } from '../support/ranged-server.ts';

/** Bytes of a block, which contains all directories and, in a JPEG pyramid, the smallest level. */
const BLOCK = 65_536;

/** In a constant, because the types of geotiff omit `blockSize`. */
const inBlocks = { allowFullFile: false, blockSize: BLOCK };

const sizes = [
  [2101, 1499],
  [1050, 749],
  [525, 374],
  [262, 187],
  [131, 93],
] as const;

let pipeline: Pipeline;
let server: RangedServer;
let expected: Level[];
beforeAll(async () => {
  pipeline = await startPipeline();
  const master = await pictureOf(2101, 1499).png().toBuffer();
  const folders = new Set<string>();
  for (const recipe of ['archival', 'default', 'iiif']) {
    const published = await pipeline.run(`${recipe}.png`, master, { recipe });
    folders.add(path.dirname((await pipeline.store.materialise(published)).path));
  }
  expect(folders.size).toBe(1);
  expected = await singlePass(master, { tileSize: 512, compression: 'deflate', colourspace: 'srgb' });
  server = await startRangedServer([...folders][0] ?? '');
});
beforeEach(() => {
  server.take();
});
afterAll(async () => {
  await server.stop();
  await pipeline.stop();
});

async function firstPixel(tiff: GeoTIFF, level: number): Promise<number[]> {
  const image = await tiff.getImage(level);
  const pixel = (await image.readRGB({ window: [0, 0, 1, 1], interleave: true })) as Uint8Array;
  return Array.from(pixel);
}

function bytesOf(requests: readonly { bytes: number }[]): number {
  return requests.reduce((sum, { bytes }) => sum + bytes, 0);
}

describe.each([
  { recipe: 'archival', levels: 4, tileSize: 512, overviewRequests: 2 },
  { recipe: 'default', levels: 4, tileSize: 512, overviewRequests: 1 },
  { recipe: 'iiif', levels: 5, tileSize: 256, overviewRequests: 1 },
])('$recipe, read in blocks of 64 KiB', ({ recipe, levels, tileSize, overviewRequests }) => {
  test('one request reads the number, the sizes and the tiles of all levels', async () => {
    const tiff = await fromUrl(`${server.url}/${recipe}.tif`, inBlocks);
    expect(await tiff.getImageCount()).toBe(levels);
    for (const [level, [width, height]] of sizes.slice(0, levels).entries()) {
      const image = await tiff.getImage(level);
      expect([image.getWidth(), image.getHeight()]).toEqual([width, height]);
      expect([image.getTileWidth(), image.getTileHeight()]).toEqual([tileSize, tileSize]);
    }
    expect(server.take()).toEqual([
      { method: 'GET', path: `${recipe}.tif`, range: 'bytes=0-65535', status: 206, bytes: BLOCK },
    ]);
  });

  test(`reading the smallest level takes ${overviewRequests} requests in all`, async () => {
    const tiff = await fromUrl(`${server.url}/${recipe}.tif`, inBlocks);
    expect(await firstPixel(tiff, levels - 1)).toHaveLength(3);
    const requests = server.take();
    expect(requests.length).toBe(overviewRequests);
    expect(bytesOf(requests)).toBeLessThanOrEqual(overviewRequests * 2 * BLOCK);
  });

  test('a full-resolution tile takes one more request, and four tiles take at most four', async () => {
    const tiff = await fromUrl(`${server.url}/${recipe}.tif`, inBlocks);
    const full = await tiff.getImage(0);
    server.take();
    await full.readRasters({ window: [tileSize, tileSize, 2 * tileSize, 2 * tileSize] });
    expect(server.take().length).toBeLessThanOrEqual(1);
    await full.readRasters({ window: [3 * tileSize - 9, tileSize - 9, 3 * tileSize + 9, tileSize + 9] });
    expect(server.take().length).toBeLessThanOrEqual(4);
  });
});

test('without block reading, geotiff makes one request for the header, one for each level and one for a tile', async () => {
  const tiff = await fromUrl(`${server.url}/archival.tif`);
  expect(await tiff.getImageCount()).toBe(4);
  expect(server.take().map(({ bytes }) => bytes)).toEqual([1024, 1024, 1024, 1024, 1024]);
  await firstPixel(tiff, 3);
  expect(server.take()).toHaveLength(1);
});

test('a window of every level over HTTP is the window of one libvips pass, pixel for pixel', async () => {
  const tiff = await fromUrl(`${server.url}/archival.tif`, inBlocks);
  expect(expected).toHaveLength(4);
  for (const [index, level] of expected.entries()) {
    const [left, top] = [Math.floor(level.width / 3), Math.floor(level.height / 4)];
    const [right, bottom] = [level.width, top + 90];
    const image = await tiff.getImage(index);
    const window = (await image.readRasters({ window: [left, top, right, bottom], interleave: true })) as Uint8Array;
    const rows = Array.from({ length: bottom - top }, (_, y) => {
      const row = (top + y) * level.width;
      return level.pixels.subarray((row + left) * 3, (row + right) * 3);
    });
    expect(Buffer.from(window).equals(Buffer.concat(rows))).toBe(true);
  }
});

test.each(['default', 'iiif'])(
  'a window of every level of %s over HTTP is close to one libvips pass',
  async (recipe) => {
    const tiff = await fromUrl(`${server.url}/${recipe}.tif`, inBlocks);
    for (const [index, level] of expected.entries()) {
      const image = await tiff.getImage(index);
      const window = (await image.readRGB({ window: [20, 10, 220, 11], interleave: true })) as Uint8Array;
      const original = level.pixels.subarray((10 * level.width + 20) * 3, (10 * level.width + 220) * 3);
      const sum = original.reduce((total, sample, at) => total + Math.abs(sample - (window[at] ?? 0)), 0);
      // Mean over 600 samples with grain, which JPEG removes first; another row would differ by
      // dozens.
      expect(sum / original.length).toBeLessThan(8);
    }
  },
);

test('the HTTP server of these tests answers range requests as object stores do', async () => {
  const url = `${server.url}/iiif.tif`;
  const { size } = await pipeline.store.head({ bucket: 'stepwell-published', key: 'iiif.tif' });
  const ask = async (range?: string, method = 'GET') => {
    const answer = await fetch(url, { method, ...(range === undefined ? {} : { headers: { range } }) });
    return [answer.status, answer.headers.get('content-range'), (await answer.arrayBuffer()).byteLength];
  };
  expect(await ask('bytes=2-5')).toEqual([206, `bytes 2-5/${size}`, 4]);
  expect(await ask('bytes=-4')).toEqual([206, `bytes ${size - 4}-${size - 1}/${size}`, 4]);
  expect(await ask(`bytes=${size - 4}-${size + 99}`)).toEqual([206, `bytes ${size - 4}-${size - 1}/${size}`, 4]);
  expect(await ask(`bytes=${size}-`)).toEqual([416, `bytes */${size}`, 0]);
  expect(await ask()).toEqual([200, null, size]);
  expect(await ask(undefined, 'HEAD')).toEqual([200, null, 0]);
  expect((await fetch(`${server.url}/../other.tif`)).status).toBe(404);
});

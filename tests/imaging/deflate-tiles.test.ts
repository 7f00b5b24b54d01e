import { inflateSync } from 'node:zlib';
import { describe, expect, test } from '@jest/globals';
import sharp from 'sharp';
import { Arena } from '../../src/imaging/arena.ts';
import { deflateTiles } from '../../src/imaging/deflate-tiles.ts';
import type { Raster } from '../../src/imaging/raster.ts';

const arena = new Arena();

/** Deterministic noise: 8 random bits a sample. */
function noise(samples: number): Uint8Array {
  let state = 7;
  return Uint8Array.from(
    { length: samples },
    () => (state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0) >>> 24,
  );
}

/** Undoes the horizontal predictor of 8-bit samples. */
function decode(tile: Uint8Array, tileSize: number, bands: number): Uint8Array {
  const samples = Uint8Array.from(inflateSync(tile));
  samples.forEach((sample, at) => {
    if (at % (tileSize * bands) >= bands) samples[at] = sample + (samples[at - bands] ?? 0);
  });
  return samples;
}

describe('a deflate tile at the edge', () => {
  const raster: Raster = { width: 70, height: 65, bands: 3, data: noise(70 * 65 * 3) };

  test('repeats the last column to its right and is zero below the last row', async () => {
    const { tiles } = await deflateTiles(raster, { tileSize: 64, level: 6 }, arena);
    const corner = decode(tiles[3] ?? new Uint8Array(), 64, 3);
    const lastPixel = raster.data.slice(-3);
    expect(corner.slice(5 * 3, 6 * 3)).toEqual(lastPixel);
    expect(corner.slice(63 * 3, 64 * 3)).toEqual(lastPixel);
    expect(corner.slice(64 * 3).some((sample) => sample !== 0)).toBe(false);
  });

  test('does not depend on the tiles that were encoded before it', async () => {
    const encode = async () => (await deflateTiles(raster, { tileSize: 64, level: 6 }, new Arena())).tiles;
    expect((await encode()).map((tile) => Buffer.from(tile))).toEqual(
      (await encode()).map((tile) => Buffer.from(tile)),
    );
  });
});

describe('the strategy of a deflate tile', () => {
  const sizes = async (raster: Raster, level: number): Promise<number> => {
    const { tiles } = await deflateTiles(raster, { tileSize: 256, level }, arena);
    return tiles.reduce((sum, { length }) => sum + length, 0);
  };
  const libtiff = async ({ width, height, data }: Raster): Promise<number> => {
    const pipeline = sharp(data, { raw: { width, height, channels: 3 } });
    const tile = { tile: true, tileWidth: 256, tileHeight: 256 } as const;
    return (await pipeline.tiff({ compression: 'deflate', predictor: 'horizontal', ...tile }).toBuffer()).length;
  };

  test('compresses noisy images at least as well as libtiff', async () => {
    // Noise of 5 bits, so that samples compress but rarely repeat.
    const data = noise(512 * 512 * 3).map((sample) => 100 + (sample >> 3));
    const raster: Raster = { width: 512, height: 512, bands: 3, data };
    expect(await sizes(raster, 6)).toBeLessThan(await libtiff(raster));
  });

  test('matches patterns that repeat from row to row', async () => {
    const row = noise(512 * 3);
    const data = new Uint8Array(512 * 512 * 3);
    for (let y = 0; y < 512; y++) data.set(row, y * row.length);
    const raster: Raster = { width: 512, height: 512, bands: 3, data };
    expect(await sizes(raster, 6)).toBeLessThan(data.length / 50);
  });

  test('compresses better at a higher level', async () => {
    // Words of 16 pixels from a vocabulary of 256, in any order.
    const [vocabulary, order] = [noise(256 * 48), noise(512 * 32)];
    const data = new Uint8Array(512 * 512 * 3);
    order.forEach((word, at) => {
      data.set(vocabulary.subarray(word * 48, (word + 1) * 48), at * 48);
    });
    const raster: Raster = { width: 512, height: 512, bands: 3, data };
    expect(await sizes(raster, 9)).toBeLessThan(await sizes(raster, 1));
  });
});

test('16-bit differences wrap around at 65,536', async () => {
  const data = Uint16Array.from({ length: 64 * 64 }, (_, at) => (at % 2 === 0 ? 65_535 : 1));
  const { tiles } = await deflateTiles({ width: 64, height: 64, bands: 1, data }, { tileSize: 64, level: 6 }, arena);
  const stored = inflateSync(tiles[0] ?? new Uint8Array());
  expect([0, 2, 4, 6].map((at) => stored.readUInt16LE(at))).toEqual([65_535, 2, 65_534, 2]);
});

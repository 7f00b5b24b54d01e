import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Cut } from '../../src/pyramid/plan.ts';
import {
  cutInto,
  deflate,
  expectSameLevels,
  jpeg,
  publishedLevels,
  recipesFolder,
  smallTiles,
} from '../support/exactness.ts';
import { type Pipeline, startPipeline } from '../support/pipeline.ts';
import { type Level, pictureOf, singlePass } from '../support/pixels.ts';
import { writePlainTiff } from '../support/tiff-writer.ts';

let recipes: Awaited<ReturnType<typeof recipesFolder>>;
let pipeline: Pipeline;
beforeAll(async () => {
  recipes = await recipesFolder(smallTiles);
  pipeline = await startPipeline((store) => store, { recipesDirectory: recipes.folder });
});
afterAll(async () => {
  await pipeline.stop();
  await recipes.remove();
});

const publish = (key: string, master: Uint8Array, options: { recipe: string; cut?: Cut }): Promise<Level[]> =>
  publishedLevels(pipeline, key, master, options);

describe('sliced masters', () => {
  const parts = (size: [number, number], splitLevel: number, step: [number, number], partPixels: number): Cut => ({
    ...cutInto(size[0], size[1], splitLevel, step[0], step[1]),
    access: 'slices',
    partPixels,
  });

  test('equal one pass in every layout, in blocks that are rendered part by part', async () => {
    const size: [number, number] = [278, 265];
    const layouts = {
      'strips-none': { compression: 'none', tileHeight: 32 },
      'strips-lzw': { compression: 'lzw', tileHeight: 32 },
      'strips-jpeg': { compression: 'jpeg', quality: 92, tileHeight: 32 },
      'tiles-deflate': { compression: 'deflate', tile: true, tileWidth: 80, tileHeight: 48 },
      'tiles-jpeg': { compression: 'jpeg', quality: 80, tile: true, tileWidth: 64, tileHeight: 64 },
      'tiles-bigtiff': { compression: 'lzw', tile: true, tileWidth: 128, tileHeight: 128, bigtiff: true },
    } as const;
    for (const [name, options] of Object.entries(layouts)) {
      const master = await pictureOf(...size)
        .tiff(options)
        .toBuffer();
      const expected = await singlePass(master, { ...jpeg, colourspace: 'srgb' });
      for (const [step, partPixels] of [
        [[256, 256], 18_750],
        [[1024, 256], 43_750],
        [[1024, 1024], 6_250],
      ] as const) {
        const key = `slices-${name}-${step.join('-')}-${partPixels}.tif`;
        const cut = parts(size, 2, [...step], partPixels);
        expectSameLevels(await publish(key, master, { recipe: 'jpeg', cut }), expected);
      }
    }
  });

  test('with an Exif orientation are upright in every block', async () => {
    for (const orientation of [1, 2, 3, 4, 5, 6, 7, 8]) {
      const master = writePlainTiff(
        { width: 225, height: 175, samples: 3, bits: 8, rowsPerStrip: 4, orientation },
        (x, y, band) => (x * 3 + y * 7 + band * 40 + ((x >> 5) & (y >> 5))) & 255,
      );
      const size: [number, number] = orientation >= 5 ? [175, 225] : [225, 175];
      const cut = parts(size, 0, [64, 64], 64 * 64);
      const levels = await publish(`side-${orientation}.tif`, master, { recipe: 'jpeg', cut });
      expectSameLevels(levels, await singlePass(master, { ...jpeg, colourspace: 'srgb' }));
    }
  });

  test('in separate planes equal one pass over the same picture with interleaved samples', async () => {
    const size: [number, number] = [151, 115];
    const sample = (x: number, y: number, band: number): number =>
      (x * 3 + y * 7 + band * 40 + ((x >> 5) & (y >> 5))) & 255;
    for (const [samples, bits] of [
      [3, 8],
      [4, 8],
      [3, 16],
    ] as const) {
      const picture = { width: size[0], height: size[1], samples, bits, rowsPerStrip: 8 };
      const scaled = (x: number, y: number, band: number): number => sample(x, y, band) * (bits === 16 ? 251 : 1);
      const tile = { width: 48, height: 32 };
      const master = writePlainTiff(
        { ...picture, planar: true, bigEndian: true, tile, deflate: { predictor: 2 } },
        scaled,
      );
      const expected = await singlePass(writePlainTiff(picture, scaled), {
        ...deflate,
        colourspace: bits === 16 ? 'rgb16' : 'srgb',
      });
      for (const [step, partPixels] of [
        [[128, 64], 4_700],
        [[512, 512], 62_500],
      ] as const) {
        const cut = parts(size, 0, [...step], partPixels);
        const key = `planes-${samples}-${bits}-${step.join('-')}.tif`;
        expectSameLevels(await publish(key, master, { recipe: 'lossless', cut }), expected);
      }
    }
  });

  test('wider than 65,535 pixels equal one pass', async () => {
    const size: [number, number] = [66_001, 70];
    const master = await pictureOf(...size)
      .tiff({ compression: 'lzw' })
      .toBuffer();
    const levels = await publish('wide.tif', master, { recipe: 'jpeg' });
    expect(levels.map(({ width, height }) => [width, height]).slice(0, 3)).toEqual([
      [66_001, 70],
      [33_000, 35],
      [16_500, 17],
    ]);
    // libvips limits JPEG in TIFF to 65,535 px a side, so the levels are compared with those of its
    // deflate.
    const lossless = await publish('wide-lossless.tif', master, { recipe: 'lossless' });
    const expected = await singlePass(master, { ...deflate, colourspace: 'srgb' });
    // libvips stops before a side would be 0; ours keeps a side of 1 and goes on.
    expect([expected.length, lossless.length]).toEqual([7, 11]);
    expectSameLevels(lossless.slice(0, expected.length), expected);
  });
});

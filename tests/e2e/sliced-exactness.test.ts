import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Cut } from '../../src/pyramid/plan.ts';
import { cutInto, deflate, expectSameLevels, jpeg, publishedLevels } from '../support/exactness.ts';
import { type Pipeline, startPipeline } from '../support/pipeline.ts';
import { type Level, pictureOf, singlePass } from '../support/pixels.ts';
import { writePlainTiff } from '../support/tiff-writer.ts';

let pipeline: Pipeline;
beforeAll(async () => {
  pipeline = await startPipeline();
});
afterAll(() => pipeline.stop());

const publish = (key: string, master: Uint8Array, options: { recipe: string; cut?: Cut }): Promise<Level[]> =>
  publishedLevels(pipeline, key, master, options);

describe('sliced masters', () => {
  const parts = (size: [number, number], splitLevel: number, step: [number, number], partPixels: number): Cut => ({
    ...cutInto(size[0], size[1], splitLevel, step[0], step[1]),
    access: 'slices',
    partPixels,
  });

  test('equal one pass in every layout, in blocks that are rendered part by part', async () => {
    const size: [number, number] = [1110, 1057];
    const layouts = {
      'strips-none': { compression: 'none' },
      'strips-lzw': { compression: 'lzw' },
      'strips-jpeg': { compression: 'jpeg', quality: 92 },
      'tiles-deflate': { compression: 'deflate', tile: true, tileWidth: 240, tileHeight: 176 },
      'tiles-jpeg': { compression: 'jpeg', quality: 80, tile: true, tileWidth: 256, tileHeight: 256 },
      'tiles-bigtiff': { compression: 'lzw', tile: true, tileWidth: 512, tileHeight: 512, bigtiff: true },
    } as const;
    for (const [name, options] of Object.entries(layouts)) {
      const master = await pictureOf(...size)
        .tiff(options)
        .toBuffer();
      const expected = await singlePass(master, { ...jpeg, colourspace: 'srgb' });
      for (const [step, partPixels] of [
        [[1024, 1024], 300_000],
        [[4096, 1024], 700_000],
        [[4096, 4096], 100_000],
      ] as const) {
        const key = `slices-${name}-${step.join('-')}-${partPixels}.tif`;
        const cut = parts(size, 2, [...step], partPixels);
        expectSameLevels(await publish(key, master, { recipe: 'iiif', cut }), expected);
      }
    }
  });

  test('with an Exif orientation are upright in every block', async () => {
    for (const orientation of [1, 2, 3, 4, 5, 6, 7, 8]) {
      const master = writePlainTiff(
        { width: 900, height: 700, samples: 3, bits: 8, rowsPerStrip: 16, orientation },
        (x, y, band) => (x * 3 + y * 7 + band * 40 + ((x >> 5) & (y >> 5))) & 255,
      );
      const size: [number, number] = orientation >= 5 ? [700, 900] : [900, 700];
      const cut = parts(size, 0, [256, 256], 256 * 256);
      const levels = await publish(`side-${orientation}.tif`, master, { recipe: 'iiif', cut });
      expectSameLevels(levels, await singlePass(master, { ...jpeg, colourspace: 'srgb' }));
    }
  });

  test('in separate planes equal one pass over the same picture with interleaved samples', async () => {
    const size: [number, number] = [1210, 917];
    const sample = (x: number, y: number, band: number): number =>
      (x * 3 + y * 7 + band * 40 + ((x >> 5) & (y >> 5))) & 255;
    for (const [samples, bits] of [
      [3, 8],
      [4, 8],
      [3, 16],
    ] as const) {
      const picture = { width: size[0], height: size[1], samples, bits, rowsPerStrip: 64 };
      const scaled = (x: number, y: number, band: number): number => sample(x, y, band) * (bits === 16 ? 251 : 1);
      const tile = { width: 240, height: 176 };
      const master = writePlainTiff(
        { ...picture, planar: true, bigEndian: true, tile, deflate: { predictor: 2 } },
        scaled,
      );
      const expected = await singlePass(writePlainTiff(picture, scaled), {
        ...deflate,
        colourspace: bits === 16 ? 'rgb16' : 'srgb',
      });
      for (const [step, partPixels] of [
        [[1024, 512], 300_000],
        [[4096, 4096], 4_000_000],
      ] as const) {
        const cut = parts(size, 0, [...step], partPixels);
        const key = `planes-${samples}-${bits}-${step.join('-')}.tif`;
        expectSameLevels(await publish(key, master, { recipe: 'archival', cut }), expected);
      }
    }
  });

  test('wider than 65,535 pixels equal one pass', async () => {
    const size: [number, number] = [66_001, 300];
    const master = await pictureOf(...size)
      .tiff({ compression: 'lzw' })
      .toBuffer();
    const levels = await publish('wide.tif', master, { recipe: 'iiif' });
    expect(levels.map(({ width, height }) => [width, height]).slice(0, 3)).toEqual([
      [66_001, 300],
      [33_000, 150],
      [16_500, 75],
    ]);
    // libvips limits JPEG in TIFF to 65,535 px a side, so the levels are compared with those of its
    // deflate.
    const lossless = await publish('wide-lossless.tif', master, { recipe: 'archival' });
    expectSameLevels(lossless, await singlePass(master, { ...deflate, colourspace: 'srgb' }));
  });
});

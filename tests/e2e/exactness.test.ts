import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import {
  cutInto,
  deflate,
  expectSameLevels,
  iiif,
  jpeg,
  publishedLevels,
  recipesFolder,
  smallTiles,
} from '../support/exactness.ts';
import type { Cut } from '../../src/pyramid/plan.ts';
import { type Pipeline, startPipeline } from '../support/pipeline.ts';
import { type Level, pictureOf, singlePass } from '../support/pixels.ts';

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

describe('the published file decodes to the same pixels, level by level, as one pass over the whole image', () => {
  const cuts: readonly { name: string; size: [number, number]; splitLevel: number; step: [number, number] }[] = [
    { name: 'full-width bands', size: [251, 417], splitLevel: 1, step: [1024, 128] },
    { name: 'squares', size: [551, 275], splitLevel: 1, step: [256, 256] },
    { name: 'blocks of one tile', size: [277, 195], splitLevel: 0, step: [64, 64] },
    { name: 'a deep split', size: [526, 515], splitLevel: 3, step: [512, 512] },
    { name: 'a last column and row of one pixel', size: [513, 257], splitLevel: 2, step: [256, 256] },
    { name: 'a last block smaller than its smallest level', size: [259, 263], splitLevel: 2, step: [256, 256] },
    { name: 'columns only', size: [1025, 75], splitLevel: 1, step: [128, 128] },
  ];
  for (const { name, size, splitLevel, step } of cuts) {
    for (const channels of [3, 1] as const) {
      test(`a JPEG pyramid made of ${name} equals one pass, ${channels === 3 ? 'RGB' : 'grey'}`, async () => {
        const master = await pictureOf(size[0], size[1], channels).tiff({ compression: 'lzw' }).toBuffer();
        const cut = cutInto(size[0], size[1], splitLevel, step[0], step[1]);
        const colourspace = channels === 3 ? 'srgb' : 'b-w';
        expectSameLevels(
          await publish(`${name}-${channels}.tif`, master, { recipe: 'jpeg', cut }),
          await singlePass(master, { ...jpeg, colourspace }),
        );
      });
    }
  }

  test('a deflate pyramid made of bands or squares equals one pass, RGB and grey, 8 and 16 bits', async () => {
    for (const [channels, depth] of [
      [3, 8],
      [1, 8],
      [3, 16],
      [1, 16],
    ] as const) {
      const colourspace = depth === 16 ? (channels === 3 ? 'rgb16' : 'grey16') : channels === 3 ? 'srgb' : 'b-w';
      const master = await pictureOf(133, 131, channels).toColourspace(colourspace).png().toBuffer();
      const expected = await singlePass(master, { ...deflate, colourspace });
      for (const step of [128, 512]) {
        const cut = cutInto(133, 131, 1, step, 128);
        const key = `deflate-${channels}-${depth}-${step}.png`;
        expectSameLevels(await publish(key, master, { recipe: 'lossless', cut }), expected);
      }
    }
  });

  test('masters of every format equal one pass, cut by the planner', async () => {
    const image = pictureOf(751, 503);
    const masters = {
      'a.jpg': await image.clone().jpeg({ quality: 90 }).toBuffer(),
      'progressive.jpg': await image.clone().jpeg({ progressive: true }).toBuffer(),
      'b.png': await image.clone().png().toBuffer(),
      'c.webp': await image.clone().webp({ quality: 90 }).toBuffer(),
      'd.tif': await image.clone().tiff({ compression: 'none' }).toBuffer(),
      'tiled.tif': await image.clone().tiff({ compression: 'deflate', tile: true }).toBuffer(),
    };
    for (const [key, master] of Object.entries(masters)) {
      const levels = await publish(`formats/${key.replace('.', '-')}.x`, master, { recipe: 'iiif' });
      expectSameLevels(levels, await singlePass(master, { ...iiif, colourspace: 'srgb' }));
    }
  });

  test('masters with an Exif orientation are upright in the pyramid', async () => {
    for (const orientation of [2, 3, 5, 6, 8]) {
      const master = await pictureOf(325, 175).jpeg().withMetadata({ orientation }).toBuffer();
      const [width, height] = orientation >= 5 ? [175, 325] : [325, 175];
      const cut = cutInto(width, height, 1, 1024, 128);
      const levels = await publish(`orientation-${orientation}.jpg`, master, { recipe: 'jpeg', cut });
      expect([levels[0]?.width, levels[0]?.height]).toEqual([width, height]);
      expectSameLevels(levels, await singlePass(master, { ...jpeg, colourspace: 'srgb' }));
    }
  });

  test('transparent masters are flattened on the background of the recipe', async () => {
    const master = await pictureOf(600, 500, 4).png().toBuffer();
    expectSameLevels(
      await publish('alpha.png', master, { recipe: 'iiif' }),
      await singlePass(master, { ...iiif, colourspace: 'srgb' }),
    );
  });
});

describe('sizes at the edges', () => {
  test.each([
    [1, 1],
    [1, 700],
    [700, 1],
    [255, 257],
    [256, 256],
    [257, 255],
    [509, 1021],
    [513, 512],
  ])('%i × %i ends in a level of one tile, and its levels equal those of one pass', async (width, height) => {
    const master = await pictureOf(width, height).png().toBuffer();
    const levels = await publish(`edge-${width}x${height}.png`, master, { recipe: 'iiif' });
    const expected = await singlePass(master, { ...iiif, colourspace: 'srgb' });
    const last = levels.at(-1);
    expect(Math.max(last?.width ?? 0, last?.height ?? 0)).toBeLessThanOrEqual(256);
    // libvips stops before a side would be 0; ours keeps a side of 1 and goes on.
    expect(levels.length).toBeGreaterThanOrEqual(expected.length);
    expectSameLevels(levels.slice(0, expected.length), expected);
  });
});

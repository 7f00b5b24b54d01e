import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import sharp from 'sharp';
import { cutInto, expectSameLevels, publishedLevels } from '../support/exactness.ts';
import { type Pipeline, startPipeline } from '../support/pipeline.ts';
import { decodeLevels, type Level, pictureOf, pyramidOf, type TileOptions } from '../support/pixels.ts';

let folder: string;
let pipeline: Pipeline;
let shipped: Pipeline;

const recipeOf = (name: string, encoding: string): Promise<void> =>
  writeFile(
    path.join(folder, `${name}.yml`),
    `name: ${name}\nversion: 1\ndescription: test\ntileSize: 128\nencoding: ${encoding}\ncolour: srgb\ndepth: 8\nbackground: '#ffffff'\nsizeCap: { width: 600, height: 600 }\n`,
  );
beforeAll(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), 'stepwell-recipes-'));
  await recipeOf('capped', '{ compression: deflate }');
  await recipeOf('capped-jpeg', '{ compression: jpeg, quality: 80 }');
  pipeline = await startPipeline((store) => store, { recipesDirectory: folder });
  shipped = await startPipeline();
});
afterAll(async () => {
  await pipeline.stop();
  await shipped.stop();
  await rm(folder, { recursive: true, force: true });
});

/**
 * The expected levels, by one pass of sharp: the master reduced to fit the box, and its pyramid.
 */
function onePass(
  master: Buffer,
  side: number,
  encoding: Omit<TileOptions, 'tileSize'>,
  tileSize = 128,
): Promise<Level[]> {
  const whole = sharp(master, { ignoreIcc: true })
    .autoOrient()
    .flatten({ background: '#ffffff' })
    .resize({ width: side, height: side, fit: 'inside', fastShrinkOnLoad: false });
  return pyramidOf(whole, { tileSize, ...encoding });
}

const deflate = { compression: 'deflate' } as const;
const jpeg = { compression: 'jpeg', quality: 80 } as const;

describe('a master larger than the box is published as one pass of sharp reduces it', () => {
  const image = pictureOf(1500, 1100);
  const masters: readonly [string, () => Promise<Buffer>, [number, number]][] = [
    ['strips.tif', () => image.clone().tiff({ compression: 'none' }).toBuffer(), [600, 440]],
    ['tiles.tif', () => image.clone().tiff({ compression: 'deflate', tile: true }).toBuffer(), [600, 440]],
    ['photo.jpg', () => image.clone().jpeg({ quality: 90 }).toBuffer(), [600, 440]],
    ['rotated.jpg', () => image.clone().jpeg().withMetadata({ orientation: 6 }).toBuffer(), [440, 600]],
    ['progressive.jpg', () => image.clone().jpeg({ progressive: true }).toBuffer(), [600, 440]],
    ['interlaced.png', () => image.clone().png({ progressive: true }).toBuffer(), [600, 440]],
    ['clear.png', () => pictureOf(1500, 1100, 4).png().toBuffer(), [600, 440]],
    ['picture.webp', () => image.clone().webp().toBuffer(), [600, 440]],
  ];
  test.each(masters)('%s equals one pass, lossless and as JPEG', async (key, make, [width, height]) => {
    const master = await make();
    const lossless = await publishedLevels(pipeline, key, master, { recipe: 'capped' });
    expect(lossless.map((level) => [level.width, level.height])).toEqual(
      [1, 2, 4, 8].map((scale) => [Math.floor(width / scale), Math.floor(height / scale)]),
    );
    expectSameLevels(lossless, await onePass(master, 600, deflate));
    const lossy = await publishedLevels(pipeline, `jpeg-${key}`, master, { recipe: 'capped-jpeg' });
    expectSameLevels(lossy, await onePass(master, 600, jpeg));
  });

  test('the result is the same in blocks and in parts', async () => {
    for (const encoded of [image.clone().tiff({ tile: true }), image.clone().jpeg().withMetadata({ orientation: 6 })]) {
      const master = await encoded.toBuffer();
      const isTurned = (await sharp(master).metadata()).orientation === 6;
      const [width, height] = isTurned ? [440, 600] : [600, 440];
      const cut = { ...cutInto(width, height, 1, 512, 256), partPixels: 128 * 128 };
      const levels = await publishedLevels(pipeline, `blocks-${width}`, master, { recipe: 'capped', cut });
      expectSameLevels(levels, await onePass(master, 600, deflate));
    }
  });

  test('a line of a thousand pixels keeps one pixel of height', async () => {
    const master = await pictureOf(2000, 3).png().toBuffer();
    const [first] = await publishedLevels(pipeline, 'line.png', master, { recipe: 'capped' });
    expect([first?.width, first?.height]).toEqual([600, 1]);
    expectSameLevels(first ? [first] : [], (await onePass(master, 600, deflate)).slice(0, 1));
  });
});

test('a master that fits the box keeps its size', async () => {
  const master = await pictureOf(600, 500).png().toBuffer();
  const [first] = await publishedLevels(pipeline, 'small.png', master, { recipe: 'capped' });
  expect([first?.width, first?.height]).toEqual([600, 500]);
  expect(first?.pixels.equals(await sharp(master).raw().toBuffer())).toBe(true);
});

test('the recipe marble: 4000 pixels, tiles of 512, and a resolution that keeps the object its size', async () => {
  const master = await pictureOf(5000, 4200)
    .withMetadata({ density: 400 })
    .tiff({ compression: 'none', xres: 400 / 25.4, yres: 400 / 25.4 })
    .toBuffer();
  const published = await shipped.run('marble.tif', master, { recipe: 'marble' });
  expect(published).toMatchObject({ width: 4000, height: 3360, levels: 4, tileSize: 512 });
  const bytes = Buffer.from(await shipped.store.read(published));
  expectSameLevels(await decodeLevels(bytes), await onePass(master, 4000, deflate, 512));
  expect(await sharp(bytes).metadata()).toMatchObject({ width: 4000, height: 3360, density: 320, pages: 4 });
});

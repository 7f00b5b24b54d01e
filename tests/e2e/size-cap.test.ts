import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import sharp from 'sharp';
import { cutInto, expectSameLevels, publishedLevels, recipesFolder, TILE } from '../support/exactness.ts';
import { type Pipeline, startPipeline } from '../support/pipeline.ts';
import { decodeLevels, type Level, pictureOf, pyramidOf, type TileOptions } from '../support/pixels.ts';

let recipes: Awaited<ReturnType<typeof recipesFolder>>;
let pipeline: Pipeline;
beforeAll(async () => {
  const more = 'sizeCap: { width: 300, height: 300 }';
  recipes = await recipesFolder({
    capped: { encoding: '{ compression: deflate }', more },
    'capped-jpeg': { encoding: '{ compression: jpeg, quality: 80 }', more },
  });
  pipeline = await startPipeline((store) => store, { recipesDirectory: recipes.folder });
});
afterAll(async () => {
  await pipeline.stop();
  await recipes.remove();
});

/**
 * The expected levels, by one pass of sharp: the master reduced to fit the box, and its pyramid.
 */
function onePass(
  master: Buffer,
  side: number,
  encoding: Omit<TileOptions, 'tileSize'>,
  tileSize = TILE,
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
  const image = pictureOf(750, 550);
  const masters: readonly [string, () => Promise<Buffer>, [number, number]][] = [
    ['strips.tif', () => image.clone().tiff({ compression: 'none' }).toBuffer(), [300, 220]],
    ['tiles.tif', () => image.clone().tiff({ compression: 'deflate', tile: true }).toBuffer(), [300, 220]],
    ['photo.jpg', () => image.clone().jpeg({ quality: 90 }).toBuffer(), [300, 220]],
    ['rotated.jpg', () => image.clone().jpeg().withMetadata({ orientation: 6 }).toBuffer(), [220, 300]],
    ['progressive.jpg', () => image.clone().jpeg({ progressive: true }).toBuffer(), [300, 220]],
    ['interlaced.png', () => image.clone().png({ progressive: true }).toBuffer(), [300, 220]],
    ['clear.png', () => pictureOf(750, 550, 4).png().toBuffer(), [300, 220]],
    ['picture.webp', () => image.clone().webp().toBuffer(), [300, 220]],
  ];
  test.each(masters)('%s equals one pass, lossless and as JPEG', async (key, make, [width, height]) => {
    const master = await make();
    const lossless = await publishedLevels(pipeline, key, master, { recipe: 'capped' });
    expect(lossless.map((level) => [level.width, level.height])).toEqual(
      [1, 2, 4, 8].map((scale) => [Math.floor(width / scale), Math.floor(height / scale)]),
    );
    expectSameLevels(lossless, await onePass(master, 300, deflate));
    const lossy = await publishedLevels(pipeline, `jpeg-${key}`, master, { recipe: 'capped-jpeg' });
    expectSameLevels(lossy, await onePass(master, 300, jpeg));
  });

  test('the result is the same in blocks and in parts', async () => {
    for (const encoded of [image.clone().tiff({ tile: true }), image.clone().jpeg().withMetadata({ orientation: 6 })]) {
      const master = await encoded.toBuffer();
      const isTurned = (await sharp(master).metadata()).orientation === 6;
      const [width, height] = isTurned ? [220, 300] : [300, 220];
      const cut = { ...cutInto(width, height, 1, 256, 128), partPixels: TILE * TILE };
      const levels = await publishedLevels(pipeline, `blocks-${width}`, master, { recipe: 'capped', cut });
      expectSameLevels(levels, await onePass(master, 300, deflate));
    }
  });

  test('a line of a thousand pixels keeps one pixel of height', async () => {
    const master = await pictureOf(2000, 3).png().toBuffer();
    const [first] = await publishedLevels(pipeline, 'line.png', master, { recipe: 'capped' });
    expect([first?.width, first?.height]).toEqual([300, 1]);
    expectSameLevels(first ? [first] : [], (await onePass(master, 300, deflate)).slice(0, 1));
  });
});

test('a master that fits the box keeps its size', async () => {
  const master = await pictureOf(300, 250).png().toBuffer();
  const [first] = await publishedLevels(pipeline, 'small.png', master, { recipe: 'capped' });
  expect([first?.width, first?.height]).toEqual([300, 250]);
  expect(first?.pixels.equals(await sharp(master).raw().toBuffer())).toBe(true);
});

test('the recipe marble: 4000 pixels, tiles of 512, and a resolution that keeps the object its size', async () => {
  const master = await pictureOf(5000, 600)
    .withMetadata({ density: 400 })
    .tiff({ compression: 'none', xres: 400 / 25.4, yres: 400 / 25.4 })
    .toBuffer();
  const published = await pipeline.run('marble.tif', master, { recipe: 'marble' });
  expect(published).toMatchObject({ width: 4000, height: 480, levels: 4, tileSize: 512 });
  const bytes = Buffer.from(await pipeline.store.read(published));
  expectSameLevels(await decodeLevels(bytes), await onePass(master, 4000, deflate, 512));
  expect(await sharp(bytes).metadata()).toMatchObject({ width: 4000, height: 480, density: 320, pages: 4 });
});

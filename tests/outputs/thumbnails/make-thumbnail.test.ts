import { afterAll, beforeAll, expect, test } from '@jest/globals';
import sharp, { type Sharp } from 'sharp';
import { openPublished } from '../../../src/published/open-published.ts';
import { makeThumbnail, type Thumbnail } from '../../../src/outputs/thumbnails/make-thumbnail.ts';
import { parseThumbnailSize } from '../../../src/recipe/thumbnail-sizes.ts';
import { displayP3, rgbProfile } from '../../support/icc.ts';
import { pictureOf } from '../../support/pixels.ts';
import { pngWithProfile } from '../../support/profiled.ts';
import { type PublishedPipeline, type PublishedRecipe, startPublishedPipeline } from '../../support/published.ts';

let pipeline: PublishedPipeline;
beforeAll(async () => {
  pipeline = await startPublishedPipeline(undefined, { colour: 'keep' });
});
afterAll(() => pipeline.stop());

type Colour = readonly [number, number, number];
const [red, green, blue, yellow]: readonly Colour[] = [
  [200, 30, 30],
  [30, 160, 40],
  [20, 40, 180],
  [220, 210, 20],
];

/** Four rectangles of one colour each: red and green above, blue and yellow below. */
async function quarters(width: number, height: number): Promise<Sharp> {
  const part = { width: width / 2, height: height / 2 };
  const places = [
    [red, 0, 0],
    [green, part.width, 0],
    [blue, 0, part.height],
    [yellow, part.width, part.height],
  ] as const;
  const parts = places.map(([[r, g, b] = red as Colour, left, top]) => ({
    input: { create: { ...part, channels: 3 as const, background: { r, g, b } } },
    left,
    top,
  }));
  const composed = sharp({ create: { width, height, channels: 3, background: '#000' } }).composite(parts);
  return sharp(await composed.png().toBuffer());
}

async function thumbnailOf(
  master: Uint8Array,
  size: string,
  { recipe = 'jpeg', watermark, key = 'a.png' }: { recipe?: PublishedRecipe; watermark?: string; key?: string } = {},
): Promise<Thumbnail> {
  const image = await openPublished(pipeline.store, await pipeline.run(key, master, { recipe }));
  pipeline.takeReads();
  const parsed = parseThumbnailSize(size);
  if (!parsed) throw new Error(`${size} is no size`);
  const svg = watermark === undefined ? {} : { watermark: new TextEncoder().encode(watermark) };
  return makeThumbnail(image, parsed, { quality: 90, ...svg });
}

async function decoded({ jpeg, width, height }: Thumbnail): Promise<(x: number, y: number) => number[]> {
  const { format, space, icc, orientation, ...found } = await sharp(jpeg).metadata();
  expect({ format, icc, orientation }).toEqual({ format: 'jpeg', icc: undefined, orientation: undefined });
  expect(['srgb', 'b-w']).toContain(space);
  expect([found.width, found.height]).toEqual([width, height]);
  const { data, info } = await sharp(jpeg).raw().toBuffer({ resolveWithObject: true });
  return (x, y) => [...data.subarray((y * width + x) * info.channels, (y * width + x + 1) * info.channels)];
}

function expectNear(found: readonly number[], expected: readonly number[], tolerance = 6): void {
  const far = found.some((sample, index) => Math.abs(sample - (expected[index] ?? NaN)) > tolerance);
  expect({ found, far: far || found.length !== expected.length }).toEqual({ found, far: false });
}

test('a thumbnail has the stated size and the colours of the image', async () => {
  const thumbnail = await thumbnailOf(await (await quarters(500, 300)).png().toBuffer(), '250,');
  expect([thumbnail.width, thumbnail.height]).toEqual([250, 150]);
  const at = await decoded(thumbnail);
  expectNear(at(60, 40), red as Colour);
  expectNear(at(190, 40), green as Colour);
  expectNear(at(60, 110), blue as Colour);
  expectNear(at(190, 110), yellow as Colour);
});

test('a frame shows the middle of the image, and reads only the tiles of the smallest level that suffices', async () => {
  const thumbnail = await thumbnailOf(await (await quarters(600, 200)).png().toBuffer(), '40x40', { key: 'frame.png' });
  expect([thumbnail.width, thumbnail.height]).toEqual([40, 40]);
  const at = await decoded(thumbnail);
  expectNear(at(8, 8), red as Colour);
  expectNear(at(32, 32), yellow as Colour);
  // The levels are 600, 300, 150 and 75 pixels wide: 150 × 50 has the 50 × 50 that are needed.
  const reads = pipeline.takeReads();
  const image = await openPublished(pipeline.store, { bucket: 'stepwell-published', key: 'frame.tif' });
  const level = image.header.levels[2];
  const offsets = [0, 1, 2].map((tile) => level?.tileOffset(tile));
  expect(reads.length).toBeGreaterThan(0);
  for (const { offset } of reads) expect(offsets).toContain(offset);
});

test('an image with an orientation is upright in its thumbnail', async () => {
  const master = (await quarters(300, 200)).withMetadata({ orientation: 6 });
  const thumbnail = await thumbnailOf(await master.jpeg({ quality: 100 }).toBuffer(), '!100,150', {
    key: 'turned.jpg',
  });
  expect([thumbnail.width, thumbnail.height]).toEqual([100, 150]);
  const at = await decoded(thumbnail);
  expectNear(at(20, 30), blue as Colour);
  expectNear(at(80, 30), red as Colour);
  expectNear(at(20, 120), yellow as Colour);
});

test.each(['rgb', 'deflate'] as const)('a profile is applied to the thumbnail of a %s pyramid', async (recipe) => {
  const png = await (await quarters(200, 200)).png().toBuffer();
  const thumbnail = await thumbnailOf(pngWithProfile(png, rgbProfile(displayP3)), '100,', { recipe, key: 'p3.png' });
  const at = await decoded(thumbnail);
  // The colours of Display P3 as sRGB, from the matrices and curves of both spaces.
  expectNear(at(20, 20), [219, 0, 6], 8);
  expectNear(at(80, 20), [0, 163, 0], 8);
});

test('grey images of 16 bits have grey thumbnails', async () => {
  const master = await pictureOf(200, 120, 1).toColourspace('grey16').png().toBuffer();
  const thumbnail = await thumbnailOf(master, 'auto', { recipe: 'deflate', key: 'grey.png' });
  expect([thumbnail.width, thumbnail.height]).toEqual([200, 120]);
  const { channels } = await sharp(thumbnail.jpeg).metadata();
  expect(channels).toBe(1);
  const [found, expected] = await Promise.all(
    [thumbnail.jpeg, master].map((file) => sharp(file).toColourspace('b-w').resize(20, 12).raw().toBuffer()),
  );
  expectNear([...(found ?? [])], [...(expected ?? [])], 10);
});

const mark =
  '<svg xmlns="http://www.w3.org/2000/svg" width="10" height="10"><rect width="10" height="10" fill="#f0f"/></svg>';

test('the watermark takes 18 % of the shorter side at the south-east, and small thumbnails have none', async () => {
  const master = await (await quarters(400, 200)).png().toBuffer();
  const large = await decoded(await thumbnailOf(master, '400,', { watermark: mark, key: 'marked.png' }));
  // 36 pixels wide, 4 from the edges.
  for (const [x, y] of [
    [365, 165],
    [391, 191],
  ] as const) {
    expectNear(large(x, y), [255, 0, 255], 12);
  }
  expectNear(large(350, 150), yellow as Colour, 12);
  expectNear(large(398, 198), yellow as Colour, 40);
  const small = await decoded(await thumbnailOf(master, '100,', { watermark: mark, key: 'marked.png' }));
  expectNear(small(93, 43), yellow as Colour);
});

test('the loader of SVG stays blocked where masters are decoded', async () => {
  await thumbnailOf(await pictureOf(120, 120).png().toBuffer(), 'auto', { watermark: mark, key: 'blocked.png' });
  await expect(sharp(Buffer.from(mark)).metadata()).rejects.toThrow(/unsupported image format/u);
});

/** Masters that deviate from their formats are published with the right pixels and a warning. */
import { deflateSync } from 'node:zlib';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import sharp from 'sharp';
import type { Cut } from '../../src/pyramid/plan.ts';
import { Sidecar } from '../../src/work/sidecar.ts';
import { cutInto } from '../support/exactness.ts';
import { withStrayBytes } from '../support/odd-jpegs.ts';
import { oldStyleLzw, packBits, strips, withHoles } from '../support/odd-tiffs.ts';
import { type Pipeline, startPipeline } from '../support/pipeline.ts';
import { decodeLevels, picture, pictureOf } from '../support/pixels.ts';

const width = 700;
const height = 1100;
const rows = 60;
const grey = picture(width, height, 1);
const stripRows = Array.from({ length: Math.ceil(height / rows) }, (_, strip) =>
  grey.subarray(strip * rows * width, Math.min(height, (strip + 1) * rows) * width),
);

let pipeline: Pipeline;
beforeAll(async () => {
  pipeline = await startPipeline();
});
afterAll(() => pipeline.stop());

/** Level 0, and the warnings of the sidecar. */
async function published(key: string, master: Uint8Array, cut?: Cut): Promise<{ pixels: Buffer; warnings: string[] }> {
  const { bucket, key: name } = await pipeline.run(key, master, { recipe: 'archival', ...(cut ? { cut } : {}) });
  const [full] = await decodeLevels(Buffer.from(await pipeline.store.read({ bucket, key: name })));
  const bytes = await pipeline.store.read({ bucket, key: `${name}.json` });
  const { metadata } = Sidecar.parse(JSON.parse(Buffer.from(bytes).toString()));
  return { pixels: full?.pixels ?? Buffer.alloc(0), warnings: metadata.warnings };
}

/** One block, blocks, and blocks that are rendered part by part. */
const cuts: readonly (Cut | undefined)[] = [
  undefined,
  { ...cutInto(width, height, 0, 512, 512), access: 'slices', partPixels: 4_000_000 },
  { ...cutInto(width, height, 0, 1024, 512), access: 'slices', partPixels: 300_000 },
];

test('TIFFs with deviating chunks are published alike in every cut, with the same warnings', async () => {
  const image = { width, height, rows };
  const masters: readonly (readonly [string, Uint8Array, string])[] = [
    [
      'old LZW',
      strips({ ...image, compression: 5, chunks: stripRows.map((each) => oldStyleLzw(each)) }),
      'old writers',
    ],
    [
      'PackBits',
      strips({ ...image, compression: 32_773, chunks: stripRows.map((each, at) => packBits(each, at === 9 ? 5 : 0)) }),
      'goes on beyond its rows',
    ],
  ];
  for (const [name, master, warning] of masters) {
    for (const [index, cut] of cuts.entries()) {
      const { pixels, warnings } = await published(`${name} ${index}.tif`, master, cut);
      expect({ name, index, same: pixels.equals(grey) }).toEqual({ name, index, same: true });
      expect(warnings).toEqual([expect.stringContaining(warning)]);
    }
  }
});

test('a sparse TIFF is published alike in every cut', async () => {
  const whole = await pictureOf(width, height)
    .tiff({ compression: 'jpeg', tile: true, tileWidth: 256, tileHeight: 256 })
    .toBuffer();
  const expected = await sharp(whole).raw().toBuffer();
  for (let y = 256; y < 512; y++) expected.fill(0, (y * width + 256) * 3, (y * width + 512) * 3);
  for (const [index, cut] of cuts.entries()) {
    const { pixels, warnings } = await published(`sparse ${index}.tif`, withHoles(whole, [4]), cut);
    expect(pixels.equals(expected)).toBe(true);
    expect(warnings).toEqual(['1 of 15 tiles are not stored; their samples are 0']);
  }
});

test('a JPEG with bytes between its segments has the pixels of the same without them', async () => {
  const clean = await pictureOf(640, 480).jpeg().toBuffer();
  const { pixels, warnings } = await published('stray.jpg', withStrayBytes(clean, [1, 2, 40]));
  expect(pixels.equals(await sharp(clean).raw().toBuffer())).toBe(true);
  expect(warnings).toEqual(['the JPEG has bytes between its segments that belong to none; they are ignored']);
});

test('the rejection of damaged pixels names the damage and not the decoder', async () => {
  const png = await pictureOf(640, 480).png().toBuffer();
  const webp = await pictureOf(640, 480).webp().toBuffer();
  const jpeg = await pictureOf(640, 480).jpeg().toBuffer();
  const deflated = strips({
    ...{ width, height, rows, compression: 8 },
    chunks: stripRows.map((each, at) => Uint8Array.from(deflateSync(each)).fill(0xff, 20, at === 3 ? 60 : 20)),
  });
  for (const [name, bytes] of Object.entries({ png, webp, jpeg, deflated })) {
    const damaged = Uint8Array.from(bytes);
    const middle = Math.floor(damaged.length / 2);
    // A marker within the coded pixels of the JPEG.
    if (bytes === jpeg) damaged.set([0xff, 0xd3], middle);
    else if (bytes !== deflated) damaged.fill(0x55, middle, middle + 64);
    const message = await published(`damaged ${name}`, damaged).then(
      () => 'published',
      (error: unknown) => (error as Error).message,
    );
    expect(`${name}: ${message}`).toMatch(/: CORRUPT_PIXELS: /u);
    expect(message).not.toMatch(/failOn|vips|load|setting/iu);
  }
});

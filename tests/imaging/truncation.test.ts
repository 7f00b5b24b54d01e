import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { crc32 } from 'node:zlib';
import sharp from 'sharp';
import { handTiff, greyFields, long, short, withFields } from '../support/tiff-bytes.ts';
import { type Master, mastersOf } from '../support/masters.ts';
import { type Pipeline, startPipeline } from '../support/pipeline.ts';
import { decodeLevels, pictureOf, singlePass } from '../support/pixels.ts';
import { processorMilliseconds } from '../support/processor-time.ts';

let pipeline: Pipeline;
let masters: Master[];
beforeAll(async () => {
  [pipeline, masters] = await Promise.all([startPipeline(), mastersOf(320, 240)]);
});
afterAll(() => pipeline.stop());

const publicObjects = async (): Promise<string[]> => {
  const keys: string[] = [];
  for await (const { key } of pipeline.store.list('stepwell-published', '')) keys.push(key);
  return keys;
};

/** The published pixels of level 0, or the name and the message of the error. */
async function outcomeOf(key: string, master: Uint8Array): Promise<Buffer | string> {
  try {
    const published = await pipeline.run(key, master, { recipe: 'archival' });
    const [full] = await decodeLevels(Buffer.from(await pipeline.store.read(published)));
    return full?.pixels ?? 'published without pixels';
  } catch (error) {
    return `${(error as Error).name} ${(error as Error).message}`;
  }
}

async function pixelsOf(master: Uint8Array): Promise<Buffer> {
  const { depth } = await sharp(master).metadata();
  const { channels } = await sharp(master).stats();
  const is16 = depth === 'ushort';
  const colourspace = is16 ? 'rgb16' : channels.length === 1 ? 'b-w' : 'srgb';
  return sharp(master, { ignoreIcc: true })
    .toColourspace(colourspace)
    .raw({ depth: is16 ? 'ushort' : 'uchar' })
    .toBuffer();
}

const cuts: readonly { name: string; of: (length: number) => number }[] = [
  { name: '1 %', of: (length) => Math.floor(length * 0.01) },
  { name: '25 %', of: (length) => Math.floor(length * 0.25) },
  { name: '50 %', of: (length) => Math.floor(length * 0.5) },
  { name: '99 %', of: (length) => Math.floor(length * 0.99) },
  { name: 'one byte short', of: (length) => length - 1 },
];

/**
 * Expected rejection codes. A truncated TIFF loses the directory at its end, which makes the header
 * corrupt.
 */
const codes = (name: string): RegExp =>
  name.includes('TIFF')
    ? /^RejectedImageError (TRUNCATED|CORRUPT_HEADER|CORRUPT_PIXELS): /u
    : /^RejectedImageError (TRUNCATED|CORRUPT_PIXELS): /u;

describe('a truncated master', () => {
  test('is published only with all of its pixels, and otherwise rejected with the reason', async () => {
    let rejected = 0;
    for (const { name, bytes } of masters) {
      const whole = await pixelsOf(bytes);
      expect({ name, same: whole.equals(Buffer.from(await outcomeOf(`whole/${name}`, bytes))) }).toEqual({
        name,
        same: true,
      });
      for (const cut of cuts) {
        const outcome = await outcomeOf(`cut/${name} ${cut.name}`, bytes.subarray(0, cut.of(bytes.length)));
        if (typeof outcome === 'string') {
          expect(`${name}, ${cut.name}: ${outcome}`).toMatch(/: RejectedImageError [A-Z_]+: .+/u);
          expect(outcome).toMatch(codes(name));
          rejected += 1;
        } else {
          expect({ name, cut: cut.name, same: outcome.equals(whole) }).toEqual({ name, cut: cut.name, same: true });
        }
      }
    }
    // Only bytes after the pixels may be missing from a published master; all cuts except the last
    // remove pixels.
    expect(rejected).toBeGreaterThanOrEqual(masters.length * 4);
    expect((await publicObjects()).filter((key) => /^cut\/.* (1|25|50) %/u.test(key))).toEqual([]);
  });

  test('with its directory before its pixels is TRUNCATED wherever its pixels end', async () => {
    const { bucket, key } = await pipeline.run('directory first.png', await pictureOf(640, 480).png().toBuffer());
    const bytes = await pipeline.store.read({ bucket, key });
    for (const { name, of } of cuts.slice(1)) {
      expect(await outcomeOf(`directory first ${name}.tif`, bytes.subarray(0, of(bytes.length)))).toMatch(
        /^RejectedImageError TRUNCATED: tile \d+ ends at byte \d+, the file has \d+$/u,
      );
    }
  });
});

describe('a header that claims a million by a million pixels', () => {
  const claims = withFields(greyFields(4, 4, 8), long(256, 1_000_000), long(257, 1_000_000), long(278, 1_000_000));
  const ihdr = Buffer.from(`49484452000f4240000f42400802000000`, 'hex');
  const crc = Buffer.alloc(4);
  crc.writeUInt32BE(crc32(ihdr));
  const png = Buffer.concat([
    Buffer.from('89504e470d0a1a0a0000000d', 'hex'),
    ihdr,
    crc,
    Buffer.from('0000000849444154789c030000000001', 'hex'),
  ]);

  test.each<[string, Uint8Array]>([
    ['TIFF', handTiff({ data: new Uint8Array(64), directories: [claims] })],
    ['BigTIFF', handTiff({ bigTiff: true, data: new Uint8Array(64), directories: [claims] })],
    [
      'TIFF of huge tiles',
      handTiff({
        data: new Uint8Array(64),
        directories: [withFields(claims, long(322, 1_000_000), long(323, 1_000_000), long(324, 8), short(325, 16))],
      }),
    ],
    ['PNG', png],
  ])('is rejected within a second in a %s', async (name, bytes) => {
    const milliseconds = await processorMilliseconds(async () => {
      expect(await outcomeOf(`claims of ${name}/master`, bytes)).toMatch(
        /^RejectedImageError (TOO_MANY_PIXELS|CORRUPT_HEADER|OVER_BUDGET): /u,
      );
    });
    expect(milliseconds).toBeLessThan(1000);
  });
});

describe('the name of a master', () => {
  test.each(['picture.pdf', 'picture.tif', 'picture', 'picture.svg', '.jpg'])(
    'does not affect the pixels of a PNG named %s',
    async (name) => {
      const master = await pictureOf(150, 100).png().toBuffer();
      expect((await pixelsOf(master)).equals(Buffer.from(await outcomeOf(`called/${name}/${name}`, master)))).toBe(
        true,
      );
    },
  );

  test('does not make an SVG named .jpg reach a decoder', async () => {
    const svg =
      '<svg xmlns="http://www.w3.org/2000/svg" width="90" height="90"><image href="file:///etc/hosts"/></svg>';
    for (const text of [svg, `<?xml version="1.0"?>${svg}`, `\n${svg}`]) {
      expect(await outcomeOf('drawing.jpg', Buffer.from(text))).toMatch(/^RejectedImageError UNSUPPORTED_FORMAT: /u);
    }
    expect(await publicObjects()).not.toContain('drawing.tif');
  });
});

describe('a pyramid as a master', () => {
  test('from this pipeline, in any compression, is published with levels of the same sizes', async () => {
    for (const recipe of ['archival', 'default', 'iiif']) {
      const master = await pictureOf(801, 577).png().toBuffer();
      const first = await pipeline.run(`again/${recipe}.png`, master, { recipe });
      const pyramid = Buffer.from(await pipeline.store.read(first));
      const second = await pipeline.run(`again/${recipe} again.tif`, pyramid, { recipe });
      const sizes = (levels: Awaited<ReturnType<typeof decodeLevels>>) =>
        levels.map(({ width, height }) => [width, height]);
      const again = await decodeLevels(Buffer.from(await pipeline.store.read(second)));
      expect(sizes(again)).toEqual(sizes(await decodeLevels(pyramid)));
      expect(second).toMatchObject({ width: 801, height: 577, levels: again.length });
    }
  });

  test('is published with the same pixels if it is lossless', async () => {
    const master = await pictureOf(700, 530).toColourspace('rgb16').png().toBuffer();
    const first = await pipeline.run('lossless.png', master, { recipe: 'archival' });
    const pyramid = Buffer.from(await pipeline.store.read(first));
    const second = await pipeline.run('lossless again.tif', pyramid, { recipe: 'archival' });
    const expected = await singlePass(master, { tileSize: 512, compression: 'deflate', colourspace: 'rgb16' });
    const actual = await decodeLevels(Buffer.from(await pipeline.store.read(second)));
    expect(actual.map(({ pixels }, level) => pixels.equals(expected[level]?.pixels ?? Buffer.alloc(0)))).toEqual([
      true,
      true,
    ]);
  });
});

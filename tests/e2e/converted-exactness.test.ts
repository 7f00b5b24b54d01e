import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import sharp, { type Sharp } from 'sharp';
import { srgbOfXyz, type Triple, xyzOfLab } from '../support/colorimetry.ts';
import { cutInto, expectSameLevels, recipesFolder, TILE } from '../support/exactness.ts';
import { adobeRgb, cmykProfile, greyProfile, proPhoto, rgbProfile } from '../support/icc.ts';
import { type Pipeline, startPipeline } from '../support/pipeline.ts';
import { decodeLevels, type Level, picture, pyramidOf, type TileOptions } from '../support/pixels.ts';
import { jpegWithProfile, photometric, type SampledTiff, sampledTiff, words } from '../support/profiled.ts';
import { short } from '../support/tiff-bytes.ts';

let recipes: Awaited<ReturnType<typeof recipesFolder>>;
let pipeline: Pipeline;
beforeAll(async () => {
  const lossless = { encoding: '{ compression: deflate }' };
  recipes = await recipesFolder({
    srgb: { ...lossless, depth: 'keep' },
    'srgb-8': lossless,
    keep: { ...lossless, colour: 'keep', depth: 'keep' },
    viewers: { encoding: '{ compression: jpeg, quality: 80 }' },
  });
  pipeline = await startPipeline((store) => store, { recipesDirectory: recipes.folder });
});
afterAll(async () => {
  await pipeline.stop();
  await recipes.remove();
});

const [width, height] = [130, 90];
const tiff = (
  samples: Pick<SampledTiff, 'photometric' | 'samplesPerPixel' | 'bits' | 'data'> & Partial<SampledTiff>,
): Buffer => sampledTiff({ width, height, rowsPerStrip: 16, ...samples });

/**
 * The published levels, the same for the planner's cut and for six blocks in parts of one tile.
 */
async function published(key: string, master: Buffer, recipe: string): Promise<Level[]> {
  const cut = { ...cutInto(width, height, 0, TILE, TILE), partPixels: TILE * TILE };
  const levels: Level[][] = [];
  for (const options of [{ recipe, cut }, { recipe }]) {
    const { bucket, key: at } = await pipeline.run(key, master, options);
    levels.push(await decodeLevels(Buffer.from(await pipeline.store.read({ bucket, key: at }))));
  }
  const [inBlocks = [], planned = []] = levels;
  expectSameLevels(planned, inBlocks);
  return inBlocks;
}

/** The expected levels of converted pixels. */
function levelsOf(pixels: Sharp, colourspace: string, encoding: Omit<TileOptions, 'tileSize'>): Promise<Level[]> {
  return pyramidOf(pixels.toColourspace(colourspace), { tileSize: TILE, ...encoding });
}

const deflate = { compression: 'deflate' } as const;
const jpeg = { compression: 'jpeg', quality: 80 } as const;
const rgb8 = picture(width, height, 3);
const deep = words(Array.from(rgb8, (value, at) => value * 257 - (at % 200)).map((value) => Math.max(0, value)));

describe('converted masters, sliced, equal one pass over the whole image', () => {
  test('8-bit RGB with a profile equals one pass, lossless and as JPEG', async () => {
    const master = tiff({
      photometric: photometric.rgb,
      samplesPerPixel: 3,
      bits: 8,
      data: rgb8,
      profile: rgbProfile(adobeRgb),
    });
    const whole = (): Sharp => sharp(master, { ignoreIcc: true }).withIccProfile('srgb');
    expectSameLevels(await published('adobe.tif', master, 'srgb'), await levelsOf(whole(), 'srgb', deflate));
    expectSameLevels(await published('adobe-jpeg.tif', master, 'viewers'), await levelsOf(whole(), 'srgb', jpeg));
    const kept = await published('adobe-kept.tif', master, 'keep');
    expect(kept[0]?.pixels.equals(rgb8)).toBe(true);
  });

  test('16-bit RGB with a profile equals one pass, in 16 and in 8 bits', async () => {
    const master = tiff({
      photometric: photometric.rgb,
      samplesPerPixel: 3,
      bits: 16,
      data: deep,
      profile: rgbProfile(proPhoto),
    });
    const whole = sharp(master, { ignoreIcc: true }).toColourspace('rgb16').withIccProfile('srgb');
    expectSameLevels(await published('pro.tif', master, 'srgb'), await levelsOf(whole.clone(), 'rgb16', deflate));
    const converted = await whole.clone().png().toBuffer();
    const shallow = (): Sharp => sharp(converted, { ignoreIcc: true });
    expectSameLevels(await published('pro-8.tif', master, 'srgb-8'), await levelsOf(shallow(), 'srgb', deflate));
    expectSameLevels(await published('pro-jpeg.tif', master, 'viewers'), await levelsOf(shallow(), 'srgb', jpeg));
  });

  test('a JPEG with a profile, decoded from its first row for each block, equals one pass', async () => {
    const plain = await sharp(rgb8, { raw: { width, height, channels: 3 } })
      .jpeg({ quality: 95 })
      .toBuffer();
    const master = jpegWithProfile(plain, rgbProfile(adobeRgb));
    const whole = sharp(master, { ignoreIcc: true }).withIccProfile('srgb');
    expectSameLevels(await published('whole.jpg', master, 'srgb'), await levelsOf(whole, 'srgb', deflate));
  });

  test('grey with a profile is published in one band, within one of one pass', async () => {
    const grey = picture(width, height, 1);
    const master = tiff({
      photometric: photometric.blackIsZero,
      samplesPerPixel: 1,
      bits: 8,
      data: grey,
      profile: greyProfile(1.8),
    });
    const levels = await published('grey.tif', master, 'srgb');
    expect(levels.map(({ channels }) => channels)).toEqual([1, 1, 1]);
    // sharp cannot convert to a grey profile; the conversion through sRGB may round differently.
    const whole = await sharp(master, { ignoreIcc: true }).toColourspace('b-w').withIccProfile('srgb').raw().toBuffer();
    const worst = Math.max(
      ...[0, 99, 5000, 11_000, width * height - 1].map((at) =>
        Math.abs((levels[0]?.pixels[at] ?? 0) - (whole[at * 3] ?? 0)),
      ),
    );
    expect(worst).toBeLessThanOrEqual(1);
  });

  test('CMYK equals one pass, with a profile and without', async () => {
    const data = picture(width, height, 4);
    const cmyk = { photometric: photometric.cmyk, samplesPerPixel: 4, bits: 8, data };
    const solid = (index: number): Triple => [100 - index * 6, index % 3 === 0 ? 20 : -20, index % 2 === 0 ? 30 : -30];
    for (const [key, profile] of [
      ['profile', cmykProfile(solid)],
      ['none', undefined],
    ] as const) {
      const master = tiff({ ...cmyk, ...(profile ? { profile } : {}) });
      for (const recipe of ['srgb', 'keep']) {
        const expected = await levelsOf(sharp(master), 'srgb', deflate);
        expectSameLevels(await published(`cmyk-${key}-${recipe}.tif`, master, recipe), expected);
      }
      expectSameLevels(
        await published(`cmyk-${key}.tif`, master, 'viewers'),
        await levelsOf(sharp(master), 'srgb', jpeg),
      );
    }
  });

  test('L*a*b* differs from floating-point arithmetic by rounding only', async () => {
    const data = picture(width, height, 3);
    const master = tiff({ photometric: photometric.lab, samplesPerPixel: 3, bits: 8, data });
    const levels = await published('lab.tif', master, 'keep');
    const [full] = levels;
    for (const at of [0, 1234, 7_654, 9_876, width * height - 1]) {
      const [l = 0, a = 0, b = 0] = data.subarray(at * 3, at * 3 + 3);
      const signed = (value: number): number => (value > 127 ? value - 256 : value);
      srgbOfXyz(xyzOfLab([l / 2.55, signed(a), signed(b)])).forEach((value, band) => {
        expect(Math.abs((full?.pixels[at * 3 + band] ?? 0) - value * 255)).toBeLessThan(0.6);
      });
    }
    if (!full) throw new Error('Expected a level');
    const raw = { width, height, channels: 3 } as const;
    expectSameLevels(levels, await levelsOf(sharp(full.pixels, { raw }), 'srgb', deflate));
  });

  test('palettes and bilevel images equal one pass', async () => {
    const indices = picture(width, height, 1);
    const map = short(
      320,
      ...[3, 5, 7].flatMap((step) => Array.from({ length: 256 }, (_, at) => ((at * step) & 255) * 257)),
    );
    const palette = tiff({ photometric: photometric.palette, samplesPerPixel: 1, bits: 8, data: indices, more: [map] });
    expectSameLevels(await published('palette.tif', palette, 'srgb'), await levelsOf(sharp(palette), 'srgb', deflate));
    const bits = picture(Math.ceil(width / 8), height, 1);
    const bilevel = tiff({ photometric: photometric.whiteIsZero, samplesPerPixel: 1, bits: 1, data: bits });
    expectSameLevels(await published('bits.tif', bilevel, 'viewers'), await levelsOf(sharp(bilevel), 'b-w', jpeg));
    const fax = await sharp(bilevel).toColourspace('b-w').tiff({ bitdepth: 1, compression: 'ccittfax4' }).toBuffer();
    expectSameLevels(await published('fax.tif', fax, 'keep'), await levelsOf(sharp(fax), 'b-w', deflate));
  });
});

/** Samples beside the colours of a TIFF: alpha, and samples whose meaning the file does not state. */
import { describe, expect, test } from '@jest/globals';
import type { Recipe } from '../../src/recipe/recipe.ts';
import { decodeMaster, identifyBytes } from '../support/decode-master.ts';
import { short } from '../support/tiff-bytes.ts';
import { adobeRgb, rgbProfile } from '../support/icc.ts';
import { picture } from '../support/pixels.ts';
import { photometric, sampledTiff, words } from '../support/profiled.ts';

const [width, height] = [70, 45];
type Model = keyof typeof photometric;
const colours: Partial<Record<Model, number>> = { blackIsZero: 1, rgb: 3, cmyk: 4, lab: 3 };

interface Kind {
  readonly model?: Model;
  readonly bits?: 8 | 16;
  /** ExtraSamples, one value a sample beside the colours; null: the field is absent. */
  readonly extra: readonly (number | null)[];
  readonly profile?: Uint8Array;
  readonly orientation?: number;
}

/** Colours are the same for the same model and depth; sample `extra[n]` is a picture of its own. */
function tiffOf({ model = 'rgb', bits = 8, extra, profile, orientation = 1 }: Kind, pictures = [5, 6, 7]): Buffer {
  const bands = colours[model] ?? 0;
  const base = picture(width, height, bands, 1);
  const others = extra.map((_, index) => picture(width, height, 1, pictures[index]));
  const samples: number[] = [];
  for (let pixel = 0; pixel < width * height; pixel++) {
    samples.push(...base.subarray(pixel * bands, (pixel + 1) * bands), ...others.map((other) => other[pixel] ?? 0));
  }
  const declared = extra.filter((value) => value !== null);
  return sampledTiff({
    width,
    height,
    photometric: photometric[model],
    samplesPerPixel: bands + extra.length,
    bits,
    data: bits === 8 ? Uint8Array.from(samples) : words(samples.map((value) => value * 257)),
    rowsPerStrip: 16,
    ...(profile ? { profile } : {}),
    more: [...(declared.length > 0 ? [short(338, ...declared)] : []), short(274, orientation)],
  });
}

async function expectSamePixels(actual: Buffer, expected: Buffer, wanted: Partial<Recipe> = {}): Promise<void> {
  const [ours, theirs] = [await decodeMaster(actual, wanted), await decodeMaster(expected, wanted)];
  expect(ours.bands).toBe(theirs.bands);
  expect(ours.bitDepth).toBe(theirs.bitDepth);
  expect(ours.samples).toEqual(theirs.samples);
}

const profile = rgbProfile(adobeRgb);
const small = { sizeCap: { width: 31, height: 31 } };

describe('samples of unspecified meaning are left out and the colours are unchanged', () => {
  test.each<[string, Kind, Partial<Recipe>]>([
    ['a fourth sample of RGB', { extra: [0] }, {}],
    ['a fourth sample that no field describes', { extra: [null] }, {}],
    ['three samples beside RGB of 16 bits', { bits: 16, extra: [0, 0, 0] }, {}],
    ['a fourth sample of RGB of 16 bits published in 8', { bits: 16, extra: [0] }, { depth: 8 }],
    ['a second sample of grey', { model: 'blackIsZero', extra: [0] }, {}],
    ['two samples beside grey of 16 bits', { model: 'blackIsZero', bits: 16, extra: [0, 0] }, {}],
    [
      'a second sample of grey published in RGB',
      { model: 'blackIsZero', extra: [0] },
      { encoding: { compression: 'webp', quality: 80 } },
    ],
    ['a spot ink beside CMYK', { model: 'cmyk', extra: [0] }, {}],
    ['a spot ink beside CMYK of 16 bits', { model: 'cmyk', bits: 16, extra: [0] }, {}],
    ['a fourth sample of L*a*b*', { model: 'lab', extra: [0] }, {}],
    ['a fourth sample of RGB with a profile', { extra: [0], profile }, {}],
    [
      'a fourth sample of RGB of 16 bits with a profile, published in 8',
      { bits: 16, extra: [0], profile },
      { depth: 8 },
    ],
    ['a fourth sample of a turned image', { extra: [0], orientation: 6 }, {}],
    ['a fourth sample of an image that is reduced', { extra: [0] }, small],
    ['a fourth sample of a turned image that is reduced', { extra: [0], orientation: 7 }, small],
    ['a fourth sample of an image with a profile that is reduced', { extra: [0], profile }, small],
    ['a second sample of grey that is reduced', { model: 'blackIsZero', extra: [0] }, small],
    ['a spot ink beside CMYK that is reduced', { model: 'cmyk', extra: [0] }, small],
    ['a fourth sample of L*a*b* that is reduced', { model: 'lab', extra: [0] }, small],
  ])('such as %s', async (_, kind, wanted) => {
    await expectSamePixels(tiffOf(kind), tiffOf({ ...kind, extra: [] }), wanted);
  });

  test('and the sidecar lists how many', async () => {
    const one = 'a sample of each pixel beside its colours is left out: the file does not state its meaning';
    expect((await identifyBytes(tiffOf({ extra: [0] }))).warnings).toEqual([one]);
    const two = '2 samples of each pixel beside its colours are left out: the file does not state their meaning';
    expect((await identifyBytes(tiffOf({ extra: [0, 0] }))).warnings).toEqual([two]);
    expect((await identifyBytes(tiffOf({ extra: [2] }))).warnings).toEqual([]);
  });
});

describe('declared alpha is applied, whatever other samples there are', () => {
  test.each<[string, Kind, Kind, number[], Partial<Recipe>]>([
    ['before one of unspecified meaning', { extra: [2, 0] }, { extra: [2] }, [5], {}],
    ['after one of unspecified meaning', { extra: [0, 2] }, { extra: [2] }, [6], {}],
    ['associated, before one of unspecified meaning', { extra: [1, 0] }, { extra: [1] }, [5], {}],
    [
      'among samples of grey',
      { model: 'blackIsZero', extra: [0, 2, 0] },
      { model: 'blackIsZero', extra: [2] },
      [6],
      {},
    ],
    ['among samples of 16 bits', { bits: 16, extra: [2, 0] }, { bits: 16, extra: [2] }, [5], {}],
    ['in an image with a profile', { extra: [0, 2], profile }, { extra: [2], profile }, [6], {}],
    ['in an image that is reduced', { extra: [2, 0] }, { extra: [2] }, [5], small],
  ])('%s', async (_, kind, alone, pictures, wanted) => {
    await expectSamePixels(tiffOf(kind), tiffOf(alone, pictures), wanted);
  });

  test('beside CMYK, on the background', async () => {
    const opaque = { ...(await decodeMaster(tiffOf({ model: 'cmyk', extra: [] }))) };
    const seen = await decodeMaster(tiffOf({ model: 'cmyk', extra: [2] }));
    const alpha = picture(width, height, 1, 5);
    const expected = opaque.samples.map((sample, at) => {
      const share = (alpha[Math.floor(at / 3)] ?? 0) / 255;
      return sample * share + 255 * (1 - share);
    });
    const worst = seen.samples.reduce((most, sample, at) => Math.max(most, Math.abs(sample - (expected[at] ?? 0))), 0);
    expect(worst).toBeLessThanOrEqual(1);
  });
});

describe('the recipe field unspecifiedSamples', () => {
  test('takes the first sample for alpha where it is alpha', async () => {
    await expectSamePixels(tiffOf({ extra: [0] }), tiffOf({ extra: [2] }), { unspecifiedSamples: 'alpha' });
    await expectSamePixels(tiffOf({ extra: [0, 0] }), tiffOf({ extra: [2] }), { unspecifiedSamples: 'alpha' });
  });

  test('leaves out the first sample where another one is declared as alpha', async () => {
    await expectSamePixels(tiffOf({ extra: [0, 2] }), tiffOf({ extra: [2] }, [6]), { unspecifiedSamples: 'alpha' });
  });

  test('rejects such an image where it is reject, but none with alpha alone', async () => {
    const reject = { unspecifiedSamples: 'reject' } as const;
    await expect(identifyBytes(tiffOf({ extra: [2, 0] }), reject)).rejects.toMatchObject({
      code: 'UNSUPPORTED_PIXELS',
      message: expect.stringContaining('1 of 5 samples a pixel'),
    });
    expect((await identifyBytes(tiffOf({ extra: [2] }), reject)).image.alpha).toBe(true);
  });
});

describe('samples beside the colours are refused', () => {
  test.each<[string, Kind, string]>([
    ['where L*a*b* has alpha', { model: 'lab', extra: [2] }, 'alpha beside lab samples'],
    ['where CMYK of 16 bits has alpha', { model: 'cmyk', bits: 16, extra: [2] }, 'alpha beside CMYK of 16 bits'],
    ['where there are more than 60', { extra: Array.from({ length: 61 }, () => 0) }, '64 samples a pixel'],
  ])('%s', async (_, kind, reason) => {
    await expect(identifyBytes(tiffOf(kind))).rejects.toMatchObject({
      code: 'UNSUPPORTED_PIXELS',
      message: expect.stringContaining(reason),
    });
  });
});

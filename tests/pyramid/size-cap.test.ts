import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import sharp from 'sharp';
import { isReduced, publishedSize, scaledResolution } from '../../src/pyramid/size-cap.ts';

const marble = { sizeCap: { width: 4000, height: 4000, copyrighted: { width: 843, height: 560 } } };
const upright = (width: number, height: number) => ({ width, height, orientation: 1 });

describe('an image is reduced to fit in the box with its proportions kept:', () => {
  test.each([
    ['a landscape', upright(6000, 4500), false, 4000, 3000],
    ['a portrait', upright(4500, 6000), false, 3000, 4000],
    ['a square', upright(4001, 4001), false, 4000, 4000],
    ['an image that is only too wide', upright(8000, 1000), false, 4000, 500],
    ['an image as large as the box', upright(4000, 4000), false, 4000, 4000],
    ['a smaller image', upright(3999, 10), false, 3999, 10],
    ['an image rotated by 90°', { width: 6000, height: 4500, orientation: 6 }, false, 3000, 4000],
    ['an image rotated by 180°', { width: 6000, height: 4500, orientation: 3 }, false, 4000, 3000],
    ['a horizontal line', upright(100_000, 3), false, 4000, 1],
    ['a vertical line', upright(3, 100_000), false, 1, 4000],
    ['an image whose height is rounded up from half a pixel', upright(8000, 1001), false, 4000, 501],
    ['a copyrighted landscape', upright(6000, 4500), true, 747, 560],
    ['a copyrighted panorama', upright(6000, 1500), true, 843, 211],
    ['a copyrighted portrait, in the same box', upright(4500, 6000), true, 420, 560],
    ['a copyrighted image rotated by 90°', { width: 6000, height: 4500, orientation: 8 }, true, 420, 560],
    ['a smaller copyrighted image', upright(843, 560), true, 843, 560],
  ])('%s', (_, image, copyrighted, width, height) => {
    expect(publishedSize(image, marble, copyrighted)).toEqual({ width, height });
  });

  test('no image is reduced by a recipe without a box', () => {
    expect(publishedSize(upright(90_000, 80_000), {}, true)).toEqual({ width: 90_000, height: 80_000 });
  });

  test('copyrighted works use the general box of a recipe without a box for them', () => {
    const recipe = { sizeCap: { width: 100, height: 100 } };
    expect(publishedSize(upright(200, 100), recipe, true)).toEqual({ width: 100, height: 50 });
  });

  test('the size is rounded as libvips rounds it', async () => {
    const side = fc.integer({ min: 1, max: 400 });
    await fc.assert(
      fc.asyncProperty(side, side, side, side, async (width, height, across, down) => {
        const create = { width, height, channels: 3, background: '#000000' } as const;
        const { info } = await sharp({ create })
          .resize({ width: across, height: down, fit: 'inside', withoutEnlargement: true })
          .raw()
          .toBuffer({ resolveWithObject: true });
        const box = { sizeCap: { width: across, height: down } };
        expect(publishedSize(upright(width, height), box)).toEqual({ width: info.width, height: info.height });
      }),
      { numRuns: 300, seed: 3 },
    );
  });
});

test('isReduced compares the published size with the size of the upright image', () => {
  expect(isReduced(upright(300, 200), { width: 200, height: 300 })).toBe(false);
  expect(isReduced(upright(300, 200), { width: 300, height: 199 })).toBe(true);
});

describe('a resolution is scaled with the size', () => {
  test.each([
    ['to a half', [300, 1], 6000, 3000, [150, 1]],
    ['to a ratio that is not an integer', [300, 1], 6000, 4001, [4001, 20]],
    ['from a ratio with a denominator of 10,000', [2_834_646, 10_000], 5000, 4000, [1_417_323, 6250]],
    ['unless its denominator is zero', [300, 0], 6000, 3000, [300, 0]],
    ['unless it is zero', [0, 1], 6000, 3000, [0, 1]],
  ] as const)('%s', (_, resolution, from, to, expected) => {
    expect(scaledResolution(resolution, from, to)).toEqual(expected);
  });

  test('to the nearest ratio that fits in a TIFF RATIONAL', () => {
    const [pixels, units] = scaledResolution([4_294_967_291, 4_294_967_279], 99_991, 3989);
    expect(Math.max(pixels, units)).toBeLessThanOrEqual(4_294_967_295);
    expect(Number.isInteger(pixels) && Number.isInteger(units)).toBe(true);
    expect(pixels / units / 0.039_893_590_534_622).toBeCloseTo(1, 6);
  });
});

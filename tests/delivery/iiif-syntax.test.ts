import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { canonicalForm } from '../../src/delivery/iiif/canonical.ts';
import { resolveRegion, resolveSize } from '../../src/delivery/iiif/resolve.ts';
import { apiVersions, parseRegion, parseRotation, parseSize } from '../../src/delivery/iiif/syntax.ts';
import { RefusedRequestError } from '../../src/delivery/refused.ts';

const limits = { maxWidth: 3_000, maxHeight: 2_000, maxArea: 4_000_000 };
const side = fc.integer({ min: 1, max: 20_000 });
const count = fc.integer({ min: 0, max: 30_000 });
const percent = fc.double({ min: 0, max: 300, noNaN: true }).map((value) => value.toFixed(3));

const regionText = fc.oneof(
  fc.constantFrom('full', 'square'),
  fc.tuple(count, count, count, count).map(String),
  fc.tuple(percent, percent, percent, percent).map((values) => `pct:${values.join(',')}`),
);
const plainSize = fc.oneof(
  fc.constant('max'),
  count.map((w) => `${w},`),
  count.map((h) => `,${h}`),
  fc.tuple(count, count).map(([w, h]) => `${w},${h}`),
  fc.tuple(count, count).map(([w, h]) => `!${w},${h}`),
  percent.map((value) => `pct:${value}`),
);
const sizeText = fc.tuple(fc.constantFrom('', '^'), plainSize).map(([prefix, size]) => prefix + size);

function imageOf(width: number, height: number) {
  return { width, height, tileSize: 256, levels: [{ width, height }] };
}

/** The result, or undefined if the request is refused. */
function orRefused<Result>(make: () => Result): Result | undefined {
  try {
    return make();
  } catch (error) {
    expect(error).toBeInstanceOf(RefusedRequestError);
    expect((error as Error).message).toMatch(/^[A-Z].*\.$/su);
    return undefined;
  }
}

test('every region is refused or has pixels of the image, and every size is refused or within the limits', () => {
  fc.assert(
    fc.property(fc.constantFrom(...apiVersions), side, side, regionText, sizeText, (version, width, height, r, s) => {
      const image = imageOf(width, height);
      const region = orRefused(() => resolveRegion(parseRegion(r), image));
      if (!region) return;
      expect(region.left + region.width).toBeLessThanOrEqual(width);
      expect(region.top + region.height).toBeLessThanOrEqual(height);
      expect(Math.min(region.width, region.height)).toBeGreaterThanOrEqual(1);
      expect(Object.values(region).every(Number.isInteger)).toBe(true);
      const size = orRefused(() => resolveSize(version, parseSize(version, s), region, image, limits));
      if (!size) return;
      expect(Object.values(size).every((value) => Number.isInteger(value) && value >= 1)).toBe(true);
      expect(size.width * size.height).toBeLessThanOrEqual(limits.maxArea);
      expect(size.width).toBeLessThanOrEqual(limits.maxWidth);
      expect(size.height).toBeLessThanOrEqual(limits.maxHeight);
      const isEnlarged = size.width > region.width || size.height > region.height;
      expect(isEnlarged && version === 3 && !s.startsWith('^')).toBe(false);
    }),
    { numRuns: 2_000 },
  );
});

test('the canonical form of a request means the same request', () => {
  fc.assert(
    fc.property(fc.constantFrom(...apiVersions), side, side, regionText, sizeText, (version, width, height, r, s) => {
      const image = imageOf(width, height);
      const region = orRefused(() => resolveRegion(parseRegion(r), image));
      const size = region && orRefused(() => resolveSize(version, parseSize(version, s), region, image, limits));
      if (!region || !size) return;
      const request = {
        region,
        size,
        rotation: { mirrored: false, degrees: 0 },
        quality: 'color',
        format: 'jpg',
      } as const;
      const [canonicalRegion = '', canonicalSize = ''] = canonicalForm(version, request, image, limits, false).split(
        '/',
      );
      const again = resolveRegion(parseRegion(canonicalRegion), image);
      expect(again).toEqual(region);
      expect(resolveSize(version, parseSize(version, canonicalSize), again, image, limits)).toEqual(size);
    }),
    { numRuns: 2_000 },
  );
});

test('any other text is refused with a sentence', () => {
  fc.assert(
    fc.property(fc.string(), (text) => {
      orRefused(() => parseRegion(text));
      orRefused(() => parseSize(3, text));
      orRefused(() => parseSize(2, text));
      orRefused(() => parseRotation(text));
    }),
    { numRuns: 2_000 },
  );
});

describe('a tile at the edge that is asked for by its width alone', () => {
  const image = {
    width: 2_101,
    height: 1_499,
    tileSize: 512,
    levels: [
      { width: 2_101, height: 1_499 },
      { width: 1_050, height: 749 },
    ],
  };
  test.each([
    // 53 × 512 pixels at half size: 27 × 256 by rounding up, and 26 × 256 of the level.
    [{ left: 2_048, top: 0, width: 53, height: 1_024 }, '27,', { width: 27, height: 512 }],
    [{ left: 2_048, top: 0, width: 53, height: 1_024 }, '26,', { width: 26, height: 512 }],
    [{ left: 2_048, top: 0, width: 53, height: 512 }, '53,', { width: 53, height: 512 }],
    // No tile: in proportion.
    [{ left: 2_047, top: 0, width: 54, height: 1_024 }, '26,', { width: 26, height: 493 }],
  ])('%j as %s has the size of the tile in its level', (region, text, expected) => {
    const noLimits = { maxWidth: 10_000, maxHeight: 10_000, maxArea: 1e8 };
    expect(resolveSize(2, parseSize(2, text), region, image, noLimits)).toEqual(expected);
  });
});

test('max is the largest size within the limits, and ^max enlarges to them', () => {
  const image = imageOf(1_000, 500);
  const region = { left: 0, top: 0, width: 1_000, height: 500 };
  const sizeOf = (text: string, own: typeof limits) => resolveSize(3, parseSize(3, text), region, image, own);
  expect(sizeOf('max', limits)).toEqual({ width: 1_000, height: 500 });
  expect(sizeOf('^max', limits)).toEqual({ width: 2_828, height: 1_414 });
  expect(sizeOf('max', { ...limits, maxWidth: 300 })).toEqual({ width: 300, height: 150 });
  expect(sizeOf('max', { ...limits, maxArea: 20_000 })).toEqual({ width: 200, height: 100 });
});

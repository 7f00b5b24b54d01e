import { describe, expect, test } from '@jest/globals';
import type { ImageShape } from '../../src/formats/decoded-image.ts';
import { assertAffordable, memoryNeed } from '../../src/formats/convert.ts';

const MB = 2 ** 20;
const GENEROUS = 20_000 * MB;
const shape = (width: number, height: number, more: Partial<ImageShape> = {}): ImageShape => ({
  width,
  height,
  bands: 3,
  alpha: false,
  bitDepth: 8,
  ...more,
});

describe('the memory estimate of a decoder', () => {
  // Heaps measured with 4,000 × 3,000 pixels, files included: OpenJPEG 76 MB grey, 247 MB RGB;
  // libheif 98 MB RGB, 140 MB of 10 bits.
  test.each([
    ['jp2', shape(4_000, 3_000, { bands: 1 }), 6_552_479, 76],
    ['jp2', shape(4_000, 3_000), 11_643_716, 247],
    ['jp2', shape(4_000, 3_000, { bitDepth: 16 }), 11_645_621, 247],
    ['heic', shape(4_000, 3_000), 3_343_444, 98],
    ['heic', shape(4_000, 3_000, { bitDepth: 16 }), 3_343_444, 140],
    // An uncompressed image of that size that fills its page.
    ['pdf', shape(4_000, 3_000), 36_000_683, 233],
  ] as const)(
    'of a %s is an upper bound and at most 2.8 times the measured memory',
    (format, of, fileBytes, measured) => {
      const { heap } = memoryNeed(format, of, fileBytes);
      expect(heap).toBeGreaterThanOrEqual(measured * 1e6);
      expect(heap).toBeLessThan(measured * 1e6 * 2.8);
    },
  );

  test('refuses a file that is larger than one buffer can be', () => {
    expect(() => {
      assertAffordable('bmp', shape(20_000, 20_000), 2_048 * MB, GENEROUS);
    }).toThrow('OVER_BUDGET: a BMP of 20000 × 20000 in 2048 MiB is too large');
    expect(() => {
      assertAffordable('bmp', shape(20_000, 20_000), 2_047 * MB, GENEROUS);
    }).not.toThrow();
  });

  test('refuses a JPEG 2000 image that exceeds its decoder, whatever the budget', () => {
    expect(() => {
      assertAffordable('jp2', shape(16_000, 12_000), 50 * MB, GENEROUS);
    }).toThrow('OVER_BUDGET: a JP2 of 16000 × 12000 needs');
    expect(() => {
      assertAffordable('jp2', shape(9_000, 9_000), 50 * MB, GENEROUS);
    }).not.toThrow();
  });

  test('limits a BMP by the budget only', () => {
    expect(() => {
      assertAffordable('bmp', shape(25_000, 25_000), 1_875 * MB, GENEROUS);
    }).not.toThrow();
    expect(() => {
      assertAffordable('bmp', shape(25_000, 25_000), 1_875 * MB, 3_000 * MB);
    }).toThrow('OVER_BUDGET: a BMP of 25000 × 25000 needs');
  });

  test('counts four bytes a pixel of a PDF page in its decoder and three outside', () => {
    const small = memoryNeed('pdf', shape(1_000, 1_000), MB);
    const large = memoryNeed('pdf', shape(2_000, 2_000), MB);
    expect(large.heap - small.heap).toBeGreaterThanOrEqual(4 * 3_000_000);
    expect(large.total - small.total).toBe(large.heap - small.heap + 3 * 3_000_000);
  });
});

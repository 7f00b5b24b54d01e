import { beforeAll, expect, test } from '@jest/globals';
import { createHash } from 'node:crypto';
import { paintSampleRows, SAMPLE_HEIGHT, SAMPLE_WIDTH } from '../../src/cli/sample-pixels.ts';

const ROW = 9600 * 3;
let pixels: Uint8Array;
beforeAll(() => {
  // Only the rows that are computed take memory.
  pixels = new Uint8Array(9600 * 6400 * 3);
  paintSampleRows(pixels, 0, 1);
  paintSampleRows(pixels, 3000, 3002);
});

const row = (y: number): Uint8Array => pixels.subarray(y * ROW, (y + 1) * ROW);
const digest = (y: number): string => createHash('sha256').update(row(y)).digest('hex').slice(0, 16);

test('the sample image has 61 megapixels', () => {
  expect([SAMPLE_WIDTH, SAMPLE_HEIGHT]).toEqual([9600, 6400]);
});

test('the sample image is the same on every machine and in every run', () => {
  expect([digest(0), digest(3000), digest(3001)]).toEqual(['0b7e27dfc9b6bf12', '9887111260498f99', '294c37dcca0cd6ce']);
});

test('the lower half of the sample image is the upper half rotated by 180°', () => {
  for (const y of [0, 3000, 3001]) {
    const below = row(6399 - y);
    for (const x of [0, 1, 4799, 4800, 9599]) {
      const there = 3 * (9599 - x);
      expect(Array.from(below.subarray(there, there + 3))).toEqual(Array.from(row(y).subarray(3 * x, 3 * x + 3)));
    }
  }
});

test('paintSampleRows leaves other rows unchanged', () => {
  expect(row(1).every((sample) => sample === 0)).toBe(true);
  expect(row(2999).every((sample) => sample === 0)).toBe(true);
  expect(row(3000).some((sample) => sample !== 0)).toBe(true);
});

import { describe, expect, test } from '@jest/globals';
import { subdivide } from '../../src/pyramid/subdivide.ts';

const parts = (width: number, height: number, tileSize: number, partPixels: number): string => {
  const rect = { left: 4096, top: 8192, right: 4096 + width, bottom: 8192 + height };
  const { columns, rows } = subdivide(rect, tileSize, partPixels);
  const step = (edges: readonly number[]): number => (edges[1] ?? 0) - (edges[0] ?? 0);
  expect([columns[0], columns.at(-1), rows[0], rows.at(-1)]).toEqual([4096, rect.right, 8192, rect.bottom]);
  return `${columns.length - 1}×${rows.length - 1} of ${step(columns)}×${step(rows)}`;
};

describe('a rectangle is cut into', () => {
  test.each<[string, [number, number, number, number], string]>([
    ['one part where it is small enough', [4000, 3000, 512, 12e6], '1×1 of 4000×3000'],
    ['full-width bands of a power of two of tiles', [4096, 8192, 512, 12.5e6], '1×4 of 4096×2048'],
    ['bands as high as a tile where more are too large', [20_480, 8192, 512, 12.5e6], '1×16 of 20480×512'],
    ['bands of at least 512 rows of smaller tiles', [20_480, 8192, 128, 12.5e6], '1×16 of 20480×512'],
    ['bands whose height is a multiple of the tile size', [10_000, 8192, 240, 12.5e6], '1×12 of 10000×720'],
    ['columns where a band is too large', [50_000, 2048, 512, 12.5e6], '3×4 of 24064×512'],
    ['single tiles where two are too large', [16_384, 8192, 4096, 12.5e6], '4×2 of 4096×4096'],
  ])('%s', (_, input, expected) => {
    expect(parts(...input)).toBe(expected);
  });
});

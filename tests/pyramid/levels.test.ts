import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { planLevels, tileGrid } from '../../src/pyramid/levels.ts';

const sizesOf = (width: number, height: number, tileSize: number): [number, number][] =>
  planLevels({ width, height }, tileSize).map((level) => [level.width, level.height]);

describe('levels halve, rounding down, until one tile holds the image', () => {
  test.each<{ name: string; width: number; height: number; tileSize: number; levels: [number, number][] }>([
    { name: 'one pixel', width: 1, height: 1, tileSize: 256, levels: [[1, 1]] },
    { name: 'exactly a tile', width: 256, height: 256, tileSize: 256, levels: [[256, 256]] },
    { name: 'a pixel less than a tile', width: 255, height: 255, tileSize: 256, levels: [[255, 255]] },
    {
      name: 'a pixel more than a tile, in one direction',
      width: 257,
      height: 256,
      tileSize: 256,
      levels: [
        [257, 256],
        [128, 128],
      ],
    },
    {
      name: 'a pixel more and a pixel less',
      width: 255,
      height: 257,
      tileSize: 256,
      levels: [
        [255, 257],
        [127, 128],
      ],
    },
    {
      name: 'a line one pixel wide, which stays one pixel wide',
      width: 1,
      height: 1000,
      tileSize: 256,
      levels: [
        [1, 1000],
        [1, 500],
        [1, 250],
      ],
    },
    {
      name: 'a ribbon whose height is gone before its width fits',
      width: 100_000,
      height: 3,
      tileSize: 4096,
      levels: [
        [100_000, 3],
        [50_000, 1],
        [25_000, 1],
        [12_500, 1],
        [6250, 1],
        [3125, 1],
      ],
    },
    {
      name: 'prime sides',
      width: 7919,
      height: 6007,
      tileSize: 512,
      levels: [
        [7919, 6007],
        [3959, 3003],
        [1979, 1501],
        [989, 750],
        [494, 375],
      ],
    },
    {
      name: 'twice a tile and one pixel',
      width: 1025,
      height: 1024,
      tileSize: 512,
      levels: [
        [1025, 1024],
        [512, 512],
      ],
    },
  ])('$name: $width × $height in tiles of $tileSize', ({ width, height, tileSize, levels }) => {
    expect(sizesOf(width, height, tileSize)).toEqual(levels);
  });

  test('a hundred gigapixels have eleven levels', () => {
    expect(sizesOf(400_000, 250_000, 512)).toHaveLength(11);
    expect(sizesOf(400_000, 250_000, 512).at(-1)).toEqual([390, 244]);
  });

  test('each level is numbered from full size down', () => {
    expect(planLevels({ width: 1000, height: 600 }, 256).map(({ index }) => index)).toEqual([0, 1, 2]);
  });

  test('every level is half the previous one at any size, and only the last fits in a tile', () => {
    const side = fc.integer({ min: 1, max: 2 ** 31 });
    fc.assert(
      fc.property(side, side, fc.constantFrom(64, 256, 512, 4096), (width, height, tileSize) => {
        const levels = sizesOf(width, height, tileSize);
        expect(levels[0]).toEqual([width, height]);
        levels.forEach(([levelWidth, levelHeight], index) => {
          const [nextWidth, nextHeight] = levels[index + 1] ?? [];
          const fits = levelWidth <= tileSize && levelHeight <= tileSize;
          expect(fits).toBe(nextWidth === undefined);
          if (nextWidth === undefined || nextHeight === undefined) return;
          // The expected size is halved with integer shifts, one level at a time.
          expect([nextWidth, nextHeight]).toEqual([levelWidth >>> 1 || 1, levelHeight >>> 1 || 1]);
        });
      }),
    );
  });
});

test.each([
  [1, 1, 256, { across: 1, down: 1 }],
  [256, 512, 256, { across: 1, down: 2 }],
  [257, 513, 256, { across: 2, down: 3 }],
  [9600, 6400, 512, { across: 19, down: 13 }],
])('tileGrid covers a level of %i × %i pixels with tiles of %i pixels', (width, height, tileSize, grid) => {
  expect(tileGrid({ width, height }, tileSize)).toEqual(grid);
});

import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import {
  type BlockGrid,
  blockCount,
  blockRect,
  edges,
  isEmpty,
  rectAtLevel,
  rectSize,
  tilesOf,
} from '../../src/pyramid/blocks.ts';

const grid: BlockGrid = { columns: [0, 1024, 2049], rows: [0, 512, 1024, 1025] };

describe('a grid of blocks', () => {
  test('is cut at multiples of a step, and ends with the image', () => {
    expect(edges(2049, 1024)).toEqual([0, 1024, 2048, 2049]);
    expect(edges(2048, 1024)).toEqual([0, 1024, 2048]);
    expect(edges(1, 1024)).toEqual([0, 1]);
  });

  test('numbers its blocks row by row', () => {
    expect(blockCount(grid)).toBe(6);
    expect(blockRect(grid, 0)).toEqual({ left: 0, top: 0, right: 1024, bottom: 512 });
    expect(blockRect(grid, 1)).toEqual({ left: 1024, top: 0, right: 2049, bottom: 512 });
    expect(blockRect(grid, 5)).toEqual({ left: 1024, top: 1024, right: 2049, bottom: 1025 });
  });

  test.each([6, -1, 1000])('has no block %i', (block) => {
    expect(() => blockRect(grid, block)).toThrow(RangeError);
  });
});

describe('a last column or row of one pixel', () => {
  const full = { width: 2049, height: 1025 };
  const last = { left: 2048, top: 1024, right: 2049, bottom: 1025 };

  test('is one tile of level 0', () => {
    const level = { index: 0, ...full };
    expect(rectAtLevel(last, full, level)).toEqual(last);
    expect(tilesOf(last, 256)).toEqual({ column: 8, row: 4, across: 1, down: 1 });
  });

  test('is empty at level 1 and has no tiles there', () => {
    const rect = rectAtLevel(last, full, { index: 1, width: 1024, height: 512 });
    expect(rect).toEqual({ left: 1024, top: 512, right: 1024, bottom: 512 });
    expect(isEmpty(rect)).toBe(true);
    expect(rectSize(rect)).toEqual({ width: 0, height: 0 });
    expect(tilesOf(rect, 256)).toMatchObject({ across: 0, down: 0 });
  });

  test('is empty in one direction only if only that side is one pixel long', () => {
    const wide = { left: 0, top: 1024, right: 2049, bottom: 1025 };
    const rect = rectAtLevel(wide, full, { index: 1, width: 1024, height: 512 });
    expect(rect).toEqual({ left: 0, top: 512, right: 1024, bottom: 512 });
    expect(isEmpty(rect)).toBe(true);
  });
});

test('a line one pixel wide is one pixel wide at every level', () => {
  const full = { width: 1, height: 4096 };
  const rect = { left: 0, top: 2048, right: 1, bottom: 4096 };
  expect(rectAtLevel(rect, full, { index: 3, width: 1, height: 512 })).toEqual({
    left: 0,
    top: 256,
    right: 1,
    bottom: 512,
  });
});

/** Edges at random multiples of a unit, then the length. */
const cuts = (length: number, unit: number): fc.Arbitrary<number[]> =>
  fc
    .uniqueArray(fc.integer({ min: 1, max: 40 }), { maxLength: 5 })
    .map((steps) => steps.map((step) => step * unit).filter((edge) => edge < length))
    .map((inner) => [0, ...inner.sort((a, b) => a - b), length]);

const gridCase = fc
  .record({
    width: fc.integer({ min: 1, max: 420 }),
    height: fc.integer({ min: 1, max: 420 }),
    tileSize: fc.constantFrom(8, 16, 24),
    splitLevel: fc.integer({ min: 0, max: 3 }),
  })
  .chain((shape) => {
    const unit = shape.tileSize << shape.splitLevel;
    return fc
      .tuple(cuts(shape.width, unit), cuts(shape.height, unit))
      .map(([columns, rows]) => ({ ...shape, grid: { columns, rows } }));
  });

/** The number of rectangles that cover each cell of a grid. */
function coverage(width: number, height: number, rects: readonly { x: number; y: number; w: number; h: number }[]) {
  const counts = new Uint8Array(width * height);
  for (const { x, y, w, h } of rects) {
    for (let row = y; row < y + h; row++) {
      for (let at = row * width + x; at < row * width + x + w; at++) counts[at] = (counts[at] ?? 0) + 1;
    }
  }
  return counts;
}

test('at every level up to the split, the blocks cover each pixel and each tile exactly once', () => {
  fc.assert(
    fc.property(gridCase, ({ width, height, tileSize, splitLevel, grid: blocks }) => {
      let levelWidth = width;
      let levelHeight = height;
      for (let index = 0; index <= splitLevel; index++) {
        const level = { index, width: levelWidth, height: levelHeight };
        const rects = Array.from({ length: blockCount(blocks) }, (_, block) =>
          rectAtLevel(blockRect(blocks, block), { width, height }, level),
        ).filter((rect) => !isEmpty(rect));
        for (const rect of rects) {
          expect([rect.left % tileSize, rect.top % tileSize]).toEqual([0, 0]);
          expect(rect.right <= levelWidth && rect.bottom <= levelHeight).toBe(true);
        }
        const pixels = coverage(
          levelWidth,
          levelHeight,
          rects.map((rect) => ({ x: rect.left, y: rect.top, w: rect.right - rect.left, h: rect.bottom - rect.top })),
        );
        expect(pixels.every((count) => count === 1)).toBe(true);
        const tiles = coverage(
          Math.ceil(levelWidth / tileSize),
          Math.ceil(levelHeight / tileSize),
          rects.map((rect) => {
            const { column, row, across, down } = tilesOf(rect, tileSize);
            return { x: column, y: row, w: across, h: down };
          }),
        );
        expect(tiles.every((count) => count === 1)).toBe(true);
        levelWidth = levelWidth >> 1 || 1;
        levelHeight = levelHeight >> 1 || 1;
      }
    }),
    { numRuns: 150 },
  );
});

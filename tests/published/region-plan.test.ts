import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { planLevels } from '../../src/pyramid/levels.ts';
import { planRegion, planWholeTile } from '../../src/published/region-plan.ts';

function pyramid(width: number, height: number, tileSize: number) {
  const [full, ...others] = planLevels({ width, height }, tileSize);
  if (!full) throw new RangeError('Expected a level');
  return { levels: [full, ...others] as const, tileSize };
}

const side = fc.integer({ min: 1, max: 5_000 });

test('every region of every image in every size is planned within its level, with at most one repeated column and row', () => {
  fc.assert(
    fc.property(
      side,
      side,
      fc.constantFrom(16, 64, 256, 512),
      fc.tuple(fc.nat(), fc.nat(), fc.nat(), fc.nat()),
      side,
      side,
      (width, height, tileSize, [a, b, c, d], wide, high) => {
        const [left, top] = [a % width, b % height];
        const region = { left, top, width: 1 + (c % (width - left)), height: 1 + (d % (height - top)) };
        const image = pyramid(width, height, tileSize);
        const plan = planRegion(image, region, { width: wide, height: high });
        const { rect, level, repeat, tiles } = plan;
        expect(rect.left).toBeGreaterThanOrEqual(0);
        expect(rect.top).toBeGreaterThanOrEqual(0);
        expect(rect.right).toBeGreaterThan(rect.left);
        expect(rect.bottom).toBeGreaterThan(rect.top);
        expect(rect.right).toBeLessThanOrEqual(level.width);
        expect(rect.bottom).toBeLessThanOrEqual(level.height);
        expect([0, 1]).toContain(repeat.right);
        expect([0, 1]).toContain(repeat.bottom);
        if (plan.exact) {
          expect(rect.right - rect.left + repeat.right).toBe(wide);
          expect(rect.bottom - rect.top + repeat.bottom).toBe(high);
        }
        expect(tiles.column * tileSize).toBeLessThanOrEqual(rect.left);
        expect((tiles.column + tiles.across) * tileSize).toBeGreaterThanOrEqual(rect.right);
        expect((tiles.row + tiles.down) * tileSize).toBeGreaterThanOrEqual(rect.bottom);
        expect(tiles.across * tiles.down).toBeGreaterThan(0);
      },
    ),
    { numRuns: 500 },
  );
});

/** The requests of the implementation notes of the Image API: sizes are rounded up. */
test('every tile that a viewer computes by rounding up is taken from its level as it is', () => {
  fc.assert(
    fc.property(side, side, fc.constantFrom(64, 256), (width, height, tileSize) => {
      const image = pyramid(width, height, tileSize);
      for (const { index, ...level } of image.levels) {
        const factor = 2 ** index;
        const step = tileSize * factor;
        const columns = Math.ceil(width / step);
        const [column, row] = [columns - 1, 0];
        const region = { left: column * step, top: row, width: Math.min(step, width - column * step), height: Math.min(step, height) };
        const size = { width: Math.ceil(region.width / factor), height: Math.ceil(region.height / factor) };
        const plan = planRegion(image, region, size);
        expect([width, height, index, plan.exact]).toEqual([width, height, index, true]);
        // A few pixels may be the last tile at several factors; the least is chosen.
        if (region.width < factor && region.height < factor) continue;
        expect(plan.level.index).toBe(index);
        expect(plan.rect.left).toBe(Math.min(column * tileSize, level.width - 1));
      }
    }),
    { numRuns: 500 },
  );
});

test('the tile of a region is found only where the region is a whole tile within its level', () => {
  const image = pyramid(1_100, 700, 256);
  const tileOf = (left: number, top: number, width: number, height: number, wide: number, high: number) => {
    const found = planWholeTile(image, planRegion(image, { left, top, width, height }, { width: wide, height: high }));
    return found && [found.level.index, found.column, found.row];
  };
  expect(tileOf(256, 0, 256, 256, 256, 256)).toEqual([0, 1, 0]);
  expect(tileOf(512, 0, 512, 512, 256, 256)).toEqual([1, 1, 0]);
  expect(tileOf(0, 0, 1_024, 700, 256, 175)).toBeUndefined();
  expect(tileOf(1_024, 0, 76, 256, 76, 256)).toBeUndefined();
  expect(tileOf(255, 0, 256, 256, 256, 256)).toBeUndefined();
  expect(tileOf(256, 0, 256, 256, 255, 256)).toBeUndefined();
  expect(tileOf(256, 0, 256, 256, 512, 512)).toBeUndefined();
});

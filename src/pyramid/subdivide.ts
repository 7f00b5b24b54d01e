import { type BlockGrid, edges, type Rect, rectSize } from './blocks.ts';

/**
 * Cuts a rectangle into parts of at most `partPixels` pixels, on multiples of `tileSize ·
 * 2^splitLevel`, with the highest split level (up to `maxSplit`) that allows it: few parts, each
 * with as many levels as possible. Full-width bands are preferred to squares because strips cannot
 * be read by column. The smallest part is one tile.
 */
export function subdivide(
  rect: Rect,
  tileSize: number,
  maxSplit: number,
  partPixels: number,
): { splitLevel: number; blocks: BlockGrid } {
  const { width, height } = rectSize(rect);
  if (width * height <= partPixels) return { splitLevel: maxSplit, blocks: gridOf(rect, width, height) };
  for (let splitLevel = maxSplit; splitLevel >= 0; splitLevel--) {
    const rows = floorTo(partPixels / width, tileSize * 2 ** splitLevel);
    if (rows > 0) return { splitLevel, blocks: gridOf(rect, width, rows) };
  }
  for (let splitLevel = maxSplit; splitLevel > 0; splitLevel--) {
    const side = floorTo(Math.sqrt(partPixels), tileSize * 2 ** splitLevel);
    if (side > 0) return { splitLevel, blocks: gridOf(rect, side, side) };
  }
  const side = Math.max(tileSize, floorTo(Math.sqrt(partPixels), tileSize));
  return { splitLevel: 0, blocks: gridOf(rect, side, side) };
}

function gridOf(rect: Rect, columnStep: number, rowStep: number): BlockGrid {
  const { width, height } = rectSize(rect);
  return {
    columns: edges(width, columnStep).map((edge) => rect.left + edge),
    rows: edges(height, rowStep).map((edge) => rect.top + edge),
  };
}

function floorTo(value: number, unit: number): number {
  return Math.floor(value / unit) * unit;
}

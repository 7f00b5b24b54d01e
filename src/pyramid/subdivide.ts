import { type BlockGrid, edges, type Rect, rectSize } from './blocks.ts';

/**
 * Parts are at least this high if tiles are smaller, because a tile of a master that reaches into
 * two parts is read and decoded twice. Pixels.
 */
const LEAST_ROWS = 512;

/** Rows of the lowest part: a multiple of the tile size. */
export function leastRows(tileSize: number): number {
  return Math.ceil(LEAST_ROWS / tileSize) * tileSize;
}

/**
 * Cuts a rectangle into parts of at most `partPixels` pixels, or of the smallest possible size:
 * full-width bands of `leastRows · 2^n` rows, or where these are too large, columns of `leastRows`.
 */
export function subdivide(rect: Rect, tileSize: number, partPixels: number): BlockGrid {
  const { width, height } = rectSize(rect);
  if (width * height <= partPixels) return gridOf(rect, width, height);
  const unit = leastRows(tileSize);
  const units = Math.floor(partPixels / width / unit);
  if (units >= 1) return gridOf(rect, width, unit * 2 ** Math.floor(Math.log2(units)));
  const columns = Math.max(1, Math.floor(partPixels / unit / tileSize));
  return gridOf(rect, columns * tileSize, unit);
}

function gridOf(rect: Rect, columnStep: number, rowStep: number): BlockGrid {
  const { width, height } = rectSize(rect);
  return {
    columns: edges(width, columnStep).map((edge) => rect.left + edge),
    rows: edges(height, rowStep).map((edge) => rect.top + edge),
  };
}

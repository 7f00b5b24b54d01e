import type { Size } from './levels.ts';

/** Pixels; `right` and `bottom` are exclusive. */
export interface Rect {
  readonly left: number;
  readonly top: number;
  readonly right: number;
  readonly bottom: number;
}

/**
 * Blocks in a grid, numbered row by row. Every edge but the last is a multiple of `tileSize ·
 * 2^splitLevel`, so no tile and no 2 × 2 box of levels 1..splitLevel crosses the edge of a block.
 */
export interface BlockGrid {
  /** Left edges, ascending, the first 0; then the image's width. */
  readonly columns: readonly number[];
  /** Top edges, ascending, the first 0; then the image's height. */
  readonly rows: readonly number[];
}

/** The edges 0, step, 2 · step, … and `length`. */
export function edges(length: number, step: number): number[] {
  const result: number[] = [];
  for (let edge = 0; edge < length; edge += step) result.push(edge);
  return [...result, length];
}

export function blockCount(grid: BlockGrid): number {
  return (grid.columns.length - 1) * (grid.rows.length - 1);
}

/** The largest width and the largest height of a block, in pixels. */
export function largestBlock({ columns, rows }: BlockGrid): Size {
  return { width: largestStep(columns), height: largestStep(rows) };
}

function largestStep(values: readonly number[]): number {
  return values.slice(1).reduce((largest, edge, index) => Math.max(largest, edge - (values[index] ?? 0)), 0);
}

/** The rectangle of a block in level 0, in pixels. Throws RangeError if there is no such block. */
export function blockRect(grid: BlockGrid, block: number): Rect {
  const across = grid.columns.length - 1;
  const column = block % across;
  const row = Math.floor(block / across);
  const left = grid.columns[column];
  const right = grid.columns[column + 1];
  const top = grid.rows[row];
  const bottom = grid.rows[row + 1];
  if (left === undefined || right === undefined || top === undefined || bottom === undefined) {
    throw new RangeError(`Expected a block below ${blockCount(grid)} but received ${block}`);
  }
  return { left, top, right, bottom };
}

/**
 * Maps a rectangle of level 0 to another level. Its left and top must be multiples of 2^level. At
 * the edge of the image the result ends where the level ends; it may be empty there, because
 * halving drops an odd last column or row.
 */
export function rectAtLevel(rect: Rect, full: Size, level: Size & { readonly index: number }): Rect {
  const scale = 2 ** level.index;
  return {
    left: Math.min(level.width, rect.left / scale),
    top: Math.min(level.height, rect.top / scale),
    right: rect.right === full.width ? level.width : rect.right / scale,
    bottom: rect.bottom === full.height ? level.height : rect.bottom / scale,
  };
}

export function rectSize(rect: Rect): Size {
  return { width: rect.right - rect.left, height: rect.bottom - rect.top };
}

export function isEmpty(rect: Rect): boolean {
  return rect.right <= rect.left || rect.bottom <= rect.top;
}

/** A rectangle of tiles within one level: first column and row, and how many of each. */
export interface TileRect {
  readonly column: number;
  readonly row: number;
  readonly across: number;
  readonly down: number;
}

/** The tiles that cover a rectangle whose left and top are multiples of the tile size. */
export function tilesOf(rect: Rect, tileSize: number): TileRect {
  if (isEmpty(rect)) return { column: 0, row: 0, across: 0, down: 0 };
  return {
    column: rect.left / tileSize,
    row: rect.top / tileSize,
    across: Math.ceil((rect.right - rect.left) / tileSize),
    down: Math.ceil((rect.bottom - rect.top) / tileSize),
  };
}

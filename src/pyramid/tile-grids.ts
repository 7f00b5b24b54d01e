/**
 * Tiles that are files of their own, as IIIF and Deep Zoom define them: levels round up where they
 * halve, the last tile of a row or column is smaller, and tiles may overlap.
 */
import { type BlockGrid, blockRect, type Rect, type TileRect } from './blocks.ts';
import type { Level, Size } from './levels.ts';

/** A grid of tiles and their encoding, over some of the levels of an image. */
export interface PlainGrid {
  /** Width and height of a tile without overlap. Pixels. */
  readonly tileSize: number;
  /** Pixels by which a tile extends into each neighbour. */
  readonly overlap: number;
  readonly format: 'jpg' | 'png';
  /** JPEG quality, 1 to 100. */
  readonly quality: number;
  /** Indexes of the levels that have tiles, ascending. */
  readonly levels: readonly number[];
}

/** Identifies grids with the same tiles: `<tile size>-<overlap>-<format>-<quality>`. */
export function gridId({ tileSize, overlap, format, quality }: PlainGrid): string {
  return [tileSize, overlap, format, ...(format === 'jpg' ? [quality] : [])].join('-');
}

/** Level `index`: the image halved so many times, rounding up. */
export function roundedUpLevel(full: Size, index: number): Level {
  return { index, width: Math.ceil(full.width / 2 ** index), height: Math.ceil(full.height / 2 ** index) };
}

/** The index of the first level that fits in a square of `side` pixels. */
export function levelWithin({ width, height }: Size, side: number): number {
  return Math.max(0, Math.ceil(Math.log2(Math.max(width, height) / side)));
}

/**
 * A level of the outputs and all above it are made from one raster of the whole level, this one.
 */
export function joinedLevel(full: Size, splitLevel: number, largestImage: number): number {
  return Math.min(splitLevel, levelWithin(full, largestImage));
}

/** The part of a block at a level, whose left and top are multiples of 2^level. */
export function rectAtRoundedUpLevel(rect: Rect, index: number): Rect {
  const scale = 2 ** index;
  return {
    left: rect.left / scale,
    top: rect.top / scale,
    right: Math.ceil(rect.right / scale),
    bottom: Math.ceil(rect.bottom / scale),
  };
}

/** Number of tiles of a level, across and down. */
export function gridSize(level: Size, { tileSize }: Pick<PlainGrid, 'tileSize'>): { across: number; down: number } {
  return { across: Math.ceil(level.width / tileSize), down: Math.ceil(level.height / tileSize) };
}

/** The pixels of a tile, those of its overlap included. */
export function tileRect(
  level: Size,
  { tileSize, overlap }: Pick<PlainGrid, 'tileSize' | 'overlap'>,
  column: number,
  row: number,
): Rect {
  return {
    left: Math.max(0, column * tileSize - overlap),
    top: Math.max(0, row * tileSize - overlap),
    right: Math.min(level.width, (column + 1) * tileSize + overlap),
    bottom: Math.min(level.height, (row + 1) * tileSize + overlap),
  };
}

/** The tiles whose pixels are all within a rectangle of the level. */
export function tilesWithin(rect: Rect, level: Size, grid: Pick<PlainGrid, 'tileSize' | 'overlap'>): TileRect {
  const [column, across] = spansWithin(rect.left, rect.right, level.width, grid);
  const [row, down] = spansWithin(rect.top, rect.bottom, level.height, grid);
  return across === 0 || down === 0 ? { column: 0, row: 0, across: 0, down: 0 } : { column, row, across, down };
}

/** The first span of a row of tiles that lies between two edges, and the number of such spans. */
function spansWithin(
  from: number,
  to: number,
  length: number,
  { tileSize, overlap }: Pick<PlainGrid, 'tileSize' | 'overlap'>,
): [first: number, count: number] {
  const first = from === 0 ? 0 : Math.ceil((from + overlap) / tileSize);
  const end = to >= length ? Math.ceil(length / tileSize) : Math.floor((to - overlap) / tileSize);
  return [first, Math.max(0, end - first)];
}

/** A tile of a level. */
export interface GridPosition {
  readonly column: number;
  readonly row: number;
}

/**
 * The tiles that begin in a block, without their overlap, and that reach into another block. Their
 * pixels are those of several blocks.
 */
export function* tilesAcrossBlocks(
  blocks: BlockGrid,
  block: number,
  full: Size,
  grid: PlainGrid,
  index: number,
): Generator<GridPosition> {
  const level = roundedUpLevel(full, index);
  const rect = rectAtRoundedUpLevel(blockRect(blocks, block), index);
  const within = tilesWithin(rect, level, grid);
  const columns = [Math.ceil(rect.left / grid.tileSize), Math.ceil(rect.right / grid.tileSize)] as const;
  const rows = [Math.ceil(rect.top / grid.tileSize), Math.ceil(rect.bottom / grid.tileSize)] as const;
  for (let row = rows[0]; row < rows[1]; row++) {
    const isOwnRow = row >= within.row && row < within.row + within.down;
    for (let column = columns[0]; column < columns[1]; column++) {
      if (!isOwnRow || column < within.column || column >= within.column + within.across) yield { column, row };
    }
  }
}

/** Whether any tile of these grids reaches into two blocks at a level up to `last`. */
export function crossesBlocks({ columns, rows }: BlockGrid, grids: readonly PlainGrid[], last: number): boolean {
  const inner = [...columns.slice(1, -1), ...rows.slice(1, -1)];
  return grids.some(({ tileSize, overlap, levels }) =>
    levels.some((level) => level <= last && inner.some((edge) => overlap > 0 || (edge / 2 ** level) % tileSize !== 0)),
  );
}

/** The blocks that have pixels of a rectangle of a level that rounds up. */
export function blocksTouching({ columns, rows }: BlockGrid, rect: Rect, index: number): number[] {
  const scale = 2 ** index;
  const touching = (edges: readonly number[], from: number, to: number): number[] =>
    edges.slice(0, -1).flatMap((edge, n) => (edge < to * scale && (edges[n + 1] ?? 0) > from * scale ? [n] : []));
  const across = touching(columns, rect.left, rect.right);
  return touching(rows, rect.top, rect.bottom).flatMap((row) =>
    across.map((column) => row * (columns.length - 1) + column),
  );
}

/** Pixels at the edges of a block that tiles of other blocks may need. */
export function marginOf(grids: readonly PlainGrid[]): number {
  return Math.max(0, ...grids.map(({ tileSize, overlap }) => tileSize + 2 * overlap));
}

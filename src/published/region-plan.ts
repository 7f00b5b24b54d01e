/**
 * Chooses the pixels of a pyramid from which a region is made in a given size. Levels halve
 * rounding down, while viewers compute the sizes of tiles rounding up (IIIF Image API 3.0,
 * implementation notes; Deep Zoom): the column or row that a level then lacks repeats its last one.
 * Pure.
 */
import type { Rect, TileRect } from '../pyramid/blocks.ts';
import type { Level, Size } from '../pyramid/levels.ts';

/** A rectangle of the full size. Pixels; integers. */
export interface Region extends Size {
  readonly left: number;
  readonly top: number;
}

/** A pyramid, full size first. */
export interface RegionLevels<Found extends Level> {
  readonly levels: readonly [Found, ...Found[]];
  readonly tileSize: number;
}

export interface RegionPlan<Found extends Level> {
  readonly level: Found;
  /** The part of the level that is read. Pixels of the level. */
  readonly rect: Rect;
  /** Columns and rows that are added by repeating the last one: 0 or 1. */
  readonly repeat: { readonly right: number; readonly bottom: number };
  /** The tiles that cover `rect`. */
  readonly tiles: TileRect;
  /** True if the region has the requested size without being resized. */
  readonly exact: boolean;
}

interface Span {
  readonly start: number;
  readonly end: number;
}

/**
 * Plans a region from the smallest level that has at least as many pixels of it as requested, in
 * both directions; from the full size when the region is enlarged.
 */
export function planRegion<Found extends Level>(
  image: RegionLevels<Found>,
  region: Region,
  size: Size,
): RegionPlan<Found> {
  const { levels } = image;
  const level =
    levels.find(({ index }) => isLastTile(image, 2 ** index, region, size)) ??
    levels.findLast(({ index }) => suffices(2 ** index, region, size)) ??
    levels[0];
  return planFromLevel(image, level, region, size);
}

/** Whether levels of this factor suffice. One of the sides may have been rounded up. */
function suffices(factor: number, region: Region, size: Size): boolean {
  const isEnough = Math.ceil(region.width / factor) >= size.width && Math.ceil(region.height / factor) >= size.height;
  return isEnough && (region.width >= factor * size.width || region.height >= factor * size.height);
}

/**
 * Whether the region is the last tile of the grid at this factor, both of whose sides may have been
 * rounded up.
 */
function isLastTile(
  { levels: [full], tileSize }: RegionLevels<Level>,
  factor: number,
  region: Region,
  size: Size,
): boolean {
  const isLast = (start: number, length: number, whole: number): boolean =>
    start % (tileSize * factor) === 0 && start + length === whole;
  const isRoundedUp = (length: number, requested: number): boolean => Math.ceil(length / factor) === requested;
  return (
    isLast(region.left, region.width, full.width) &&
    isLast(region.top, region.height, full.height) &&
    isRoundedUp(region.width, size.width) &&
    isRoundedUp(region.height, size.height)
  );
}

/** Plans a region from the given level. */
export function planFromLevel<Found extends Level>(
  { levels: [full], tileSize }: RegionLevels<Found>,
  level: Found,
  region: Region,
  size: Size,
): RegionPlan<Found> {
  const factor = 2 ** level.index;
  const across = { start: region.left, length: region.width, size: size.width, full: full.width, level: level.width };
  const down = { start: region.top, length: region.height, size: size.height, full: full.height, level: level.height };
  const columns = exactSpan(across, factor);
  const rows = exactSpan(down, factor);
  const exact = columns !== undefined && rows !== undefined;
  const [x, y] = exact ? [columns, rows] : [scaledSpan(across, factor), scaledSpan(down, factor)];
  const rect = {
    left: x.start,
    top: y.start,
    right: Math.min(x.end, level.width),
    bottom: Math.min(y.end, level.height),
  };
  const repeat = { right: x.end - rect.right, bottom: y.end - rect.bottom };
  return { level, rect, repeat, tiles: coveringTiles(rect, tileSize), exact };
}

interface Side {
  readonly start: number;
  readonly length: number;
  /** Requested pixels. */
  readonly size: number;
  /** Pixels of the whole image, and of the level. */
  readonly full: number;
  readonly level: number;
}

/**
 * The pixels of a side that are taken as they are; undefined if the requested number is not that of
 * the level, rounded up or down.
 */
function exactSpan({ start, length, size, full, level }: Side, factor: number): Span | undefined {
  if (Math.abs(size - length / factor) >= 1) return undefined;
  const end = Math.max(level, Math.ceil(full / factor));
  // A region of nothing but a column that the level lacks is the last column of the level.
  const first = Math.min(Math.round(start / factor), end - size, level - 1);
  return first < 0 ? undefined : { start: first, end: first + size };
}

function scaledSpan({ start, length, level }: Side, factor: number): Span {
  const first = Math.min(Math.round(start / factor), level - 1);
  return { start: first, end: Math.min(level, Math.max(first + 1, Math.round((start + length) / factor))) };
}

function coveringTiles({ left, top, right, bottom }: Rect, tileSize: number): TileRect {
  const [column, row] = [Math.floor(left / tileSize), Math.floor(top / tileSize)];
  return {
    column,
    row,
    across: Math.ceil(right / tileSize) - column,
    down: Math.ceil(bottom / tileSize) - row,
  };
}

/** The tile whose samples are exactly the planned region; undefined if there is none. */
export function planWholeTile<Found extends Level>(
  { tileSize }: Pick<RegionLevels<Found>, 'tileSize'>,
  { level, rect, repeat, tiles, exact }: RegionPlan<Found>,
): { readonly level: Found; readonly column: number; readonly row: number } | undefined {
  const { column, row, across, down } = tiles;
  const isWhole = rect.right - rect.left === tileSize && rect.bottom - rect.top === tileSize;
  if (!exact || !isWhole || across !== 1 || down !== 1 || repeat.right + repeat.bottom > 0) return undefined;
  return { level, column, row };
}

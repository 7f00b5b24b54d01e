/**
 * The levels of an area that round up, and their tiles for IIIF and Deep Zoom, made from the parts
 * of level 0 that the levels of the TIFF are made from.
 */
import { allSettled } from '../parallel.ts';
import { type Rect, rectSize } from '../pyramid/blocks.ts';
import type { Size } from '../pyramid/levels.ts';
import {
  gridId,
  marginOf,
  rectAtRoundedUpLevel,
  roundedUpLevel,
  type PlainGrid,
  tileRect,
  tilesWithin,
} from '../pyramid/tile-grids.ts';
import type { TileRect } from '../pyramid/blocks.ts';
import { Arena } from './arena.ts';
import { halveUpInto } from './halve.ts';
import { encodePlainTiles, type PlainTile } from './plain-tiles.ts';
import { bitDepthOf, placeRaster, type Raster, rasterIn, rowsOf } from './raster.ts';

/** The tiles of one grid that lie within the area at one level, row by row. */
export interface PlainRun extends TileRect {
  /** As `gridId` returns it. */
  readonly grid: string;
  readonly level: number;
  readonly tiles: readonly PlainTile[];
}

/**
 * Pixels at the edges of the area at one level: its first and last rows, first and last columns.
 */
export interface Margins {
  readonly level: number;
  readonly top: Raster;
  readonly bottom: Raster;
  readonly left: Raster;
  readonly right: Raster;
}

export interface PlainLevelsRendered {
  readonly runs: readonly PlainRun[];
  /** Pixels of the last level within the area. */
  readonly last: Raster;
  /** Empty unless margins were requested. */
  readonly margins: readonly Margins[];
}

/** What to make of an area. */
export interface PlainArea {
  /**
   * Of level 0. Left and top are multiples of 2^`lastLevel`, right and bottom too but at the edge
   * of the image.
   */
  readonly rect: Rect;
  readonly full: Size;
  readonly grids: readonly PlainGrid[];
  /** Levels 0 to this one are rendered. */
  readonly lastLevel: number;
  /** Whether tiles reach into other areas, which needs the pixels at the edges. */
  readonly withMargins: boolean;
  /**
   * Whether a tile is not encoded here, because the caller has it from the TIFF. Such tiles are
   * empty in the result.
   */
  readonly isShared: (grid: PlainGrid, level: number, rect: Rect) => boolean;
}

interface GridRows {
  readonly grid: PlainGrid;
  readonly within: TileRect;
  readonly tiles: PlainTile[];
  /** Rows of tiles that are encoded. */
  done: number;
}

/** A level of the area. Rows are counted from the top of the area. */
interface WindowedLevel {
  readonly index: number;
  readonly rect: Rect;
  readonly size: Size;
  readonly grids: readonly GridRows[];
  readonly isLast: boolean;
  /** Rows `top` to `bottom` are in the first rows of `rows`. */
  rows?: Raster;
  top: number;
  bottom: number;
  halved: number;
  margins?: Margins;
}

/**
 * Receives parts in rows from the top, as `LevelStrips` does, and keeps only the rows that are
 * still needed.
 */
export class PlainLevels {
  readonly #area: PlainArea;
  readonly #arena: Arena;
  readonly #partRows: number;
  readonly #levels: readonly WindowedLevel[];

  /** `partRows` is the height of the largest part. */
  constructor(area: PlainArea, partRows: number, arena: Arena) {
    this.#area = area;
    this.#arena = arena;
    this.#partRows = partRows;
    this.#levels = Array.from({ length: area.lastLevel + 1 }, (_, index) => {
      const rect = rectAtRoundedUpLevel(area.rect, index);
      const level = roundedUpLevel(area.full, index);
      const grids = area.grids
        .filter(({ levels }) => levels.includes(index))
        .map((grid) => ({ grid, within: tilesWithin(rect, level, grid), tiles: [], done: 0 }));
      const isLast = index === area.lastLevel;
      return { index, rect, size: rectSize(rect), grids, isLast, top: 0, bottom: 0, halved: 0 };
    });
  }

  /** Takes a part at `left`, `top` of the area. Resolves when the part is no longer read. */
  async add(part: Raster, left: number, top: number): Promise<void> {
    const [first] = this.#levels;
    if (!first) return;
    const rows = this.#rowsOf(first, part, this.#partRows);
    placeRaster(rows, part, left, top - first.top);
    if (left + part.width === first.size.width) await this.#arrived(first, top + part.height);
  }

  /** Call after all parts were added. */
  finish(): PlainLevelsRendered {
    const runs = this.#levels.flatMap(({ index, grids }) =>
      grids
        .filter(({ tiles }) => tiles.length > 0)
        .map(({ grid, within, tiles }): PlainRun => ({ grid: gridId(grid), level: index, ...within, tiles })),
    );
    const last = this.#levels.at(-1)?.rows;
    if (!last) throw new RangeError('Expected at least one part');
    return { runs, last, margins: this.#levels.flatMap(({ margins }) => margins ?? []) };
  }

  /** Encodes and halves what the rows up to `bottom` complete. */
  async #arrived(level: WindowedLevel, bottom: number): Promise<void> {
    const { rows } = level;
    if (!rows) return;
    const before = level.bottom;
    level.bottom = bottom;
    if (this.#area.withMargins) this.#keepMargins(level, rows, before);
    const encoding = level.grids.map((each) => this.#encode(level, rows, each));
    const above = this.#levels[level.index + 1];
    const reading = [...encoding, ...(above ? [this.#halve(level, rows, above)] : [])];
    // Encoders read the rows until they end, whether another one fails or not.
    await allSettled(reading);
    if (!level.isLast) discard(level, rows);
  }

  async #encode(level: WindowedLevel, rows: Raster, to: GridRows): Promise<void> {
    const { grid, within } = to;
    const whole = roundedUpLevel(this.#area.full, level.index);
    for (; to.done < within.down; to.done++) {
      const row = within.row + to.done;
      const rects = Array.from({ length: within.across }, (_, n) => tileRect(whole, grid, within.column + n, row));
      if ((rects[0]?.bottom ?? 0) - level.rect.top > level.bottom) return;
      const own = rects.filter((rect) => !this.#area.isShared(grid, level.index, rect));
      const inRows = own.map((rect) => moved(rect, -level.rect.left, -level.rect.top - level.top));
      const tiles = (await encodePlainTiles(rows, inRows, grid, this.#arena)).values();
      for (const rect of rects) to.tiles.push(own.includes(rect) ? (tiles.next().value ?? []) : []);
    }
  }

  async #halve(level: WindowedLevel, rows: Raster, above: WindowedLevel): Promise<void> {
    const isWhole = level.bottom === level.size.height;
    const end = isWhole ? level.bottom : level.bottom - (level.bottom % 2);
    if (end === level.halved) return;
    const from = rowsOf(rows, level.halved - level.top, end - level.top);
    const bottom = Math.ceil(end / 2);
    const to = this.#rowsOf(above, rows, (this.#partRows >> above.index) + 2);
    halveUpInto(from, rowsOf(to, above.bottom - above.top, bottom - above.top));
    level.halved = end;
    await this.#arrived(above, bottom);
  }

  /** The rows of a level: as many as arrive at a time and those that wait for the next ones. */
  #rowsOf(level: WindowedLevel, like: Raster, arriving: number): Raster {
    const { width, height } = level.size;
    const waiting = marginOf(level.grids.map(({ grid }) => grid)) + 2;
    const kept = level.isLast ? height : Math.min(height, arriving + waiting);
    level.rows ??= rasterIn(this.#arena, { width, height: kept, bands: like.bands, bitDepth: bitDepthOf(like) });
    return level.rows;
  }

  /** Copies the rows that arrived last to the margins that they belong to. */
  #keepMargins(level: WindowedLevel, rows: Raster, before: number): void {
    const { width, height } = level.size;
    const side = marginOf(this.#area.grids);
    const [across, down] = [Math.min(side, width), Math.min(side, height)];
    const shape = { bands: rows.bands, bitDepth: bitDepthOf(rows) };
    const raster = (size: Size): Raster => rasterIn(this.#arena, { ...size, ...shape });
    level.margins ??= {
      level: level.index,
      top: raster({ width, height: down }),
      bottom: raster({ width, height: down }),
      left: raster({ width: across, height }),
      right: raster({ width: across, height }),
    };
    const { top, bottom, left, right } = level.margins;
    for (let y = before; y < level.bottom; y++) {
      const row = rowsOf(rows, y - level.top, y - level.top + 1).data;
      if (y < down) top.data.set(row, y * row.length);
      if (y >= height - down) bottom.data.set(row, (y - height + down) * row.length);
      const length = across * rows.bands;
      left.data.set(row.subarray(0, length), y * length);
      right.data.set(row.subarray(row.length - length), y * length);
    }
  }
}

/** Drops the rows that neither a row of tiles nor the level above needs. */
function discard(level: WindowedLevel, rows: Raster): void {
  const waiting = level.grids
    .filter(({ done, within }) => done < within.down)
    .map(({ grid, within, done }) => Math.max(0, (within.row + done) * grid.tileSize - grid.overlap - level.rect.top));
  const top = Math.min(level.halved, level.bottom, ...waiting);
  const row = rows.width * rows.bands;
  rows.data.copyWithin(0, (top - level.top) * row, (level.bottom - level.top) * row);
  level.top = top;
}

function moved(rect: Rect, x: number, y: number): Rect {
  return { left: rect.left + x, top: rect.top + y, right: rect.right + x, bottom: rect.bottom + y };
}

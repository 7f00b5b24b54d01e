/** Tiles whose pixels are those of several blocks, made from the margins of the blocks. */
import { Arena } from '../imaging/arena.ts';
import { encodePlainTiles } from '../imaging/plain-tiles.ts';
import { type Raster, rasterBytes, rasterFromBytes, rasterIn } from '../imaging/raster.ts';
import { blockRect, type Rect, rectSize } from '../pyramid/blocks.ts';
import { outputBands, outputBitDepth } from '../pyramid/output-samples.ts';
import type { Plan } from '../pyramid/plan.ts';
import {
  blocksTouching,
  marginOf,
  rectAtRoundedUpLevel,
  roundedUpLevel,
  type PlainGrid,
  type GridPosition,
  tileRect,
  tilesAcrossBlocks,
} from '../pyramid/tile-grids.ts';
import type { ObjectStore } from '../storage/object-store.ts';
import { openWork } from '../work/pinned-object.ts';
import type { PlanRef, WorkArea } from '../work/work-area.ts';
import { InconsistentWorkError } from '../errors.ts';
import { readFileBundleIndex } from './file-bundle.ts';

/** Where the blocks' margins are. */
export interface MarginSource {
  readonly store: ObjectStore;
  readonly area: WorkArea;
  readonly ref: PlanRef;
  readonly plan: Plan;
  readonly grids: readonly PlainGrid[];
  readonly lastLevel: number;
}

export interface JoinedTile extends GridPosition {
  readonly bytes: Uint8Array;
}

/**
 * Makes the tiles of one grid and level that begin in a block and reach into others, a row of tiles
 * at a time.
 */
export async function* joinedTiles(
  from: MarginSource,
  block: number,
  grid: PlainGrid,
  level: number,
): AsyncGenerator<readonly JoinedTile[]> {
  const { plan } = from;
  const size = roundedUpLevel(plan, level);
  const rows = new Map<number, GridPosition[]>();
  for (const tile of tilesAcrossBlocks(plan.blocks, block, plan, grid, level)) {
    rows.set(tile.row, [...(rows.get(tile.row) ?? []), tile]);
  }
  const margins = new MarginReader(from, level);
  for (const tiles of rows.values()) {
    const arena = new Arena();
    try {
      const rects = tiles.map(({ column, row }) => tileRect(size, grid, column, row));
      const strip = await margins.strip(rects, arena);
      const encoded = await encodePlainTiles(strip.raster, strip.rects, grid, arena);
      yield tiles.map((tile, index) => ({ ...tile, bytes: Buffer.concat(encoded[index] ?? []) }));
    } finally {
      arena.release();
    }
  }
}

type Side = 'top' | 'bottom' | 'left' | 'right';

/** Sides in the order in which the margins object has them. */
const sides: readonly Side[] = ['top', 'bottom', 'left', 'right'];

/** Reads margins of one level, and keeps those that the last row of tiles needed. */
class MarginReader {
  readonly #from: MarginSource;
  readonly #level: number;
  #kept = new Map<string, Promise<Raster>>();
  #needed = new Map<string, Promise<Raster>>();

  constructor(from: MarginSource, level: number) {
    this.#from = from;
    this.#level = level;
  }

  /** The pixels of rectangles of the level, one beside the other. */
  async strip(rects: readonly Rect[], arena: Arena): Promise<{ raster: Raster; rects: readonly Rect[] }> {
    const { plan } = this.#from;
    const height = Math.max(...rects.map((rect) => rectSize(rect).height));
    let width = 0;
    const placed = rects.map((rect) => {
      const left = width;
      width += rectSize(rect).width;
      return { left, top: 0, right: width, bottom: rectSize(rect).height };
    });
    const raster = rasterIn(arena, { width, height, bands: outputBands(plan), bitDepth: outputBitDepth(plan) });
    for (const [index, rect] of rects.entries()) await this.#fill(raster, placed[index]?.left ?? 0, rect);
    this.#kept = this.#needed;
    this.#needed = new Map();
    return { raster, rects: placed };
  }

  async #fill(into: Raster, left: number, rect: Rect): Promise<void> {
    const { plan } = this.#from;
    for (const block of blocksTouching(plan.blocks, rect, this.#level)) {
      const own = rectAtRoundedUpLevel(blockRect(plan.blocks, block), this.#level);
      const part = intersection(own, rect);
      if (!part) continue;
      const side = sideOf(own, part, marginOf(this.#from.grids));
      const { raster, rect: whole } = await this.#margin(block, own, side);
      copyPixels(raster, moved(part, -whole.left, -whole.top), into, left + part.left - rect.left, part.top - rect.top);
    }
  }

  async #margin(block: number, own: Rect, side: Side): Promise<{ raster: Raster; rect: Rect }> {
    const name = `${block} ${side}`;
    const known = this.#needed.get(name) ?? this.#kept.get(name) ?? this.#readMargin(block, side);
    this.#needed.set(name, known);
    return { raster: await known, rect: marginRect(own, side, marginOf(this.#from.grids)) };
  }

  async #readMargin(block: number, side: Side): Promise<Raster> {
    const { store, area, ref, plan, grids } = this.#from;
    const { margins } = await readFileBundleIndex(store, area, ref, block);
    if (!margins) throw new InconsistentWorkError(`Expected margins of block ${block}`);
    const thickness = marginOf(grids);
    const shape = { bands: outputBands(plan), bitDepth: outputBitDepth(plan) };
    let offset = 0;
    for (let level = 0; level <= this.#level; level++) {
      const own = rectAtRoundedUpLevel(blockRect(plan.blocks, block), level);
      for (const each of sides) {
        const size = rectSize(marginRect(own, each, thickness));
        const bytes = size.width * size.height * shape.bands * (shape.bitDepth / 8);
        if (level === this.#level && each === side) {
          const raster = rasterFromBytes({ ...size, ...shape }, new Uint8Array(bytes));
          await openWork(store, area.filesMargins(ref, block), margins).reader.readInto(rasterBytes(raster), offset);
          return raster;
        }
        offset += bytes;
      }
    }
    throw new RangeError(`Expected a level up to ${this.#from.lastLevel} but received ${this.#level}`);
  }
}

/** The part of a block within `thickness` pixels of a side. */
function marginRect({ left, top, right, bottom }: Rect, side: Side, thickness: number): Rect {
  if (side === 'top') return { left, top, right, bottom: Math.min(bottom, top + thickness) };
  if (side === 'bottom') return { left, top: Math.max(top, bottom - thickness), right, bottom };
  if (side === 'left') return { left, top, right: Math.min(right, left + thickness), bottom };
  return { left: Math.max(left, right - thickness), top, right, bottom };
}

/**
 * A margin of the block that contains the part. A tile that crosses an edge lies within its
 * thickness.
 */
function sideOf(own: Rect, part: Rect, thickness: number): Side {
  const side = sides.find((each) => {
    const margin = marginRect(own, each, thickness);
    const isAcross = part.left >= margin.left && part.right <= margin.right;
    return isAcross && part.top >= margin.top && part.bottom <= margin.bottom;
  });
  if (!side) throw new RangeError(`Expected a tile within ${thickness} pixels of the edges of its blocks`);
  return side;
}

function intersection(a: Rect, b: Rect): Rect | undefined {
  const left = Math.max(a.left, b.left);
  const top = Math.max(a.top, b.top);
  const right = Math.min(a.right, b.right);
  const bottom = Math.min(a.bottom, b.bottom);
  return left < right && top < bottom ? { left, top, right, bottom } : undefined;
}

function moved(rect: Rect, x: number, y: number): Rect {
  return { left: rect.left + x, top: rect.top + y, right: rect.right + x, bottom: rect.bottom + y };
}

function copyPixels(from: Raster, rect: Rect, to: Raster, left: number, top: number): void {
  for (let y = rect.top; y < rect.bottom; y++) {
    const start = (y * from.width + rect.left) * from.bands;
    const row = from.data.subarray(start, start + rectSize(rect).width * from.bands);
    to.data.set(row, ((top + y - rect.top) * to.width + left) * to.bands);
  }
}

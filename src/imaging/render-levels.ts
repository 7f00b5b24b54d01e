import { blockCount, blockRect, isEmpty, type Rect, rectAtLevel, rectSize, tilesOf } from '../pyramid/blocks.ts';
import type { Level, Size } from '../pyramid/levels.ts';
import { subdivide } from '../pyramid/subdivide.ts';
import type { Recipe } from '../recipe/recipe.ts';
import type { TileEncoding } from '../tiff/pyramid-fields.ts';
import { Arena } from './arena.ts';
import { encodeTiles } from './encode.ts';
import { halve } from './halve.ts';
import { placeRaster, type Raster, rasterIn } from './raster.ts';
import type { SourcePixels } from './source-pixels.ts';

export interface RenderedLevel {
  readonly index: number;
  readonly across: number;
  readonly down: number;
  /** Tiles in row-major order. */
  readonly tiles: readonly Uint8Array[];
}

export interface EncodedLevels {
  /** Largest level first; levels in which the area is empty are omitted. */
  readonly levels: readonly RenderedLevel[];
  readonly encoding: TileEncoding;
}

export interface RenderedLevels extends EncodedLevels {
  /** Raster of the smallest rendered level. */
  readonly last: Raster;
}

/** The rectangle of level 0 to render, and the levels to render it in. */
export interface Area {
  /**
   * Left and top are multiples of the tile size at every rendered level; right and bottom are too,
   * unless they are the edge of the image.
   */
  readonly rect: Rect;
  /** Size of level 0 in pixels. */
  readonly full: Size;
  /** In ascending order, each half the size of the previous one. */
  readonly levels: readonly Level[];
  readonly recipe: Pick<Recipe, 'tileSize' | 'encoding'>;
}

/**
 * Encodes a raster and its halvings into tiles. `raster` is the part of the first level within the
 * area; throws RangeError if its size differs. Halved rasters are in memory of `arena`, tiles in
 * memory of `tileArena`.
 */
export async function renderLevels(
  raster: Raster,
  area: Area,
  arena: Arena,
  tileArena: Arena = arena,
): Promise<RenderedLevels> {
  const rendering: Promise<RenderedLevel & { readonly encoding: TileEncoding }>[] = [];
  let current = raster;
  for (const [step, level] of area.levels.entries()) {
    // Encoders run in threads of their own; the next level is halved on this thread meanwhile.
    if (step > 0) current = halve(current, arena);
    const size = rectSize(rectAtLevel(area.rect, area.full, level));
    // At the edge of the image halving may drop the last column or row, which leaves the area
    // empty.
    if (size.width === 0 || size.height === 0) continue;
    if (size.width !== current.width || size.height !== current.height) {
      throw new RangeError(
        `Expected a raster of ${size.width} × ${size.height} but received ${current.width} × ${current.height}`,
      );
    }
    rendering.push(
      encodeTiles(current, area.recipe, tileArena).then((encoded) => ({ index: level.index, ...encoded })),
    );
  }
  const levels = await allSettled(rendering);
  const [largest] = levels;
  if (!largest) throw new RangeError('Expected at least one level that is not empty');
  return { levels, encoding: largest.encoding, last: current };
}

/**
 * Returns all results, or throws the first error after all promises have settled, because running
 * work still reads the arena.
 */
async function allSettled<Result>(promises: readonly Promise<Result>[]): Promise<Result[]> {
  await Promise.allSettled(promises);
  return Promise.all(promises);
}

export interface PartOptions {
  /** Number of pixels that are decoded at a time. */
  readonly partPixels: number;
  /**
   * Decodes the next part while the previous one is encoded, at the cost of the memory of one more
   * part. Useful where reads have a high latency.
   */
  readonly readAhead: boolean;
}

/**
 * Renders all levels of an image. An image of more than one part is decoded only once if that is
 * possible.
 */
export async function renderImage(
  area: Area,
  pixels: SourcePixels,
  options: PartOptions,
  arena: Arena,
): Promise<EncodedLevels> {
  const isOnePart = area.full.width * area.full.height <= options.partPixels;
  if (isOnePart || !pixels.decodedOnce) return renderArea(area, pixels, options, arena);
  return pixels.decodedOnce((decoded) => renderArea(area, decoded, options, arena));
}

/**
 * Renders an area from level 0 on, in parts of at most `partPixels`, so that memory does not grow
 * with the area. Requests each part from `pixels` once. The tiles and the last raster are in memory
 * of the arena.
 */
export async function renderArea(
  area: Area,
  pixels: SourcePixels,
  { partPixels, readAhead }: PartOptions,
  arena: Arena,
): Promise<RenderedLevels> {
  const { splitLevel, blocks } = subdivide(area.rect, area.recipe.tileSize, area.levels.length - 1, partPixels);
  if (blockCount(blocks) === 1) return renderLevels(await pixels.raster(area.rect, arena), area, arena);
  const parts = new Parts(area, splitLevel, arena);
  const rects = Array.from({ length: blockCount(blocks) }, (_, part) => blockRect(blocks, part));
  await forEachRaster(rects, pixels, readAhead, async (rect, raster, partArena) => {
    parts.put(rect, await renderLevels(raster, { ...area, levels: parts.levels, rect }, partArena, arena), partArena);
  });
  return parts.finish();
}

/** Calls `work` with the pixels of each rectangle, one after the other. */
async function forEachRaster(
  rects: readonly Rect[],
  pixels: SourcePixels,
  readAhead: boolean,
  work: (rect: Rect, raster: Raster, arena: Arena) => Promise<void>,
): Promise<void> {
  const begin = (rect: Rect): PendingPart => {
    const arena = new Arena();
    return { rect, arena, raster: pixels.raster(rect, arena) };
  };
  let ahead: PendingPart | undefined;
  try {
    for (const [index, rect] of rects.entries()) {
      const current = ahead ?? begin(rect);
      try {
        const raster = await current.raster;
        const next = readAhead ? rects[index + 1] : undefined;
        ahead = next && begin(next);
        await work(rect, raster, current.arena);
      } finally {
        current.arena.release();
      }
    }
  } finally {
    // After an error the next part may still be decoding into its arena.
    if (ahead) await ahead.raster.catch(() => undefined);
    ahead?.arena.release();
  }
}

interface PendingPart {
  readonly rect: Rect;
  readonly arena: Arena;
  readonly raster: Promise<Raster>;
}

/**
 * Collects the rendered parts of an area: their tiles, and the raster from which the levels above
 * them are rendered.
 */
class Parts {
  /** Levels that are rendered part by part. */
  readonly levels: readonly Level[];
  readonly #area: Area;
  readonly #arena: Arena;
  readonly #grids: readonly TileGrid[];
  /**
   * The level of the assembled raster: the first level above those of the parts, or their smallest
   * level if there is none above.
   */
  readonly #level: Level;
  readonly #isHalved: boolean;
  #encoding: TileEncoding | undefined;
  #raster: Raster | undefined;

  constructor(area: Area, splitLevel: number, arena: Arena) {
    this.levels = area.levels.slice(0, splitLevel + 1);
    const level = area.levels[splitLevel + 1] ?? this.levels.at(-1);
    if (!level) throw new RangeError('Expected at least one level');
    this.#area = area;
    this.#arena = arena;
    this.#grids = this.levels.map((each) => new TileGrid(each, area));
    this.#level = level;
    this.#isHalved = level.index > splitLevel;
  }

  put(rect: Rect, { levels, encoding, last }: RenderedLevels, arena: Arena): void {
    this.#encoding ??= encoding;
    for (const level of levels) this.#grids[level.index]?.put(level, rect);
    this.#raster ??= this.#blank(last);
    const at = rectAtLevel(rect, this.#area.full, this.#level);
    if (isEmpty(at)) return;
    const { left, top } = rectAtLevel(this.#area.rect, this.#area.full, this.#level);
    placeRaster(this.#raster, this.#isHalved ? halve(last, arena) : last, at.left - left, at.top - top);
  }

  /** Renders the levels above those of the parts and returns all levels. */
  async finish(): Promise<RenderedLevels> {
    if (!this.#encoding || !this.#raster) throw new RangeError('Expected at least one part');
    const levels = this.#grids.map((grid) => grid.rendered()).filter(({ tiles }) => tiles.length > 0);
    const whole = { levels, encoding: this.#encoding, last: this.#raster };
    if (!this.#isHalved || this.#raster.width * this.#raster.height === 0) return whole;
    const above = this.#area.levels.slice(this.levels.length);
    const rest = await renderLevels(this.#raster, { ...this.#area, levels: above }, this.#arena);
    return { ...whole, levels: [...levels, ...rest.levels], last: rest.last };
  }

  #blank({ bands, data }: Raster): Raster {
    const size = rectSize(rectAtLevel(this.#area.rect, this.#area.full, this.#level));
    return rasterIn(this.#arena, { ...size, bands, bitDepth: data instanceof Uint8Array ? 8 : 16 });
  }
}

/** The tiles of one level of an area, collected from its parts. */
class TileGrid {
  readonly #level: Level;
  readonly #area: Area;
  readonly #tiles: Uint8Array[];
  readonly #across: number;
  readonly #down: number;
  readonly #column: number;
  readonly #row: number;

  constructor(level: Level, area: Area) {
    const { column, row, across, down } = tilesOf(rectAtLevel(area.rect, area.full, level), area.recipe.tileSize);
    this.#level = level;
    this.#area = area;
    this.#across = across;
    this.#down = down;
    this.#column = column;
    this.#row = row;
    this.#tiles = new Array<Uint8Array>(across * down);
  }

  put(part: RenderedLevel, rect: Rect): void {
    const { full, recipe } = this.#area;
    const { column, row } = tilesOf(rectAtLevel(rect, full, this.#level), recipe.tileSize);
    part.tiles.forEach((tile, index) => {
      const x = column - this.#column + (index % part.across);
      const y = row - this.#row + Math.floor(index / part.across);
      this.#tiles[y * this.#across + x] = tile;
    });
  }

  rendered(): RenderedLevel {
    return { index: this.#level.index, across: this.#across, down: this.#down, tiles: this.#tiles };
  }
}

import { blockCount, blockRect, isEmpty, type Rect, rectAtLevel, rectSize, tilesOf } from '../pyramid/blocks.ts';
import type { Level, Size } from '../pyramid/levels.ts';
import { subdivide } from '../pyramid/subdivide.ts';
import type { Recipe } from '../pyramid/recipe.ts';
import type { TileEncoding } from '../tiff/pyramid-fields.ts';
import { Arena } from './arena.ts';
import { encodeTiles } from './encode.ts';
import { halve } from './halve.ts';
import { placeRaster, type Raster, rasterFromBytes } from './raster.ts';
import type { SourcePixels } from './source-pixels.ts';

export interface RenderedLevel {
  readonly index: number;
  readonly across: number;
  readonly down: number;
  /** Row by row. */
  readonly tiles: readonly Uint8Array[];
}

export interface RenderedLevels {
  /** From the largest; levels in which nothing is left are not there. */
  readonly levels: readonly RenderedLevel[];
  readonly encoding: TileEncoding;
  /** The smallest raster; it may lie in the arena. */
  readonly last: Raster;
}

/** What to render: a rectangle of level 0 and the levels it is wanted in. */
export interface Area {
  /** Left and top are multiples of the tile size at every level wanted; right and bottom are too, or the image's edge. */
  readonly rect: Rect;
  /** Size of level 0. */
  readonly full: Size;
  /** Ascending, each half the one before. */
  readonly levels: readonly Level[];
  readonly recipe: Pick<Recipe, 'tileSize' | 'encoding'>;
}

/**
 * Encodes a raster and its halvings into tiles. The raster is the area's part of the first of its levels.
 * Throws RangeError when it is of another size than that.
 */
export async function renderLevels(raster: Raster, area: Area, arena?: Arena): Promise<RenderedLevels> {
  const rendering: Promise<RenderedLevel & { readonly encoding: TileEncoding }>[] = [];
  let current = raster;
  for (const [step, level] of area.levels.entries()) {
    // Encoders run in threads of their own: while they are busy with one level, the next is halved here.
    if (step > 0) current = halve(current, arena);
    const size = rectSize(rectAtLevel(area.rect, area.full, level));
    // At the image's edge halving may drop the last column or row, and with it all there was.
    if (size.width === 0 || size.height === 0) continue;
    if (size.width !== current.width || size.height !== current.height) {
      throw new RangeError(
        `Expected a raster of ${size.width} × ${size.height} but received ${current.width} × ${current.height}`,
      );
    }
    rendering.push(encodeTiles(current, area.recipe).then((encoded) => ({ index: level.index, ...encoded })));
  }
  const levels = await allSettled(rendering);
  const [largest] = levels;
  if (!largest) throw new RangeError('Expected at least one level that is not empty');
  return { levels, encoding: largest.encoding, last: current };
}

/** All results, or the first failure once nothing runs any more: what runs still reads the arena. */
async function allSettled<Result>(promises: readonly Promise<Result>[]): Promise<Result[]> {
  await Promise.allSettled(promises);
  return Promise.all(promises);
}

/**
 * Renders an area from level 0 on, in parts that each fit in `partPixels`: memory does not grow with the area. `pixels` is
 * asked for each part once. The last raster lies in the arena.
 */
export async function renderArea(
  area: Area,
  pixels: SourcePixels,
  partPixels: number,
  arena: Arena,
): Promise<RenderedLevels> {
  const { splitLevel, blocks } = subdivide(area.rect, area.recipe.tileSize, area.levels.length - 1, partPixels);
  if (blockCount(blocks) === 1) return renderLevels(await pixels(area.rect, arena), area, arena);
  const below = { ...area, levels: area.levels.slice(0, splitLevel + 1) };
  const parts = new Parts(below, arena);
  for (let part = 0; part < blockCount(blocks); part++) {
    const partArena = new Arena();
    try {
      const rect = blockRect(blocks, part);
      parts.put(rect, await renderLevels(await pixels(rect, partArena), { ...below, rect }, partArena));
    } finally {
      partArena.release();
    }
  }
  const whole = parts.together();
  const above = area.levels.slice(splitLevel + 1);
  if (above.length === 0 || whole.last.width * whole.last.height === 0) return whole;
  const rest = await renderLevels(halve(whole.last, arena), { ...area, levels: above }, arena);
  return { levels: [...whole.levels, ...rest.levels], encoding: whole.encoding, last: rest.last };
}

/** The parts of an area as they come, side by side. */
class Parts {
  readonly #area: Area;
  readonly #arena: Arena;
  readonly #grids: readonly TileGrid[];
  /** Where the area lies in the smallest level of its parts. */
  readonly #place: Rect;
  readonly #smallest: Level;
  #encoding: TileEncoding | undefined;
  #last: Raster | undefined;

  constructor(area: Area, arena: Arena) {
    const smallest = area.levels.at(-1);
    if (!smallest) throw new RangeError('Expected at least one level');
    this.#area = area;
    this.#arena = arena;
    this.#grids = area.levels.map((level) => new TileGrid(level, area));
    this.#smallest = smallest;
    this.#place = rectAtLevel(area.rect, area.full, smallest);
  }

  put(rect: Rect, { levels, encoding, last }: RenderedLevels): void {
    this.#encoding ??= encoding;
    for (const level of levels) this.#grids[level.index]?.put(level, rect);
    this.#last ??= this.#blank(last);
    const at = rectAtLevel(rect, this.#area.full, this.#smallest);
    if (!isEmpty(at)) placeRaster(this.#last, last, at.left - this.#place.left, at.top - this.#place.top);
  }

  together(): RenderedLevels {
    if (!this.#encoding || !this.#last) throw new RangeError('Expected at least one part');
    const levels = this.#grids.map((grid) => grid.rendered()).filter(({ tiles }) => tiles.length > 0);
    return { levels, encoding: this.#encoding, last: this.#last };
  }

  #blank({ bands, data }: Raster): Raster {
    const shape = { ...rectSize(this.#place), bands, bitDepth: data instanceof Uint8Array ? 8 : 16 };
    return rasterFromBytes(shape, this.#arena.take(shape.width * shape.height * bands * (shape.bitDepth / 8)));
  }
}

/** The tiles of one level of an area, gathered from its parts. */
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

import { rectAtLevel, rectSize } from '../pyramid/blocks.ts';
import type { Level, Size } from '../pyramid/levels.ts';
import type { TileEncoding } from '../tiff/pyramid-fields.ts';
import { Arena } from './arena.ts';
import { encodeTiles } from './encode.ts';
import { halve, halveInto } from './halve.ts';
import { allSettled } from '../parallel.ts';
import { bitDepthOf, placeRaster, type Raster, rasterIn, rowsOf } from './raster.ts';
import type { Area, RenderedLevel, RenderedLevels } from './render-levels.ts';
import { LevelTiles } from './level-tiles.ts';

/** A level of the area, and the rows of it that wait for being encoded and halved. */
interface StripLevel {
  readonly level: Level;
  /** Of the area at this level, in pixels; empty where halving drops its only column or row. */
  readonly size: Size;
  readonly grid: LevelTiles;
  strip?: Raster;
  /** First row of the strip, and the rows up to which the level is encoded. */
  top: number;
}

/**
 * Renders the levels of an area from parts of its first level, which arrive in rows from the top.
 * Of each level above the first, only a strip is in memory, as high as a row of parts: it is
 * encoded, and halved into the strip of the next level, as soon as it is full. The smallest level
 * is kept.
 */
export class LevelStrips {
  readonly #area: Area;
  readonly #rows: number;
  readonly #arena: Arena;
  readonly #levels: readonly StripLevel[];
  #encoding: TileEncoding | undefined;
  #last: Raster | undefined;

  /** `rows` is the height of a row of parts: a multiple of the tile size, or that of the area. */
  constructor(area: Area, rows: number, arena: Arena) {
    this.#area = area;
    this.#rows = rows;
    this.#arena = arena;
    this.#levels = area.levels.map((level) => {
      const size = rectSize(rectAtLevel(area.rect, area.full, level));
      return { level, size, grid: new LevelTiles(size, area.recipe.tileSize), top: 0 };
    });
  }

  /**
   * Encodes a part at `left`, `top` of the area in the first level, and what it completes of the
   * levels above. Resolves when the part is no longer read.
   */
  async add(part: Raster, left: number, top: number): Promise<void> {
    const [first] = this.#levels;
    if (!first) throw new RangeError('Expected at least one level');
    const encoding = [this.#encode(first, part, left, top)];
    // Encoders run in threads of their own; the levels above are halved on this thread meanwhile.
    this.#halve(part, left, top, 1);
    if (this.#levels.length === 1) this.#keep(part, left, top);
    if (left + part.width === first.size.width) encoding.push(...this.#flush(top + part.height));
    await allSettled(encoding);
  }

  /** All levels that are not empty. Call after all parts were added. */
  finish(): RenderedLevels {
    const levels = this.#levels
      .map(({ level: { index }, grid }): RenderedLevel => ({
        index,
        across: grid.across,
        down: grid.down,
        tiles: grid.tiles,
      }))
      .filter(({ tiles }) => tiles.length > 0);
    if (!this.#encoding || !this.#last) throw new RangeError('Expected at least one part');
    return { levels, encoding: this.#encoding, last: this.#levels.at(-1)?.strip ?? this.#last };
  }

  /** Encodes and halves the strips that are complete once the first level is, up to `bottom`. */
  #flush(bottom: number): Promise<void>[] {
    const encoding: Promise<void>[] = [];
    let arrived = bottom;
    for (const [index, here] of this.#levels.entries()) {
      const below = this.#levels[index - 1];
      if (!below) continue;
      arrived = arrived === below.size.height ? here.size.height : arrived / 2;
      const isLast = index === this.#levels.length - 1;
      const isFull = arrived === here.size.height || (!isLast && arrived - here.top === this.#rows);
      if (!isFull || !here.strip || arrived === here.top) break;
      const strip = rowsOf(here.strip, 0, arrived - here.top);
      encoding.push(this.#encode(here, strip, 0, here.top));
      this.#halve(strip, 0, here.top, index + 1);
      here.top = arrived;
    }
    return encoding;
  }

  async #encode(to: StripLevel, raster: Raster, left: number, top: number): Promise<void> {
    const { recipe } = this.#area;
    const encoded = await encodeTiles(raster, recipe, this.#arena);
    this.#encoding ??= encoded.encoding;
    to.grid.put(encoded, left / recipe.tileSize, top / recipe.tileSize);
  }

  /** Halves rows of one level into the strip of the next one, `index`. */
  #halve(from: Raster, left: number, top: number, index: number): void {
    this.#last ??= rasterIn(this.#arena, { width: 0, height: 0, bands: from.bands, bitDepth: bitDepthOf(from) });
    const to = this.#levels[index];
    if (!to) return;
    const width = Math.min(Math.max(1, from.width >> 1), to.size.width - left / 2);
    const height = Math.min(Math.max(1, from.height >> 1), to.size.height - top / 2);
    if (width <= 0 || height <= 0) return;
    to.strip ??= this.#blankStrip(to, from);
    const at = top / 2 - to.top;
    if (width === to.size.width) {
      halveInto(from, rowsOf(to.strip, at, at + height));
      return;
    }
    const own = new Arena();
    placeRaster(to.strip, halve(from, own), left / 2, at);
    own.release();
  }

  /** Keeps the only level, of which every row is needed. */
  #keep(part: Raster, left: number, top: number): void {
    const [only] = this.#levels;
    if (!only) return;
    if (part.width === only.size.width && part.height === only.size.height) {
      this.#last = part;
      return;
    }
    only.strip ??= this.#blankStrip(only, part);
    placeRaster(only.strip, part, left, top);
  }

  #blankStrip(of: StripLevel, like: Raster): Raster {
    const isLast = of === this.#levels.at(-1);
    const height = isLast ? of.size.height : Math.min(of.size.height, this.#rows);
    return rasterIn(this.#arena, { width: of.size.width, height, bands: like.bands, bitDepth: bitDepthOf(like) });
  }
}

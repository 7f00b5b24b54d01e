import { blockCount, blockRect, largestBlock, type Rect, rectAtLevel, rectSize } from '../pyramid/blocks.ts';
import type { Level, Size } from '../pyramid/levels.ts';
import { subdivide } from '../pyramid/subdivide.ts';
import { allSettled } from '../parallel.ts';
import type { Recipe } from '../recipe/recipe.ts';
import type { TileEncoding } from '../tiff/pyramid-fields.ts';
import { Arena } from './arena.ts';
import { LevelStrips } from './level-strips.ts';
import type { Raster } from './raster.ts';
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
 * area; throws RangeError if its size differs. Halved rasters and tiles are in memory of `arena`.
 */
export async function renderLevels(raster: Raster, area: Area, arena: Arena): Promise<RenderedLevels> {
  const [first] = area.levels;
  const { width, height } = first ? rectSize(rectAtLevel(area.rect, area.full, first)) : raster;
  if (width !== raster.width || height !== raster.height) {
    throw new RangeError(`Expected a raster of ${width} × ${height} but received ${raster.width} × ${raster.height}`);
  }
  const strips = new LevelStrips(area, raster.height, arena);
  await strips.add(raster, 0, 0);
  return strips.finish();
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

/** Receives the same parts as the levels of an area, and may read each until its call resolves. */
export interface PartReader {
  /** A part at `left`, `top` of the area. Parts arrive in rows from the top. */
  add(part: Raster, left: number, top: number): Promise<void>;
}

/** Makes the reader of an area's parts, of which the largest has so many rows. */
export type MakePartReader = (partRows: number) => PartReader;

/**
 * Renders all levels of an image. An image of more than one part is decoded only once if that is
 * possible.
 */
export async function renderImage(
  area: Area,
  pixels: SourcePixels,
  options: PartOptions,
  arena: Arena,
  beside?: MakePartReader,
): Promise<EncodedLevels> {
  const isOnePart = area.full.width * area.full.height <= options.partPixels;
  if (isOnePart || !pixels.decodedOnce) return renderArea(area, pixels, options, arena, beside);
  return pixels.decodedOnce((decoded) => renderArea(area, decoded, options, arena, beside));
}

/**
 * Renders an area from level 0 on, in parts of about `partPixels`, so that memory does not grow
 * with its height. Requests each part from `pixels` once, in rows from the top. The tiles and the
 * last raster are in memory of the arena. `beside` makes another reader of the same parts.
 */
export async function renderArea(
  area: Area,
  pixels: SourcePixels,
  { partPixels, readAhead }: PartOptions,
  arena: Arena,
  beside?: MakePartReader,
): Promise<RenderedLevels> {
  const { rect, recipe } = area;
  const parts = subdivide(rect, recipe.tileSize, partPixels);
  const rows = largestBlock(parts).height;
  const reader = beside?.(rows);
  if (blockCount(parts) === 1) {
    const raster = await pixels.raster(rect, arena);
    const [rendered] = await allSettled([renderLevels(raster, area, arena), reader?.add(raster, 0, 0)]);
    return rendered;
  }
  const strips = new LevelStrips(area, rows, arena);
  const rects = Array.from({ length: blockCount(parts) }, (_, part) => blockRect(parts, part));
  await forEachRaster(rects, pixels, readAhead, async ({ left, top }, raster) => {
    const at = [left - rect.left, top - rect.top] as const;
    await allSettled([strips.add(raster, ...at), reader?.add(raster, ...at)]);
  });
  return strips.finish();
}

/** Calls `work` with the pixels of each rectangle, one after the other. */
async function forEachRaster(
  rects: readonly Rect[],
  pixels: SourcePixels,
  readAhead: boolean,
  work: (rect: Rect, raster: Raster) => Promise<void>,
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
        await work(rect, raster);
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

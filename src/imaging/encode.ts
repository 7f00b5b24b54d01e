import type { Sharp, TiffOptions } from 'sharp';
import { ENCODED_WIDTH, MAX_ENCODED_SIDE } from '../limits.ts';
import { forEachParallel } from '../parallel.ts';
import { edges } from '../pyramid/blocks.ts';
import { encodingProperties } from '../recipe/encodings.ts';
import type { Recipe } from '../recipe/recipe.ts';
import { type EncodedTiles, takeTiles } from '../tiff/encoded-tiles.ts';
import type { Arena } from './arena.ts';
import { deflateTiles } from './deflate-tiles.ts';
import type { Raster } from './raster.ts';
import { sharp } from './sharp.ts';

/**
 * sharp's options for TIFF tiles in the encoding of the recipe; a single pass over the whole image
 * uses the same options.
 */
function tiffOptions(recipe: Pick<Recipe, 'tileSize' | 'encoding'>): TiffOptions {
  const { tileSize, encoding } = recipe;
  const { predictor } = encodingProperties(encoding);
  return {
    tile: true,
    tileWidth: tileSize,
    tileHeight: tileSize,
    compression: encoding.compression,
    ...('quality' in encoding ? { quality: encoding.quality } : {}),
    ...(predictor ? { predictor } : {}),
  };
}

/**
 * sharp's name of the colour space with one or three bands of 8 or 16 bits, in which samples are
 * written unchanged.
 */
export function colourspaceOf(bands: number, bitDepth: number): string {
  if (bitDepth === 16) return bands === 1 ? 'grey16' : 'rgb16';
  return bands === 1 ? 'b-w' : 'srgb';
}

/**
 * Number of parts of one raster that are encoded concurrently. A single encoder leaves a core idle
 * between two parts.
 */
const ENCODERS = 2;

/**
 * Encodes the raster of one level, or of a part of it, into tiles, row by row, in memory of the
 * arena. Edge tiles are padded.
 */
export async function encodeTiles(
  raster: Raster,
  recipe: Pick<Recipe, 'tileSize' | 'encoding'>,
  arena: Arena,
): Promise<EncodedTiles> {
  if (recipe.encoding.compression === 'deflate') {
    return deflateTiles(raster, { tileSize: recipe.tileSize, level: recipe.encoding.level }, arena);
  }
  const inTiles = (pixels: number): number => Math.max(1, Math.floor(pixels / recipe.tileSize)) * recipe.tileSize;
  const [width, height] = [inTiles(ENCODED_WIDTH), inTiles(MAX_ENCODED_SIDE)];
  if (raster.width <= width && raster.height <= height) return encodePart(raster, recipe, arena);
  const columns = pairs(edges(raster.width, width));
  const rows = pairs(edges(raster.height, height));
  const parts: EncodedTiles[] = [];
  const rects = rows.flatMap(([top, bottom]) => columns.map(([left, right]) => ({ left, top, right, bottom })));
  await forEachParallel(rects, ENCODERS, async ({ left, top, right, bottom }, index) => {
    const part = { left, top, width: right - left, height: bottom - top };
    parts[index] = await encodePart(raster, recipe, arena, part);
  });
  const bands = rows.map((_, row) => joinHorizontally(parts.slice(row * columns.length, (row + 1) * columns.length)));
  return {
    ...firstOf(bands),
    down: bands.reduce((sum, { down }) => sum + down, 0),
    tiles: bands.flatMap(({ tiles }) => tiles),
  };
}

async function encodePart(
  raster: Raster,
  recipe: Pick<Recipe, 'tileSize' | 'encoding'>,
  arena: Arena,
  part?: { left: number; top: number; width: number; height: number },
): Promise<EncodedTiles> {
  const whole = rasterPipeline(raster);
  const file = await (part ? whole.extract(part) : whole).tiff(tiffOptions(recipe)).toBuffer();
  return firstOf(await takeTiles(arena.adopt(file)));
}

/** A libvips pipeline whose input is the samples of the raster. */
export function rasterPipeline({ width, height, bands, data }: Raster): Sharp {
  const raw = { width, height, channels: bands === 1 ? 1 : 3 } as const;
  return sharp(data, { raw, limitInputPixels: width * height }).toColourspace(
    colourspaceOf(bands, data instanceof Uint8Array ? 8 : 16),
  );
}

/**
 * Encodes an image and all levels below it in one pass of libvips, largest level first. The tiles
 * are in memory of the arena.
 */
export async function encodePyramid(
  picture: Sharp,
  recipe: Pick<Recipe, 'tileSize' | 'encoding'>,
  arena: Arena,
): Promise<readonly EncodedTiles[]> {
  const file = await picture.tiff({ ...tiffOptions(recipe), pyramid: true }).toBuffer();
  return takeTiles(arena.adopt(file));
}

/** Joins parts that lie side by side and have the same number of tile rows. */
function joinHorizontally(parts: readonly EncodedTiles[]): EncodedTiles {
  const { down, encoding } = firstOf(parts);
  const tiles = Array.from({ length: down }, (_, row) =>
    parts.flatMap((part) => part.tiles.slice(row * part.across, (row + 1) * part.across)),
  ).flat();
  return { across: parts.reduce((sum, { across }) => sum + across, 0), down, tiles, encoding };
}

function pairs(values: readonly number[]): [number, number][] {
  return values.slice(1).map((value, index) => [values[index] ?? 0, value]);
}

function firstOf(parts: readonly EncodedTiles[]): EncodedTiles {
  const [first] = parts;
  if (!first) throw new RangeError('Expected at least one part');
  return first;
}

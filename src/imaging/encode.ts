import type { Sharp, TiffOptions } from 'sharp';
import { ENCODED_WIDTH, MAX_ENCODED_SIDE } from '../limits.ts';
import { forEachParallel } from '../parallel.ts';
import { edges, type Rect, rectSize } from '../pyramid/blocks.ts';
import { type Encoding, type EncodingName, type EncodingOf, encodingProperties } from '../recipe/encodings.ts';
import { type EncodedTiles, takeTiles } from '../tiff/encoded-tiles.ts';
import type { Arena } from './arena.ts';
import { deflateTiles } from './deflate-tiles.ts';
import type { Raster } from './raster.ts';
import { sharp } from './sharp.ts';

interface TileOptions {
  readonly tileSize: number;
  readonly encoding: Encoding;
}

/** sharp's options for TIFF tiles in the encoding. */
function tiffOptions({ tileSize, encoding }: TileOptions): TiffOptions {
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

/** Encodes a raster into tiles of `tileSize` in memory of the arena. */
type TileEncoder<Name extends EncodingName> = (
  raster: Raster,
  recipe: { readonly tileSize: number; readonly encoding: EncodingOf<Name> },
  arena: Arena,
) => Promise<EncodedTiles>;

/** The encoder of each encoding: `libvipsTiles` where sharp writes it under the same name. */
const encoders: { readonly [Name in EncodingName]: TileEncoder<Name> } = {
  jpeg: libvipsTiles,
  deflate: (raster, { tileSize, encoding: { level } }, arena) => deflateTiles(raster, { tileSize, level }, arena),
  lzw: libvipsTiles,
  webp: libvipsTiles,
};

/**
 * Encodes the raster of one level, or of a part of it, into tiles, row by row, in memory of the
 * arena. Edge tiles are padded: by libvipsTiles with the last column and row of the raster, because
 * what is beyond the edge affects the samples before it under a lossy encoding.
 */
export function encodeTiles<Name extends EncodingName>(
  raster: Raster,
  { tileSize, encoding }: { readonly tileSize: number; readonly encoding: EncodingOf<Name> },
  arena: Arena,
): Promise<EncodedTiles> {
  return encoders[encoding.compression](raster, { tileSize, encoding }, arena);
}

/**
 * Number of parts of one raster that are encoded concurrently. A single encoder leaves a core idle
 * between two parts.
 */
const ENCODERS = 2;

async function libvipsTiles(raster: Raster, recipe: TileOptions, arena: Arena): Promise<EncodedTiles> {
  const inTiles = (pixels: number): number => Math.max(1, Math.floor(pixels / recipe.tileSize)) * recipe.tileSize;
  const columns = pairs(edges(raster.width, inTiles(ENCODED_WIDTH)));
  const rows = pairs(edges(raster.height, inTiles(MAX_ENCODED_SIDE)));
  const parts: EncodedTiles[] = [];
  const rects = rows.flatMap(([top, bottom]) => columns.map(([left, right]) => ({ left, top, right, bottom })));
  await forEachParallel(rects, ENCODERS, async (rect, index) => {
    parts[index] = await encodePart(raster, rect, recipe, arena);
  });
  const bands = rows.map((_, row) => joinHorizontally(parts.slice(row * columns.length, (row + 1) * columns.length)));
  return {
    ...firstOf(bands),
    down: bands.reduce((sum, { down }) => sum + down, 0),
    tiles: bands.flatMap(({ tiles }) => tiles),
  };
}

async function encodePart(raster: Raster, rect: Rect, recipe: TileOptions, arena: Arena): Promise<EncodedTiles> {
  const { width, height } = rectSize(rect);
  const whole = rasterPipeline(raster);
  const isWhole = width === raster.width && height === raster.height;
  const part = isWhole ? whole : whole.extract({ left: rect.left, top: rect.top, width, height });
  const file = await paddedToTiles(part, rect, recipe.tileSize).tiff(tiffOptions(recipe)).toBuffer();
  return firstOf(await takeTiles(arena.adopt(file)));
}

/**
 * Repeats the last column and row until the part consists of whole tiles. libvips itself pads JPEG
 * tiles with black, which chroma subsampling and ringing carry into the picture, and leaves in
 * other tiles what the previous tile had there.
 */
function paddedToTiles(part: Sharp, rect: Rect, tileSize: number): Sharp {
  const { width, height } = rectSize(rect);
  const missing = (side: number): number => Math.ceil(side / tileSize) * tileSize - side;
  const [right, bottom] = [missing(width), missing(height)];
  return right + bottom === 0 ? part : part.extend({ right, bottom, extendWith: 'copy' });
}

/** A libvips pipeline whose input is the samples of the raster. */
export function rasterPipeline({ width, height, bands, data }: Raster): Sharp {
  const raw = { width, height, channels: bands === 1 ? 1 : 3 } as const;
  return sharp(data, { raw, limitInputPixels: width * height }).toColourspace(
    colourspaceOf(bands, data instanceof Uint8Array ? 8 : 16),
  );
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

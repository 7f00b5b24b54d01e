/** Encodes tiles that are files of their own: JPEG and PNG. */
import { availableParallelism } from 'node:os';
import { forEachParallel } from '../parallel.ts';
import { type Rect, rectSize } from '../pyramid/blocks.ts';
import type { PlainGrid } from '../pyramid/tile-grids.ts';
import { encodings } from '../recipe/encodings.ts';
import type { TileEncoding } from '../tiff/pyramid-fields.ts';
import { sizedJpeg, wholeJpegStart } from '../tiff/whole-jpeg.ts';
import { Arena } from './arena.ts';
import { colourspaceOf, encodeTiles, rasterPipeline } from './encode.ts';
import { type Raster, rasterIn } from './raster.ts';

type Format = Pick<PlainGrid, 'format' | 'quality'>;

/** Encoded tiles, each in one or several pieces. */
export type PlainTile = readonly Uint8Array[];

/** Number of tiles encoded concurrently by a call of libvips each. */
const ENCODERS = availableParallelism() + 1;

/** Sides of tiles in a TIFF are multiples of this many pixels. */
const CELL = 16;

/**
 * Encodes rectangles of a raster, side by side in one row, into files. Interior tiles are encoded
 * as tiles of a TIFF, many in one call, which takes a third of the time of a call for each; they
 * decode to the same samples. Tiles are in memory of the arena.
 */
export async function encodePlainTiles(
  raster: Raster,
  rects: readonly Rect[],
  format: Format,
  arena: Arena,
): Promise<PlainTile[]> {
  const cell = Math.max(0, ...rects.map((rect) => cellOf(rect)));
  const joined = rects.filter((rect) => isJoinable(rect, cell, raster, format));
  const tiles = new Map<Rect, PlainTile>();
  const joining = joined.length === 0 ? undefined : encodeJoined(raster, joined, cell, format, arena);
  const single = rects.filter((rect) => !joined.includes(rect));
  await forEachParallel(single, ENCODERS, async (rect) => {
    tiles.set(rect, [await encodePlainImage(raster, rect, format, arena)]);
  });
  for (const [index, tile] of ((await joining) ?? []).entries()) tiles.set(joined[index] as Rect, tile);
  return rects.map((rect) => tiles.get(rect) as PlainTile);
}

/** Encodes a rectangle of a raster with sharp's own options, 8 bits a sample. */
export async function encodePlainImage(
  raster: Raster,
  rect: Rect,
  { format, quality }: Format,
  arena: Arena,
): Promise<Uint8Array> {
  const part = rasterPipeline(raster)
    .extract({ left: rect.left, top: rect.top, ...rectSize(rect) })
    .toColourspace(colourspaceOf(raster.bands, 8));
  return arena.adopt(await (format === 'png' ? part.png() : part.jpeg({ quality })).toBuffer());
}

/** Reduces a raster to an image of `size` and encodes that. */
export async function encodeReduced(
  raster: Raster,
  size: { readonly width: number; readonly height: number },
  { format, quality }: Format,
  arena: Arena,
): Promise<Uint8Array> {
  const part = rasterPipeline(raster)
    .resize({ ...size, fit: 'fill' })
    .toColourspace(colourspaceOf(raster.bands, 8));
  return arena.adopt(await (format === 'png' ? part.png() : part.jpeg({ quality })).toBuffer());
}

/**
 * Whether tiles of a JPEG-compressed TIFF of this encoding are tiles of `format`: below the quality
 * from which libvips writes RGB in TIFF, but not in JPEG files.
 */
export function sharesTiffTiles({ format, quality }: Format): boolean {
  return format === 'jpg' && quality < encodings.jpeg.unsubsampledFrom;
}

/** Makes files of the tiles of a TIFF that has JPEG tiles. */
export function tileConverter(encoding: TileEncoding): (tile: Uint8Array, rect: Rect) => PlainTile {
  const start = wholeJpegStart(encoding, undefined);
  if (!start) throw new RangeError(`Expected JPEG tiles with tables but received compression ${encoding.compression}`);
  return (tile, rect) => sizedJpeg(start, tile, rectSize(rect));
}

function cellOf(rect: Rect): number {
  const { width, height } = rectSize(rect);
  return Math.ceil(Math.max(width, height) / CELL) * CELL;
}

/**
 * Whether a tile has as many MCUs as its cell. Padding repeats the last row of pixels; libjpeg
 * repeats the last row of halved chroma, which is the same for an odd number of rows.
 */
function isJoinable(rect: Rect, cell: number, { bands, data }: Raster, format: Format): boolean {
  const { width, height } = rectSize(rect);
  const mcu = bands === 1 ? 8 : CELL;
  const fills = (side: number): boolean => Math.ceil(side / mcu) * mcu === cell;
  const isPaddedAlike = bands === 1 || height === cell || height % 2 === 1;
  return sharesTiffTiles(format) && data instanceof Uint8Array && fills(width) && fills(height) && isPaddedAlike;
}

async function encodeJoined(
  raster: Raster,
  rects: readonly Rect[],
  cell: number,
  { quality }: Format,
  arena: Arena,
): Promise<PlainTile[]> {
  const own = new Arena();
  try {
    const { bands } = raster;
    const row = rasterIn(own, { width: rects.length * cell, height: cell, bands, bitDepth: 8 });
    for (const [index, rect] of rects.entries()) placeCell(raster, rect, row, index * cell, cell);
    const encoded = await encodeTiles(row, { tileSize: cell, encoding: { compression: 'jpeg', quality } }, arena);
    const toFile = tileConverter(encoded.encoding);
    return rects.map((rect, index) => toFile(encoded.tiles[index] as Uint8Array, rect));
  } finally {
    own.release();
  }
}

/** Copies a rectangle of 8-bit samples into a cell, whose rest repeats the last column and row. */
function placeCell(raster: Raster, rect: Rect, row: Raster, left: number, cell: number): void {
  const { bands } = raster;
  const { width, height } = rectSize(rect);
  const from = Buffer.from(raster.data.buffer, raster.data.byteOffset, raster.data.byteLength);
  const to = Buffer.from(row.data.buffer, row.data.byteOffset, row.data.byteLength);
  const end = (left + width) * bands;
  for (let y = 0; y < cell; y++) {
    const start = ((rect.top + Math.min(y, height - 1)) * raster.width + rect.left) * bands;
    const at = y * row.width * bands;
    from.copy(to, at + left * bands, start, start + width * bands);
    for (let x = width; x < cell; x++) to.copy(to, at + (left + x) * bands, at + end - bands, at + end);
  }
}

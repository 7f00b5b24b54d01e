/**
 * Tiles compressed with deflate and the horizontal predictor (TIFF 6.0, section 14), as libtiff writes them but by Node's
 * zlib: several tiles at once, on the threads of libuv.
 */
import { availableParallelism } from 'node:os';
import { promisify } from 'node:util';
import { constants, deflate, type ZlibOptions } from 'node:zlib';
import { forEachParallel } from '../parallel.ts';
import type { EncodedTiles } from '../tiff/encoded-tiles.ts';
import type { TileEncoding } from '../tiff/pyramid-fields.ts';
import { Compression, Photometric } from '../tiff/tags.ts';
import { Arena } from './arena.ts';
import { predictRows } from './predict-rows.ts';
import { type Raster, rasterBytes } from './raster.ts';

const compress = promisify<Uint8Array, ZlibOptions, Buffer>(deflate);

/** Tiles under way at once: one for each core, and one that is being cut meanwhile. */
const TILES_AT_ONCE = availableParallelism() + 1;
/** Uncompressed tiles under way take at most this much, one tile excepted. Bytes. */
const UNDER_WAY_BYTES = 64 * 2 ** 20;
/** The largest blocks of symbols that zlib can collect (its `memLevel`): the best compression of long inputs. */
const MEMORY_LEVEL = 9;

/** Encodes a raster into deflate tiles, row by row. Level 1 to 9 as in zlib. The tiles lie in memory of the arena. */
export async function deflateTiles(
  raster: Raster,
  { tileSize, level }: { readonly tileSize: number; readonly level: number },
  arena: Arena,
): Promise<EncodedTiles> {
  const across = Math.max(1, Math.ceil(raster.width / tileSize));
  const down = Math.max(1, Math.ceil(raster.height / tileSize));
  const tileBytes = tileSize * tileSize * bytesPerPixel(raster);
  const atOnce = Math.max(1, Math.min(TILES_AT_ONCE, Math.floor(UNDER_WAY_BYTES / tileBytes)));
  const tiles = new Array<Uint8Array>(across * down);
  const own = new Arena();
  try {
    const buffers = Array.from({ length: Math.min(atOnce, tiles.length) }, () => own.take(tileBytes));
    await forEachParallel(tiles.keys(), buffers.length, async (index) => {
      const buffer = buffers.pop() ?? own.take(tileBytes);
      cutTile(raster, tileSize, index % across, Math.floor(index / across), buffer);
      tiles[index] = await deflateTile(buffer, tileSize, level, arena);
      buffers.push(buffer);
    });
  } finally {
    own.release();
  }
  return { across, down, tiles, encoding: encodingOf(raster) };
}

/** One tile, predicted. Beyond the raster its samples decode to the row's last pixel, and to zero below the last row. */
function cutTile(raster: Raster, tileSize: number, column: number, row: number, into: Uint8Array): void {
  const pixel = bytesPerPixel(raster);
  const stride = raster.width * pixel;
  const left = column * tileSize;
  const top = row * tileSize;
  const rows = Math.min(tileSize, raster.height - top);
  const length = Math.min(tileSize, raster.width - left) * pixel;
  const from = { bytes: rasterBytes(raster), offset: top * stride + left * pixel, stride, length, rows };
  predictRows(from, into, tileSize * pixel, pixel, bitDepthOf(raster));
  into.fill(0, rows * tileSize * pixel);
}

async function deflateTile(tile: Uint8Array, tileSize: number, level: number, arena: Arena): Promise<Uint8Array> {
  const sample = sampleRows(tile, tileSize);
  const searched = { level, memLevel: MEMORY_LEVEL };
  const runs = { ...searched, strategy: constants.Z_RLE };
  const [withSearch, withRuns] = await Promise.all([compress(sample, searched), compress(sample, runs)]);
  const strategy = withRuns.length <= withSearch.length ? runs : searched;
  // The whole output in one buffer: incompressible input grows by less than a thousandth. An odd size is never that of
  // the buffer which Node shares among small allocations, and which must not be freed.
  const chunkSize = (tile.length + (tile.length >> 10) + 1024) | 1;
  const bytes = await compress(tile, { ...strategy, chunkSize });
  const copy = arena.pack(bytes);
  if (bytes.buffer.byteLength === chunkSize && 'transfer' in bytes.buffer) bytes.buffer.transfer(0);
  return copy;
}

/** Groups of rows that are compressed to find out which strategy suits a tile, and their share of it. */
const SAMPLES = 4;
const SAMPLED = 1 / 16;

/**
 * A few rows from four places. In the differences of grainy pictures zlib finds hardly a match, and those it finds cost
 * more bits than the bytes themselves: there Huffman codes and runs alone are smaller, in a quarter of the time.
 */
function sampleRows(tile: Uint8Array, tileSize: number): Uint8Array {
  const row = tile.length / tileSize;
  const rows = Math.max(1, Math.round((tileSize * SAMPLED) / SAMPLES));
  const sample = new Uint8Array(SAMPLES * rows * row);
  for (let part = 0; part < SAMPLES; part++) {
    const first = Math.floor(((part + 0.5) * tileSize) / SAMPLES);
    sample.set(tile.subarray(first * row, (first + rows) * row), part * rows * row);
  }
  return sample;
}

function encodingOf(raster: Raster): TileEncoding {
  const perBand = (value: number): number[] => new Array<number>(raster.bands).fill(value);
  return {
    compression: Compression.deflate,
    photometric: raster.bands === 1 ? Photometric.blackIsZero : Photometric.rgb,
    bitsPerSample: perBand(bitDepthOf(raster)),
    sampleFormat: perBand(1),
    extraSamples: [],
    predictor: 2,
  };
}

function bytesPerPixel({ bands, data }: Raster): number {
  return bands * data.BYTES_PER_ELEMENT;
}

function bitDepthOf({ data }: Raster): 8 | 16 {
  return data instanceof Uint8Array ? 8 : 16;
}

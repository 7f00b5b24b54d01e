/**
 * Encodes tiles with deflate and the horizontal predictor (TIFF 6.0, section 14), in the same
 * format as libtiff but with Node's zlib, so that several tiles are compressed in parallel on the
 * threads of libuv.
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
import { bitDepthOf, type Raster, rasterBytes } from './raster.ts';

const compress = promisify<Uint8Array, ZlibOptions, Buffer>(deflate);

/**
 * Number of tiles encoded concurrently: one for each core, and one whose samples are being copied.
 */
const CONCURRENT_TILES = availableParallelism() + 1;
/** Limit of the uncompressed tiles held at the same time; one tile is always allowed. Bytes. */
const UNCOMPRESSED_BYTES = 64 * 2 ** 20;
/**
 * zlib's `memLevel`: 9 collects the largest blocks of symbols, which compresses long inputs best.
 */
const MEMORY_LEVEL = 9;

/**
 * Encodes a raster into deflate tiles, row by row, in memory of the arena. `level` is that of zlib,
 * 1 to 9.
 */
export async function deflateTiles(
  raster: Raster,
  { tileSize, level }: { readonly tileSize: number; readonly level: number },
  arena: Arena,
): Promise<EncodedTiles> {
  const across = Math.max(1, Math.ceil(raster.width / tileSize));
  const down = Math.max(1, Math.ceil(raster.height / tileSize));
  const tileBytes = tileSize * tileSize * bytesPerPixel(raster);
  const concurrency = Math.max(1, Math.min(CONCURRENT_TILES, Math.floor(UNCOMPRESSED_BYTES / tileBytes)));
  const tiles = new Array<Uint8Array>(across * down);
  const own = new Arena();
  try {
    const buffers = Array.from({ length: Math.min(concurrency, tiles.length) }, () => own.take(tileBytes));
    await forEachParallel(tiles.keys(), buffers.length, async (index) => {
      const buffer = buffers.pop() ?? own.take(tileBytes);
      predictTile(raster, tileSize, index % across, Math.floor(index / across), buffer);
      tiles[index] = await deflateTile(buffer, tileSize, level, arena);
      buffers.push(buffer);
    });
  } finally {
    own.release();
  }
  return { across, down, tiles, encoding: encodingOf(raster) };
}

/**
 * Writes one predicted tile. Samples to the right of the raster decode to the last pixel of their
 * row, samples below its last row to zero.
 */
function predictTile(raster: Raster, tileSize: number, column: number, row: number, into: Uint8Array): void {
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
  // One buffer holds the whole output: incompressible input grows by less than a thousandth. Its
  // size is odd, which distinguishes it from the pool that Node shares among small allocations and
  // that must not be freed.
  const chunkSize = (tile.length + (tile.length >> 10) + 1024) | 1;
  const bytes = await compress(tile, { ...strategy, chunkSize });
  const copy = arena.pack(bytes);
  if (bytes.buffer.byteLength === chunkSize && 'transfer' in bytes.buffer) bytes.buffer.transfer(0);
  return copy;
}

/**
 * Number of row groups that are compressed to choose the strategy of a tile, and their share of its
 * rows.
 */
const SAMPLE_GROUPS = 4;
const SAMPLED_SHARE = 1 / 16;

/**
 * Returns a few rows from four positions in the tile. Where noise leaves few matches, a match costs
 * more bits than its literals: run-length matching with Huffman coding (Z_RLE) is then smaller and
 * takes a quarter of the time.
 */
function sampleRows(tile: Uint8Array, tileSize: number): Uint8Array {
  const row = tile.length / tileSize;
  const rows = Math.max(1, Math.round((tileSize * SAMPLED_SHARE) / SAMPLE_GROUPS));
  const sample = new Uint8Array(SAMPLE_GROUPS * rows * row);
  for (let part = 0; part < SAMPLE_GROUPS; part++) {
    const first = Math.floor(((part + 0.5) * tileSize) / SAMPLE_GROUPS);
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

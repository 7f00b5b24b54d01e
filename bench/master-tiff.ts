/** Uncompressed 8-bit RGB masters of any size, written with the memory of a few rows. */
import { type FileHandle, open } from 'node:fs/promises';
import type { Texture } from './texture.ts';

const BANDS = 3;
const ROWS_PER_STRIP = 16;
const TILE = 512;

interface Geometry {
  readonly width: number;
  readonly height: number;
}

/** Strips of 16 rows, as scanners write them, in a classic TIFF (below 4 GiB). */
export async function writeStriped(file: string, { width, height }: Geometry, texture: Texture): Promise<void> {
  const count = Math.ceil(height / ROWS_PER_STRIP);
  const rowsOf = (strip: number): number => Math.min(ROWS_PER_STRIP, height - strip * ROWS_PER_STRIP);
  const byteCounts = Array.from({ length: count }, (_, strip) => rowsOf(strip) * width * BANDS);
  const header = tiffHeader({ width, height, byteCounts, bigTiff: false, strips: ROWS_PER_STRIP });
  const row = new Uint8ClampedArray(width * BANDS);
  const strip = new Uint8Array(ROWS_PER_STRIP * width * BANDS);
  await writing(file, async (handle) => {
    await handle.write(header.bytes, 0, header.bytes.length, 0);
    for (let index = 0; index < count; index++) {
      for (let y = 0; y < rowsOf(index); y++) {
        texture.fillRow(row, 0, index * ROWS_PER_STRIP + y, width);
        strip.set(row, y * row.length);
      }
      await handle.write(strip, 0, byteCounts[index], header.offsets[index]);
    }
  });
}

/**
 * Tiles of 512 in a BigTIFF. One tile in `every` has texture; the others are holes of the sparse
 * file, which read as zeros (black). No two tiles share bytes, because careful readers refuse
 * overlapping tiles.
 */
export async function writeSparse(
  file: string,
  { width, height }: Geometry,
  texture: Texture,
  every: number,
): Promise<void> {
  const across = Math.ceil(width / TILE);
  const count = across * Math.ceil(height / TILE);
  const tileBytes = TILE * TILE * BANDS;
  const byteCounts = new Array<number>(count).fill(tileBytes);
  const header = tiffHeader({ width, height, byteCounts, bigTiff: true });
  const row = new Uint8ClampedArray(TILE * BANDS);
  const tile = new Uint8Array(tileBytes);
  await writing(file, async (handle) => {
    await handle.write(header.bytes, 0, header.bytes.length, 0);
    await handle.truncate((header.offsets[count - 1] ?? 0) + tileBytes);
    for (let index = 0; index < count; index++) {
      if (!isPainted(index, every)) continue;
      for (let y = 0; y < TILE; y++) {
        texture.fillRow(row, (index % across) * TILE, Math.floor(index / across) * TILE + y, TILE);
        tile.set(row, y * row.length);
      }
      await handle.write(tile, 0, tileBytes, header.offsets[index]);
    }
  });
}

/**
 * Distributes the tiles evenly: multiplicative hashing with 2³² ÷ golden ratio (Knuth, TAOCP 6.4).
 */
function isPainted(index: number, every: number): boolean {
  return Math.imul(index, 2_654_435_769) >>> 0 < 2 ** 32 / every;
}

async function writing(file: string, write: (handle: FileHandle) => Promise<void>): Promise<void> {
  const handle = await open(file, 'w');
  try {
    await write(handle);
  } finally {
    await handle.close();
  }
}

interface HeaderRequest extends Geometry {
  readonly byteCounts: readonly number[];
  readonly bigTiff: boolean;
  /** Rows per strip. Without it the image has tiles of 512. */
  readonly strips?: number;
}

const SHORT = 3;
const LONG = 4;
const LONG8 = 16;

/**
 * Header and directory of a TIFF 6.0 or BigTIFF file, and the offsets of its strips or tiles, which
 * follow one after the other from the next multiple of 4,096.
 */
function tiffHeader({ width, height, byteCounts, bigTiff, strips }: HeaderRequest): {
  bytes: Uint8Array;
  offsets: number[];
} {
  const wide = bigTiff ? LONG8 : LONG;
  const chunkFields: [tag: number, type: number, values: readonly number[]][] =
    strips === undefined
      ? [
          [322, LONG, [TILE]],
          [323, LONG, [TILE]],
        ]
      : [[278, LONG, [strips]]];
  const [offsetsTag, countsTag] = strips === undefined ? [324, 325] : [273, 279];
  const bits: readonly number[] = [8, 8, 8];
  const imageFields: typeof chunkFields = [
    [256, LONG, [width]],
    [257, LONG, [height]],
    [258, SHORT, bits],
    [259, SHORT, [1]],
    [262, SHORT, [2]],
    [277, SHORT, [BANDS]],
    [284, SHORT, [1]],
    ...chunkFields,
  ];
  const arrays = byteCounts.length * (bigTiff ? 8 : 4);
  const start = Math.ceil((1024 + 2 * arrays) / 4096) * 4096;
  const offsets: number[] = [];
  let position = start;
  for (const bytes of byteCounts) {
    offsets.push(position);
    position += bytes;
  }
  const fields = [...imageFields, [offsetsTag, wide, offsets] as const, [countsTag, wide, byteCounts] as const];
  return { bytes: writeDirectory(start, fields, bigTiff), offsets };
}

type Fields = readonly (readonly [tag: number | undefined, type: number, values: readonly number[]])[];

function writeDirectory(size: number, fields: Fields, bigTiff: boolean): Uint8Array {
  const bytes = new Uint8Array(size);
  const view = new DataView(bytes.buffer);
  const pointer = (at: number, value: number): void => {
    if (bigTiff) view.setBigUint64(at, BigInt(value), true);
    else view.setUint32(at, value, true);
  };
  const first = bigTiff ? 16 : 8;
  view.setUint16(0, 0x4949, true);
  view.setUint16(2, bigTiff ? 43 : 42, true);
  if (bigTiff) view.setUint16(4, 8, true);
  pointer(bigTiff ? 8 : 4, first);
  if (bigTiff) pointer(first, fields.length);
  else view.setUint16(first, fields.length, true);
  const inline = bigTiff ? 8 : 4;
  let entry = first + (bigTiff ? 8 : 2);
  let free = 1024;
  for (const [tag, type, values] of [...fields].sort((a, b) => (a[0] ?? 0) - (b[0] ?? 0))) {
    const width = type === SHORT ? 2 : type === LONG ? 4 : 8;
    const fits = values.length * width <= inline;
    const valueAt = entry + 4 + inline;
    view.setUint16(entry, tag ?? 0, true);
    view.setUint16(entry + 2, type, true);
    pointer(entry + 4, values.length);
    if (!fits) pointer(valueAt, free);
    const into = fits ? valueAt : free;
    for (const [index, value] of values.entries()) {
      if (width === 2) view.setUint16(into + index * 2, value, true);
      else if (width === 4) view.setUint32(into + index * 4, value, true);
      else view.setBigUint64(into + index * 8, BigInt(value), true);
    }
    if (!fits) free += Math.ceil((values.length * width) / 8) * 8;
    entry += bigTiff ? 20 : 12;
  }
  return bytes;
}

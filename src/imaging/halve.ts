import type { Arena } from './arena.ts';
import { halveRows8 } from './halve-rows.ts';
import { bitDepthOf, type Raster, rasterIn } from './raster.ts';

/**
 * Computes the next smaller level: every pixel is the mean of 2 × 2 pixels, rounded half up. An odd
 * last column or row is dropped; a side of one pixel keeps its length. The arithmetic is that of
 * libvips (`vips_region_shrink`, mean, integer formats), so levels rendered block by block equal
 * those of one pass over the whole image. The result is in memory of the arena.
 */
export function halve(raster: Raster, arena: Arena): Raster {
  const width = Math.max(1, raster.width >> 1);
  const height = Math.max(1, raster.height >> 1);
  const half = rasterIn(arena, { width, height, bands: raster.bands, bitDepth: bitDepthOf(raster) });
  halveInto(raster, half);
  return half;
}

/** The same into an existing raster of half the size, rounded down, and of the same samples. */
export function halveInto(raster: Raster, half: Raster): void {
  // One function per sample type keeps the array accesses monomorphic and fast.
  if (raster.data instanceof Uint8Array && half.data instanceof Uint8Array)
    halve8(raster, raster.data, half, half.data);
  else if (raster.data instanceof Uint16Array && half.data instanceof Uint16Array) {
    halve16(raster, raster.data, half, half.data);
  }
}

/**
 * The same, rounding up: an odd last column or row is repeated before it is halved, as libvips does
 * for Deep Zoom and IIIF. `half` has half the size of `raster`, rounded up.
 */
export function halveUpInto(raster: Raster, half: Raster): void {
  const { width, height } = raster;
  const isOddWide = width % 2 === 1;
  const isOddHigh = height % 2 === 1;
  if (!isOddWide && !isOddHigh) {
    halveInto(raster, half);
    return;
  }
  const inner = { width: width >> 1, height: height >> 1 };
  if (inner.width > 0 && inner.height > 0) halveInner(raster, half, inner);
  for (let y = 0; isOddWide && y < inner.height; y++) meanBox(raster, half, inner.width, y);
  for (let x = 0; isOddHigh && x < half.width; x++) meanBox(raster, half, x, inner.height);
}

/** Halves the columns and rows that are in pairs, row by row where `half` is one column wider. */
function halveInner(raster: Raster, half: Raster, inner: { readonly width: number; readonly height: number }): void {
  if (half.width === inner.width) {
    halveInto({ ...raster, height: inner.height * 2 }, { ...half, height: inner.height });
    return;
  }
  const [from, to] = [raster.width * raster.bands, half.width * half.bands];
  for (let y = 0; y < inner.height; y++) {
    const rows = { ...raster, height: 2, data: raster.data.subarray(2 * y * from, (2 * y + 2) * from) };
    const row = {
      ...half,
      width: inner.width,
      height: 1,
      data: half.data.subarray(y * to, y * to + inner.width * half.bands),
    };
    halveInto(rows, row);
  }
}

/** Sets one pixel of `half` to the mean of its box, whose last column or row is repeated. */
function meanBox(raster: Raster, half: Raster, x: number, y: number): void {
  const { width, height, bands, data } = raster;
  const right = Math.min(2 * x + 1, width - 1);
  const below = Math.min(2 * y + 1, height - 1);
  for (let band = 0; band < bands; band++) {
    const sample = (column: number, row: number): number => data[(row * width + column) * bands + band] ?? 0;
    const sum = sample(2 * x, 2 * y) + sample(right, 2 * y) + sample(2 * x, below) + sample(right, below);
    half.data[(y * half.width + x) * bands + band] = (sum + 2) >> 2;
  }
}

function halve8(raster: Raster, from: Uint8Array, half: Raster, to: Uint8Array): void {
  const { width, height, bands } = raster;
  if ((bands === 1 || bands === 3) && width > 1 && height > 1) halveRows8(from, width, height, bands, to);
  else halveAny(raster, from, half, to);
}

function halve16(raster: Raster, from: Uint16Array, half: Raster, to: Uint16Array): void {
  halveAny(raster, from, half, to);
}

type Samples = Uint8Array | Uint16Array;

function halveAny(raster: Raster, from: Samples, half: Raster, to: Samples): void {
  const { bands } = raster;
  const row = raster.width * bands;
  // If a side is one pixel long, both columns or rows of the 2 × 2 box are the same.
  const right = raster.width === 1 ? 0 : bands;
  const below = raster.height === 1 ? 0 : row;
  let o = 0;
  for (let y = 0; y < half.height; y++) {
    for (let x = 0; x < half.width; x++) {
      for (let band = 0; band < bands; band++, o++) {
        const a = 2 * y * row + 2 * x * bands + band;
        to[o] =
          ((from[a] as number) +
            (from[a + right] as number) +
            (from[a + below] as number) +
            (from[a + right + below] as number) +
            2) >>
          2;
      }
    }
  }
}

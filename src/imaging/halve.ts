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

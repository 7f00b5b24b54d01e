import type { Raster } from './raster.ts';

/**
 * The next smaller level: every pixel is the mean of 2 × 2, rounded half up; an odd last column or row is dropped, and a
 * side of one pixel stays one. The same arithmetic as libvips (`vips_region_shrink`, mean, integer formats), so levels
 * made block by block equal those of one pass over the whole image.
 */
export function halve(raster: Raster): Raster {
  const width = Math.max(1, raster.width >> 1);
  const height = Math.max(1, raster.height >> 1);
  const { bands } = raster;
  const data = new (raster.data instanceof Uint8Array ? Uint8Array : Uint16Array)(width * height * bands);
  const narrow = raster.width === 1;
  for (let y = 0; y < height; y++) {
    const top = 2 * y * raster.width * bands;
    const bottom = raster.height === 1 ? top : top + raster.width * bands;
    const into = y * width * bands;
    if (narrow) halveColumn(raster.data, top, bottom, data, into, bands);
    else if (bands === 3) halveRow3(raster.data, top, bottom, data, into, width);
    else halveRow(raster.data, top, bottom, data, into, width, bands);
  }
  return { width, height, bands, data };
}

type Samples = Uint8Array | Uint16Array;

/** Unrolled: nearly all masters have three bands, and this is the pipeline's only loop over pixels in JavaScript. */
function halveRow3(from: Samples, top: number, bottom: number, to: Samples, into: number, width: number): void {
  let a = top;
  let b = bottom;
  let o = into;
  for (let x = 0; x < width; x++) {
    to[o] = (at(from, a) + at(from, a + 3) + at(from, b) + at(from, b + 3) + 2) >> 2;
    to[o + 1] = (at(from, a + 1) + at(from, a + 4) + at(from, b + 1) + at(from, b + 4) + 2) >> 2;
    to[o + 2] = (at(from, a + 2) + at(from, a + 5) + at(from, b + 2) + at(from, b + 5) + 2) >> 2;
    a += 6;
    b += 6;
    o += 3;
  }
}

function halveRow(
  from: Samples,
  top: number,
  bottom: number,
  to: Samples,
  into: number,
  width: number,
  bands: number,
): void {
  for (let x = 0; x < width; x++) {
    for (let band = 0; band < bands; band++) {
      const a = top + 2 * x * bands + band;
      const b = bottom + 2 * x * bands + band;
      to[into + x * bands + band] = (at(from, a) + at(from, a + bands) + at(from, b) + at(from, b + bands) + 2) >> 2;
    }
  }
}

/** One pixel wide: both columns of the 2 × 2 box are the same one. */
function halveColumn(from: Samples, top: number, bottom: number, to: Samples, into: number, bands: number): void {
  for (let band = 0; band < bands; band++) {
    to[into + band] = (2 * at(from, top + band) + 2 * at(from, bottom + band) + 2) >> 2;
  }
}

function at(samples: Samples, index: number): number {
  return samples[index] ?? 0;
}

import type { Arena } from './arena.ts';

/** Decoded pixels in memory: rows from the top, bands interleaved, no padding. */
export interface Raster {
  readonly width: number;
  readonly height: number;
  /** 1 for grey, 3 for RGB. */
  readonly bands: number;
  /** `width · height · bands` samples: 8-bit or 16-bit. */
  readonly data: Uint8Array | Uint16Array;
}

/**
 * Returns a raster of `bitDepth` over bytes in native byte order, which it shares where they are
 * aligned. Throws RangeError unless the number of bytes matches the shape.
 */
export function rasterFromBytes(
  shape: { width: number; height: number; bands: number; bitDepth: number },
  bytes: Uint8Array,
): Raster {
  const { width, height, bands, bitDepth } = shape;
  const expected = width * height * bands * (bitDepth / 8);
  if (bytes.length !== expected)
    throw new RangeError(`Expected ${expected} bytes of pixels but received ${bytes.length}`);
  if (bitDepth === 8) return { width, height, bands, data: bytes };
  const aligned = bytes.byteOffset % 2 === 0 ? bytes : Uint8Array.from(bytes);
  return { width, height, bands, data: new Uint16Array(aligned.buffer, aligned.byteOffset, expected / 2) };
}

/** The samples of the raster as bytes in native byte order; the memory is shared. */
export function rasterBytes(raster: Raster): Uint8Array {
  return new Uint8Array(raster.data.buffer, raster.data.byteOffset, raster.data.byteLength);
}

/** A raster in memory of the arena. Its samples are not initialised. */
export function rasterIn(
  arena: Arena,
  shape: { width: number; height: number; bands: number; bitDepth: number },
): Raster {
  const { width, height, bands, bitDepth } = shape;
  return rasterFromBytes(shape, arena.take(width * height * bands * (bitDepth / 8)));
}

/** Bits a sample. */
export function bitDepthOf({ data }: Raster): 8 | 16 {
  return data instanceof Uint8Array ? 8 : 16;
}

/** The rows from `top` to before `bottom`; the memory is shared. */
export function rowsOf({ width, bands, data }: Raster, top: number, bottom: number): Raster {
  const row = width * bands;
  return { width, height: bottom - top, bands, data: data.subarray(top * row, bottom * row) };
}

/**
 * Copies `part` into `whole` with its top left corner at `left`, `top`. Both must have the same
 * bands and depth.
 */
export function placeRaster(whole: Raster, part: Raster, left: number, top: number): void {
  const row = part.width * part.bands;
  for (let y = 0; y < part.height; y++) {
    whole.data.set(part.data.subarray(y * row, (y + 1) * row), ((top + y) * whole.width + left) * whole.bands);
  }
}

/**
 * Converts CIE L*a*b* to sRGB by its definition, because libvips does not read all of its TIFF
 * encodings.
 */
import type { Arena } from './arena.ts';
import { type Raster, rasterIn } from './raster.ts';
import { encodeSrgb } from './srgb-curve.ts';

export type LabModel = 'lab' | 'icc-lab';

/** White point of L*a*b* in TIFF and ICC: D50, as ICC.1 rounds it. */
const white = [0.9642, 1, 0.8249] as const;

/**
 * XYZ under D50 to linear sRGB, adapted to D65 by the Bradford method (Lindbloom, RGB/XYZ
 * matrices).
 */
const matrix = [
  [3.133_856_1, -1.616_866_7, -0.490_614_6],
  [-0.978_768_4, 1.916_141_5, 0.033_454],
  [0.071_945_3, -0.228_991_4, 1.405_242_7],
] as const;

/** Number of steps in the table of the tone curve, which is interpolated linearly. */
const STEPS = 65_536;
let curve: Float32Array | undefined;

/**
 * Converts three stored bands to sRGB of `bitDepth`, in memory of the arena. Colours outside sRGB
 * are clipped in each band.
 */
export function labToSrgb(stored: Raster, model: LabModel, bitDepth: 8 | 16, arena: Arena): Raster {
  const { width, height, data } = stored;
  const converted = rasterIn(arena, { width, height, bands: 3, bitDepth });
  curve ??= Float32Array.from({ length: STEPS + 2 }, (_, step) => encodeSrgb(Math.min(1, step / STEPS)));
  convert(data, converted.data, encodingOf(model, data instanceof Uint8Array ? 8 : 16), bitDepth, curve);
  return converted;
}

/**
 * Scale of stored samples. L* is the sample times `lightness`. For a* and b*, `zero` is subtracted,
 * samples from `wrap` on are negative, and the result is multiplied by `chroma`.
 */
interface LabEncoding {
  readonly lightness: number;
  readonly chroma: number;
  readonly zero: number;
  readonly wrap: number;
}

/**
 * Signed chroma: TIFF 6.0 section 23. Chroma with an offset: ICC.1:2001-04 section 6.3.4.2, where
 * L* = 100 is 0xff00 in 16 bits.
 */
function encodingOf(model: LabModel, bits: 8 | 16): LabEncoding {
  const count = 2 ** bits;
  const chroma = 256 / count;
  if (model === 'lab') return { lightness: 100 / (count - 1), chroma, zero: 0, wrap: count / 2 };
  return { lightness: bits === 8 ? 100 / 255 : 100 / 0xff00, chroma, zero: count / 2, wrap: count };
}

function convert(
  from: Raster['data'],
  into: Raster['data'],
  { lightness, chroma, zero, wrap }: LabEncoding,
  bitDepth: 8 | 16,
  tone: Float32Array,
): void {
  const [[rx, ry, rz], [gx, gy, gz], [bx, by, bz]] = matrix;
  const full = 2 ** bitDepth - 1;
  const encode = (linear: number): number => {
    const at = linear <= 0 ? 0 : linear >= 1 ? STEPS : linear * STEPS;
    const step = Math.floor(at);
    const low = tone[step] ?? 0;
    return Math.round(full * (low + (at - step) * ((tone[step + 1] ?? 1) - low)));
  };
  const opponent = (sample: number): number => (sample >= wrap ? sample - 2 * wrap : sample - zero) * chroma;
  for (let at = 0; at < from.length; at += 3) {
    const fy = ((from[at] ?? 0) * lightness + 16) / 116;
    const x = white[0] * expand(fy + opponent(from[at + 1] ?? 0) / 500);
    const y = white[1] * expand(fy);
    const z = white[2] * expand(fy - opponent(from[at + 2] ?? 0) / 200);
    into[at] = encode(rx * x + ry * y + rz * z);
    into[at + 1] = encode(gx * x + gy * y + gz * z);
    into[at + 2] = encode(bx * x + by * y + bz * z);
  }
}

/** The inverse of the cube root of L*a*b* and of its linear segment (CIE 15). */
function expand(value: number): number {
  return value > 6 / 29 ? value * value * value : (108 / 841) * (value - 4 / 29);
}

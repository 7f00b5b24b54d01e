/** Sample arithmetic that several decoders share. */
import { widenSample } from '../bytes/widen-sample.ts';
import { RejectedImageError } from '../errors.ts';
import { isRangeError } from './header-bytes.ts';

/** `widenSample` of every value of `bits` bits. */
export function wideningTable(bits: number, bitDepth: 8 | 16): Uint16Array {
  return Uint16Array.from({ length: 2 ** bits }, (_, value) => widenSample(value, bits, bitDepth));
}

/**
 * Allocates decoded samples. Throws RejectedImageError OVER_BUDGET when there is not enough memory.
 */
export function newSamples(count: number, bitDepth: 8 | 16): Uint8Array | Uint16Array {
  return bitDepth === 8 ? newBytes(count) : new Uint16Array(newBytes(2 * count).buffer);
}

/** Like `newSamples`, for 8 bits. */
export function newBytes(count: number): Uint8Array<ArrayBuffer> {
  try {
    return new Uint8Array(count);
  } catch (error) {
    if (!isRangeError(error)) throw error;
    throw new RejectedImageError('OVER_BUDGET', `there is no memory for ${count} bytes of samples`, { cause: error });
  }
}

/** Widens samples in place. */
export function widenAll(samples: Uint8Array | Uint16Array, bits: number): void {
  const bitDepth = samples instanceof Uint8Array ? 8 : 16;
  if (bits === bitDepth) return;
  const table = wideningTable(bits, bitDepth);
  const top = table.length - 1;
  for (let index = 0; index < samples.length; index++) {
    samples[index] = table[Math.min(samples[index] ?? 0, top)] ?? 0;
  }
}

/**
 * Converts sYCC to sRGB in place, three samples a pixel of `bits` bits each: the inverse of ITU-R
 * BT.601 at full range (IEC 61966-2-1, amendment 1, annex G).
 */
export function yccToRgb(samples: Uint8Array | Uint16Array, bits: number): void {
  const top = 2 ** bits - 1;
  const middle = 2 ** (bits - 1);
  const clamped = (value: number): number => Math.min(top, Math.max(0, Math.round(value)));
  for (let at = 0; at + 2 < samples.length; at += 3) {
    const light = samples[at] ?? 0;
    const blue = (samples[at + 1] ?? 0) - middle;
    const red = (samples[at + 2] ?? 0) - middle;
    samples[at] = clamped(light + 1.402 * red);
    samples[at + 1] = clamped(light - 0.344136 * blue - 0.714136 * red);
    samples[at + 2] = clamped(light + 1.772 * blue);
  }
}

import { viewOf } from '../../bytes/views.ts';
import { type DecodedImage, samplesPerPixel } from '../decoded-image.ts';
import { newSamples, wideningTable } from '../samples.ts';
import type { HeifHeader } from './header.ts';

/**
 * Samples as libheif returns them: RGB or RGBA, interleaved, one byte each or two, little-endian.
 */
export interface StoredSamples {
  readonly data: Uint8Array;
  /** Bytes from the start of one row to the next. */
  readonly stride: number;
  /** Position of the image among the returned pixels. */
  readonly left: number;
  readonly top: number;
  /** Number of zero bits below the coded bits. */
  readonly shift: number;
}

/**
 * Crops, removes the padding of rows and widens samples; of grey it keeps the first of three equal
 * samples.
 */
export function samplesOf({ shape, bits, alphaBits }: HeifHeader, stored: StoredSamples): DecodedImage['data'] {
  const { width, height, bands, alpha, bitDepth } = shape;
  const samples = samplesPerPixel(shape);
  const storedSamples = 3 + (alpha ? 1 : 0);
  // Indexes of the kept samples within a stored pixel.
  const kept = [0, 1, 2].slice(0, bands).concat(alpha ? [3] : []);
  const data = newSamples(width * height * samples, bitDepth);
  const view = viewOf(stored.data);
  const wide = wideningTable(bits, bitDepth);
  const tables = [wide, wide, wide, alphaTable(alphaBits, bits, bitDepth)];
  let target = 0;
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const at = (stored.top + y) * stored.stride + (stored.left + x) * storedSamples * (bitDepth / 8);
      for (const sample of kept) {
        const value = bitDepth === 8 ? view.getUint8(at + sample) : view.getUint16(at + 2 * sample, true);
        data[target++] = tables[sample]?.[value >> stored.shift] ?? 2 ** bitDepth - 1;
      }
    }
  }
  return data;
}

/**
 * Widens opacity. libheif shifts opacity of fewer bits than the colours to their depth, which makes
 * 255 of 8 bits 1,020 of 10.
 */
function alphaTable(alphaBits: number, bits: number, bitDepth: 8 | 16): Uint16Array {
  const shift = Math.max(0, bits - alphaBits);
  const wide = wideningTable(bits - shift, bitDepth);
  return Uint16Array.from({ length: 2 ** bits }, (_, value) => wide[value >> shift] ?? 0);
}

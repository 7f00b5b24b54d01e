import { memoryReader } from '../../bytes/range-reader.ts';
import { viewOf } from '../../bytes/views.ts';
import { type DecodedImage, samplesPerPixel } from '../decoded-image.ts';
import type { DecodeOptions } from '../format.ts';
import { withoutCrops } from './geometry.ts';
import { type HeifHeader, readHeifHeader } from './header.ts';
import { decodePrimaryImage, type HeifPixels } from './libheif.ts';
import { newSamples, wideningTable } from '../samples.ts';

/**
 * Decodes the primary image of a HEIC file, grids included; samples of 10 and 12 bits are widened
 * to 16. The rotation and the mirroring of the HEIF properties are applied; an Exif orientation is
 * ignored. Throws RejectedImageError.
 */
export async function decodeHeic(bytes: Uint8Array, { heap }: Pick<DecodeOptions, 'heap'>): Promise<DecodedImage> {
  const header = await readHeifHeader(memoryReader(bytes));
  const { shape, bits, full, apertures, iccProfile } = header;
  const wanted = { ...full, bits, alpha: shape.alpha };
  const pixels = await decodePrimaryImage(withoutCrops(bytes, apertures), wanted, heap);
  return { ...shape, data: withoutPadding(pixels, header), ...(iccProfile ? { iccProfile } : {}) };
}

/**
 * Crops, removes the padding of rows and widens samples; of grey it keeps the first of three equal
 * samples.
 */
function withoutPadding(pixels: HeifPixels, { shape, crop, bits, alphaBits }: HeifHeader): DecodedImage['data'] {
  const { width, height, bands, alpha, bitDepth } = shape;
  const samples = samplesPerPixel(shape);
  const stored = 3 + (alpha ? 1 : 0);
  // Indexes of the kept samples within a stored pixel.
  const kept = [0, 1, 2].slice(0, bands).concat(alpha ? [3] : []);
  const data = newSamples(width * height * samples, bitDepth);
  const view = viewOf(pixels.data);
  const wide = wideningTable(bits, bitDepth);
  const tables = [wide, wide, wide, alphaTable(alphaBits, bits, bitDepth)];
  let target = 0;
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const at = (crop.top + y) * pixels.stride + (crop.left + x) * stored * (bitDepth / 8);
      for (const sample of kept) {
        const value = bitDepth === 8 ? view.getUint8(at + sample) : view.getUint16(at + 2 * sample, true);
        data[target++] = tables[sample]?.[value] ?? 2 ** bitDepth - 1;
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

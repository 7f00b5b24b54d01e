import { RejectedImageError } from '../../errors.ts';
import { memoryReader } from '../../bytes/range-reader.ts';
import { viewOf } from '../../bytes/views.ts';
import { type DecodedImage, type ImageShape, samplesPerPixel } from '../decoded-image.ts';
import { readHeicHeader } from './header.ts';
import { decodePrimaryImage, type HeifPixels } from './libheif.ts';
import { newSamples, wideningTable } from '../samples.ts';

/**
 * Decodes the primary image of a HEIC file, grids included; samples of 10 and 12 bits are widened
 * to 16. The rotation and the mirroring of the HEIF properties are applied; an Exif orientation is
 * ignored. Throws RejectedImageError.
 */
export async function decodeHeic(bytes: Uint8Array): Promise<DecodedImage> {
  const { shape, bits, iccProfile } = await readHeicHeader(memoryReader(bytes));
  const pixels = await decodePrimaryImage(bytes, { bits, alpha: shape.alpha });
  if (pixels.width !== shape.width || pixels.height !== shape.height) {
    const received = `${pixels.width} × ${pixels.height}`;
    throw new RejectedImageError(
      'CORRUPT_HEADER',
      `Expected ${shape.width} × ${shape.height} but received ${received}`,
    );
  }
  return { ...shape, data: withoutPadding(pixels, shape), ...(iccProfile ? { iccProfile } : {}) };
}

/**
 * Removes the padding of rows and widens samples; of grey it keeps the first of three equal
 * samples.
 */
function withoutPadding(pixels: HeifPixels, shape: ImageShape): DecodedImage['data'] {
  const { width, height, bands, alpha, bitDepth } = shape;
  const samples = samplesPerPixel(shape);
  const stored = 3 + (alpha ? 1 : 0);
  // Indexes of the kept samples within a stored pixel.
  const kept = [0, 1, 2].slice(0, bands).concat(alpha ? [3] : []);
  const data = newSamples(width * height * samples, bitDepth);
  const view = viewOf(pixels.data);
  const wide = wideningTable(pixels.bits_per_pixel, bitDepth);
  let target = 0;
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const at = y * pixels.stride + x * stored * (bitDepth / 8);
      for (const sample of kept) {
        data[target++] =
          bitDepth === 8 ? view.getUint8(at + sample) : (wide[view.getUint16(at + 2 * sample, true)] ?? 0xffff);
      }
    }
  }
  return data;
}

import { memoryReader } from '../../bytes/range-reader.ts';
import type { DecodedImage } from '../decoded-image.ts';
import type { DecodeOptions } from '../format.ts';
import { withoutCrops } from './geometry.ts';
import { readHeifHeader } from './header.ts';
import { decodePrimaryImage } from './libheif.ts';
import { samplesOf } from './samples.ts';
import { withUniqueReferences } from './unique-references.ts';

/**
 * Decodes the primary image of a HEIC file, grids included; samples of 10 and 12 bits are widened
 * to 16. The rotation and the mirroring of the HEIF properties are applied; an Exif orientation is
 * ignored. Throws RejectedImageError.
 */
export async function decodeHeic(bytes: Uint8Array, { heap }: Pick<DecodeOptions, 'heap'>): Promise<DecodedImage> {
  const header = await readHeifHeader(memoryReader(bytes));
  const { shape, bits, full, crop, apertures, iccProfile } = header;
  const wanted = { ...full, bits, alpha: shape.alpha };
  const file = await withUniqueReferences(withoutCrops(bytes, apertures));
  const { data, stride } = await decodePrimaryImage(file, wanted, heap);
  const samples = samplesOf(header, { data, stride, left: crop.left, top: crop.top, shift: 0 });
  return { ...shape, data: samples, ...(iccProfile ? { iccProfile } : {}) };
}

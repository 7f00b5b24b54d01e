import type { EmbeddedMetadata } from '../metadata/embedded-metadata.ts';
import type { Identified } from './format.ts';

/** The Exif orientation that a field states; undefined for all values but 1 to 8. */
export function validOrientation(value: number | undefined): number | undefined {
  return value !== undefined && Number.isInteger(value) && value >= 1 && value <= 8 ? value : undefined;
}

/**
 * The image with the orientation that tiff:Orientation of its XMP packet states, if the file states
 * none itself. Some programs turn a picture by writing this property only.
 */
export function withXmpOrientation(
  { image, statesOrientation }: Identified,
  { xmp }: Pick<EmbeddedMetadata, 'xmp'>,
): Identified['image'] {
  const orientation = validOrientation(Number(xmp?.fields['tiff:Orientation'] ?? NaN)) ?? 1;
  return statesOrientation === true || orientation === 1 ? image : { ...image, orientation, orientationInXmp: true };
}

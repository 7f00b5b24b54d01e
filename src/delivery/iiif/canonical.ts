/** The canonical form of image requests: IIIF Image API 3.0 and 2.1.1, section 4.7. Pure. */
import type { Size } from '../../pyramid/levels.ts';
import type { Region } from '../../published/region-plan.ts';
import { maxSize, type SizeLimits } from './resolve.ts';
import type { ApiVersion, ImageParameters } from './syntax.ts';

export interface ResolvedRequest extends Pick<ImageParameters, 'rotation' | 'quality' | 'format'> {
  readonly region: Region;
  readonly size: Size;
}

/** `region/size/rotation/quality.format`. `full`: size of the image; `isGrey`: of its samples. */
export function canonicalForm(
  version: ApiVersion,
  { region, size, rotation, quality, format }: ResolvedRequest,
  full: Size,
  limits: SizeLimits,
  isGrey: boolean,
): string {
  const { mirrored, degrees } = rotation;
  const isWhole = region.width === full.width && region.height === full.height;
  const own = isGrey ? 'gray' : 'color';
  return [
    isWhole ? 'full' : `${region.left},${region.top},${region.width},${region.height}`,
    version === 3 ? sizeOf3(size, region, limits) : sizeOf2(size, region),
    `${mirrored ? '!' : ''}${degrees % 360}`,
    `${quality === own ? 'default' : quality}.${format}`,
  ].join('/');
}

function sizeOf3(size: Size, region: Size, limits: SizeLimits): string {
  if (isSame(size, maxSize(region, limits))) return 'max';
  if (isSame(size, maxSize(region, limits, true))) return '^max';
  const isEnlarged = size.width > region.width || size.height > region.height;
  return `${isEnlarged ? '^' : ''}${size.width},${size.height}`;
}

/** One side where the other follows from it, as the API states for version 2. */
function sizeOf2(size: Size, region: Size): string {
  if (isSame(size, region)) return 'full';
  const height = Math.max(1, Math.round((region.height * size.width) / region.width));
  return height === size.height ? `${size.width},` : `${size.width},${size.height}`;
}

function isSame(one: Size, other: Size): boolean {
  return one.width === other.width && one.height === other.height;
}

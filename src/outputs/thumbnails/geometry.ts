import type { Size } from '../../pyramid/levels.ts';
import type { ThumbnailSize } from '../../recipe/thumbnail-sizes.ts';

/** A thumbnail: a part of the image in a size. Pixels, integers. */
export interface ThumbnailGeometry extends Size {
  readonly region: Size & { readonly left: number; readonly top: number };
}

/**
 * The part of an image and the size of its thumbnail, which is never larger than that part. Sides
 * are rounded and at least one pixel.
 */
export function thumbnailGeometry(size: ThumbnailSize, image: Size): ThumbnailGeometry {
  return size.how === 'fill' ? filling(size, image) : fitting(size, image);
}

function fitting({ width = Infinity, height = Infinity }: ThumbnailSize, image: Size): ThumbnailGeometry {
  const scale = Math.min(1, width / image.width, height / image.height);
  return {
    width: Math.min(width, rounded(image.width * scale)),
    height: Math.min(height, rounded(image.height * scale)),
    region: { left: 0, top: 0, width: image.width, height: image.height },
  };
}

function filling({ width = 1, height = 1 }: ThumbnailSize, image: Size): ThumbnailGeometry {
  const scale = Math.max(width / image.width, height / image.height);
  const region = {
    width: Math.min(image.width, rounded(width / scale)),
    height: Math.min(image.height, rounded(height / scale)),
  };
  const middle = {
    left: Math.floor((image.width - region.width) / 2),
    top: Math.floor((image.height - region.height) / 2),
  };
  const isEnlarged = scale > 1;
  return { ...(isEnlarged ? region : { width, height }), region: { ...middle, ...region } };
}

function rounded(pixels: number): number {
  return Math.max(1, Math.round(pixels));
}

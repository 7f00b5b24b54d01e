import { Arena } from '../../imaging/arena.ts';
import { encodeThumbnail } from '../../imaging/thumbnail.ts';
import type { Size } from '../../pyramid/levels.ts';
import type { PublishedPyramid } from '../../published/published-pyramid.ts';
import { readRegionPicture } from '../../published/read-region.ts';
import { planRegion } from '../../published/region-plan.ts';
import type { ThumbnailSize } from '../../recipe/thumbnail-sizes.ts';
import { thumbnailGeometry } from './geometry.ts';

export interface ThumbnailOptions {
  /** JPEG quality, 1 to 100. */
  readonly quality: number;
  /** An SVG. */
  readonly watermark?: Uint8Array | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** A thumbnail as it is stored. Size in pixels. */
export interface Thumbnail extends Size {
  readonly jpeg: Uint8Array;
}

/** Longest time for the pixels of one thumbnail. Seconds. */
const TIMEOUT_SECONDS = 60;

/**
 * Makes a thumbnail of a published pyramid from the smallest level that is large enough, of which
 * only the tiles are read that it shows.
 */
export async function makeThumbnail(
  image: PublishedPyramid,
  thumbnailSize: ThumbnailSize,
  { quality, watermark, signal }: ThumbnailOptions,
): Promise<Thumbnail> {
  const { region, ...size } = thumbnailGeometry(thumbnailSize, image);
  const arena = new Arena();
  try {
    const picture = await readRegionPicture(image, planRegion(image.header, region, size), { signal }, arena);
    const jpeg = await encodeThumbnail(picture, { size, quality, watermark, timeoutSeconds: TIMEOUT_SECONDS });
    return { ...size, jpeg };
  } finally {
    arena.release();
  }
}

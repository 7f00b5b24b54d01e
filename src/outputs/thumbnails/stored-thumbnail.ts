/** Where thumbnails are stored, and which version of an image they were made from. */
import type { ObjectInfo } from '../../storage/object-store.ts';
import type { ThumbnailSize } from '../../recipe/thumbnail-sizes.ts';

/** User metadata that names the upload and the plan of a published object. */
const ORIGIN = ['stepwell-image', 'stepwell-sequence', 'stepwell-plan'] as const;
/** User metadata of a thumbnail that was made on demand: the ETag of its pyramid. */
const PYRAMID = 'stepwell-pyramid';

/** The key of a thumbnail; `identifier` is the published key without `.tif`. */
export function thumbnailKey(identifier: string, { name }: Pick<ThumbnailSize, 'name'>): string {
  return `${identifier}/thumbnails/${name}.jpg`;
}

/** User metadata of a thumbnail made from this version of a pyramid. */
export function originOfThumbnail(pyramid: ObjectInfo): Readonly<Record<string, string>> {
  const origin = ORIGIN.flatMap((name) => {
    const value = pyramid.metadata[name];
    return value === undefined ? [] : [[name, value] as const];
  });
  return { ...Object.fromEntries(origin), [PYRAMID]: pyramid.etag };
}

/** Whether an object was published by the pipeline or on demand, and may be replaced. */
export function isThumbnail({ metadata }: ObjectInfo): boolean {
  return [PYRAMID, ...ORIGIN].some((name) => metadata[name] !== undefined);
}

/**
 * Whether a thumbnail was made from this version of the pyramid: on demand, or by the same
 * execution that published the pyramid.
 */
export function isThumbnailOf(thumbnail: ObjectInfo, pyramid: ObjectInfo): boolean {
  const from = thumbnail.metadata[PYRAMID];
  if (from !== undefined) return from === pyramid.etag;
  return ORIGIN.every((name) => {
    const value = thumbnail.metadata[name];
    return value !== undefined && value === pyramid.metadata[name];
  });
}

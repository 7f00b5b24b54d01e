/** Identifiers of images: the published key without `.tif`. */
import { MAX_KEY_BYTES } from '../limits.ts';
import { RefusedRequestError } from './refused.ts';

const EXTENSION = '.tif';

/**
 * The identifier in a part of a path. A part of several segments is accepted too, because some
 * proxies decode the slashes of an identifier.
 * Throws RefusedRequestError(400) for a part that is not valid percent-encoding.
 */
export function decodeIdentifier(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    throw new RefusedRequestError(400, 'The identifier in the URL is not valid percent-encoded UTF-8.');
  }
}

/**
 * The published key of an identifier. Throws RefusedRequestError(404) for one that no object has.
 */
export function keyOfIdentifier(identifier: string): string {
  const key = `${identifier}${EXTENSION}`;
  const isPossible =
    identifier !== '' &&
    !identifier.includes('\0') &&
    identifier.isWellFormed() &&
    Buffer.byteLength(key) <= MAX_KEY_BYTES;
  if (isPossible) return key;
  throw notFound(identifier);
}

/** The error for an identifier without an image. */
export function notFound(identifier: string, options?: ErrorOptions): RefusedRequestError {
  const shown = identifier.length > 200 ? `${identifier.slice(0, 200)}…` : identifier;
  return new RefusedRequestError(
    404,
    `There is no published image with the identifier ${JSON.stringify(shown)}.`,
    options,
  );
}

/** The opaque token of the next page of published images: the position of the last entry seen. */
import { z } from 'zod';

const Position = z.tuple([z.string(), z.string()]);

/** Orders published images: a later time first, then a larger id. */
export interface PublishedPosition {
  readonly publishedAt: string;
  readonly imageId: string;
}

/** A token that `pageToken` did not make. */
export class InvalidPageTokenError extends Error {
  override readonly name = 'InvalidPageTokenError';
}

export function pageToken({ publishedAt, imageId }: PublishedPosition): string {
  return Buffer.from(JSON.stringify([publishedAt, imageId])).toString('base64url');
}

/** Throws InvalidPageTokenError. */
export function readPageToken(token: string): PublishedPosition {
  try {
    const [publishedAt, imageId] = Position.parse(JSON.parse(Buffer.from(token, 'base64url').toString('utf8')));
    return { publishedAt, imageId };
  } catch (cause) {
    throw new InvalidPageTokenError(`Expected the token of a page but received ${JSON.stringify(token)}`, { cause });
  }
}

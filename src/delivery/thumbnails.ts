/**
 * Thumbnails on demand: `/thumbnails/ID_SIZE.jpg` is made by the first request for it, stored
 * beside the pyramid, and served from there afterwards.
 */
import type { Context, Hono } from 'hono';
import { ObjectNotFoundError, PreconditionFailedError } from '../errors.ts';
import { makeThumbnail } from '../outputs/thumbnails/make-thumbnail.ts';
import { isThumbnail, isThumbnailOf, originOfThumbnail, thumbnailKey } from '../outputs/thumbnails/stored-thumbnail.ts';
import type { PublishedPyramid } from '../published/published-pyramid.ts';
import { parseThumbnailSize, type ThumbnailSize } from '../recipe/thumbnail-sizes.ts';
import type { ObjectInfo, ObjectRef, ObjectStore } from '../storage/object-store.ts';
import { segmentsAfter, serverUrl } from './addresses.ts';
import { answer, commonHeaders, etagOf } from './answers.ts';
import type { DeliveryParts } from './delivery.ts';
import { decodeIdentifier } from './identifier.ts';
import { RefusedRequestError } from './refused.ts';

/** The thumbnails that a stage makes on demand. */
export interface ThumbnailStage {
  /** As a recipe lists them. Other sizes are refused. */
  readonly sizes: readonly string[];
  /** JPEG quality, 1 to 100. */
  readonly quality: number;
  /** An SVG. */
  readonly watermark?: Uint8Array | undefined;
}

export interface ThumbnailParts extends DeliveryParts {
  readonly store: ObjectStore;
  readonly publishedBucket: string;
}

const PREFIX = '/thumbnails/';
const CACHING = 'public, max-age=86400';

export function addThumbnailRoutes(app: Hono, parts: ThumbnailParts, stage: ThumbnailStage): void {
  const allowed = new Set(stage.sizes.map((size) => parseThumbnailSize(size)?.name));
  const pending = new Map<string, Promise<void>>();
  app.get(`${PREFIX}*`, (c) => {
    const { identifier, size } = parseName(segmentsAfter(PREFIX, c.req.url).join('/'));
    if (!allowed.has(size.name)) {
      throw new RefusedRequestError(404, `Thumbnails are made in the sizes ${[...allowed].join(', ')} only.`);
    }
    return parts.use(identifier, (image) => answerThumbnail(c, { ...parts, pending, stage }, image, identifier, size), {
      current: true,
    });
  });
}

interface Made extends ThumbnailParts {
  readonly stage: ThumbnailStage;
  /** Thumbnails that are being made: requests for the same one wait for it. */
  readonly pending: Map<string, Promise<void>>;
}

async function answerThumbnail(
  c: Context,
  parts: Made,
  image: PublishedPyramid,
  identifier: string,
  size: ThumbnailSize,
): Promise<Response> {
  const ref = { bucket: parts.publishedBucket, key: thumbnailKey(identifier, size) };
  const stored = await findStored(parts.store, ref);
  const isCanonical = c.req.url.endsWith(`_${size.name}.jpg`);
  if (stored && isThumbnailOf(stored, image.header.info) && isCanonical) {
    return answer(c, {
      etag: etagOf(stored.etag, `thumbnail ${size.name}`),
      headers: { 'Content-Type': 'image/jpeg', 'Cache-Control': CACHING },
      body: () => parts.store.read(ref, { ifMatch: stored.etag }),
    });
  }
  if (!stored || !isThumbnailOf(stored, image.header.info)) await makeOnce(parts, image, ref, size, stored);
  const base = parts.settings.baseUrl ?? serverUrl(c.req.url, PREFIX, (name) => c.req.header(name));
  const location = `${base}${PREFIX}${encodeURIComponent(identifier)}_${size.name}.jpg`;
  const headers = { ...commonHeaders, Location: location, 'Cache-Control': 'no-store' };
  return new Response(null, { status: 301, headers });
}

/** Splits `ID_SIZE.jpg`. Throws RefusedRequestError(404) for another path. */
function parseName(path: string): { identifier: string; size: ThumbnailSize } {
  const [, encoded = '', name = ''] = /^(.+)_([^_/]+)\.jpg$/u.exec(path) ?? [];
  const size = parseThumbnailSize(name === '' ? '' : decodeIdentifier(name));
  if (size) return { identifier: decodeIdentifier(encoded), size };
  throw new RefusedRequestError(404, 'Thumbnails have the path ID_SIZE.jpg with a size such as 250x or 400x200.');
}

async function makeOnce(
  parts: Made,
  image: PublishedPyramid,
  ref: ObjectRef,
  size: ThumbnailSize,
  stored: ObjectInfo | undefined,
): Promise<void> {
  const key = `${image.etag} ${ref.key}`;
  const running = parts.pending.get(key) ?? makeAndStore(parts, image, ref, size, stored);
  parts.pending.set(key, running);
  try {
    await running;
  } finally {
    parts.pending.delete(key);
  }
}

async function makeAndStore(
  { store, slots, settings, stage: { quality, watermark } }: Made,
  image: PublishedPyramid,
  ref: ObjectRef,
  size: ThumbnailSize,
  stored: ObjectInfo | undefined,
): Promise<void> {
  if (stored && !isThumbnail(stored)) {
    throw new RefusedRequestError(404, 'Another file has the name of this thumbnail, so it cannot be stored.');
  }
  const signal = AbortSignal.timeout(settings.timeoutSeconds * 1000);
  const { jpeg } = await slots.run(() => makeThumbnail(image, size, { quality, watermark, signal }), signal);
  try {
    await store.write(ref, jpeg, {
      contentType: 'image/jpeg',
      cacheControl: CACHING,
      metadata: originOfThumbnail(image.header.info),
      over: stored ? { etag: stored.etag } : 'absent',
    });
  } catch (error) {
    // Another server has stored it meanwhile.
    if (!(error instanceof PreconditionFailedError)) throw error;
  }
}

async function findStored(store: ObjectStore, ref: ObjectRef): Promise<ObjectInfo | undefined> {
  try {
    return await store.head(ref);
  } catch (error) {
    if (error instanceof ObjectNotFoundError) return undefined;
    throw error;
  }
}

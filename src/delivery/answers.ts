/** Headers and answers that all routes share. */
import { createHash } from 'node:crypto';
import type { Context } from 'hono';
import { DeadlineExceededError, MalformedTiffError, ObjectNotFoundError, ServiceUnavailableError } from '../errors.ts';
import type { DerivativeFormat } from '../imaging/derivative.ts';
import type { Log } from '../log.ts';
import { RefusedRequestError } from './refused.ts';

export const mediaTypes: Readonly<Record<DerivativeFormat, string>> = {
  jpg: 'image/jpeg',
  png: 'image/png',
  webp: 'image/webp',
  gif: 'image/gif',
  tif: 'image/tiff',
  avif: 'image/avif',
};

/** Headers of every answer: any page may read it, and no browser guesses another type. */
export const commonHeaders = {
  'Access-Control-Allow-Origin': '*',
  'Access-Control-Expose-Headers': 'Content-Length, ETag, Link, Location, Retry-After',
  'X-Content-Type-Options': 'nosniff',
} as const;

const allowedMethods = 'GET, HEAD, OPTIONS';

/**
 * Part of every ETag: it changes when the same request is answered with other bytes by a newer
 * server.
 */
const ANSWERS = '1';

/** The ETag of what is made of one version of an image in answer to one canonical request. */
export function etagOf(version: string, request: string): string {
  return `"${createHash('sha256').update(`${ANSWERS}\0${version}\0${request}`).digest('base64url').slice(0, 27)}"`;
}

/** Whether the client has this representation (RFC 9110, section 13.1.2). */
export function hasRepresentation(c: Context, etag: string): boolean {
  const known = c.req.header('if-none-match');
  if (known === undefined) return false;
  return known.trim() === '*' || known.split(',').some((tag) => tag.trim().replace(/^W\//u, '') === etag);
}

/** Whether the answer depends on the current version although no tile is read for it. */
export function needsCurrent(c: Context): boolean {
  return c.req.method === 'HEAD' || c.req.header('if-none-match') !== undefined;
}

export interface Answer {
  readonly etag: string;
  readonly headers: Readonly<Record<string, string>>;
  /** Makes the body; not called for HEAD, nor when the client has it. */
  readonly body: () => Promise<Uint8Array | string> | Uint8Array | string;
}

/** Answers GET, HEAD and conditional requests. */
export async function answer(c: Context, { etag, headers, body }: Answer): Promise<Response> {
  const all = { ...commonHeaders, ...headers, ETag: etag };
  if (hasRepresentation(c, etag)) return new Response(null, { status: 304, headers: all });
  if (c.req.method === 'HEAD') return new Response(null, { status: 200, headers: all });
  const bytes = await body();
  return new Response(bytes as Uint8Array<ArrayBuffer> | string, { status: 200, headers: all });
}

export function answerPreflight(c: Context): Response {
  const headers = {
    ...commonHeaders,
    Allow: allowedMethods,
    'Access-Control-Allow-Methods': allowedMethods,
    'Access-Control-Allow-Headers': c.req.header('access-control-request-headers') ?? '*',
    'Access-Control-Max-Age': '86400',
  };
  return new Response(null, { status: 204, headers });
}

/** One sentence, as plain text. */
export function answerError(
  status: number,
  sentence: string,
  headers: Readonly<Record<string, string>> = {},
): Response {
  const all = {
    ...commonHeaders,
    'Content-Type': 'text/plain; charset=utf-8',
    'Cache-Control': 'no-store',
    ...headers,
  };
  return new Response(`${sentence}\n`, { status, headers: all });
}

/** The answer to a request that failed with `error`. Failures of the server are logged. */
export function answerFailure(error: unknown, c: Context, log: Log): Response {
  if (error instanceof RefusedRequestError) {
    const headers =
      error.status === 503 ? { 'Retry-After': '1' } : error.status === 405 ? { Allow: allowedMethods } : {};
    return answerError(error.status, error.message, headers);
  }
  if (error instanceof ObjectNotFoundError)
    return answerError(404, 'There is no published image with this identifier.');
  if (error instanceof DeadlineExceededError) {
    log.warn('delivery.late', { url: c.req.url, reason: error.message });
    return answerError(503, `${error.message} Ask for a smaller region or size.`, { 'Retry-After': '10' });
  }
  if (error instanceof ServiceUnavailableError) {
    log.warn('delivery.unavailable', { url: c.req.url, error });
    return answerError(503, 'The store of the images does not answer; try again.', { 'Retry-After': '1' });
  }
  log.error('delivery.failed', { url: c.req.url, error });
  if (error instanceof MalformedTiffError) {
    return answerError(500, 'The published file of this image cannot be read as a tiled pyramid.');
  }
  return answerError(500, 'The server failed to make this image.');
}

/**
 * Published objects over HTTP on one machine, as a bucket or a CDN serves them: byte ranges, ETags,
 * CORS.
 */
import { Hono, type Context } from 'hono';
import { cors } from 'hono/cors';
import { ObjectNotFoundError } from '../errors.ts';
import type { ObjectInfo, ObjectRef, ObjectStore } from '../storage/object-store.ts';
import { isStorableKey } from '../work/published-key.ts';

/** Bytes that are read at once. */
const PIECE = 4 * 2 ** 20;
const prefix = '/files/';

/**
 * The route `/files/KEY`. Only objects that the pipeline published: the folder may contain other
 * files, and every page in a browser can send requests to this machine.
 */
export function createObjects({ store, bucket }: { readonly store: ObjectStore; readonly bucket: string }): Hono {
  const app = new Hono();
  app.use(
    `${prefix}*`,
    cors({
      origin: '*',
      allowMethods: ['GET', 'HEAD'],
      allowHeaders: ['Range', 'If-Match', 'If-None-Match', 'If-Range'],
      exposeHeaders: ['Accept-Ranges', 'Content-Length', 'Content-Range', 'ETag'],
    }),
  );
  app.get(`${prefix}*`, async (context) => {
    const key = keyOf(context.req.url);
    const info = key === undefined ? undefined : await findPublished(store, { bucket, key });
    if (key === undefined || !info) {
      return context.text(`No published object has the key ${JSON.stringify(key ?? '')}.`, 404);
    }
    return answer(context, store, { bucket, key }, info);
  });
  return app;
}

/** The key as the address has it; undefined if no object can have it. */
function keyOf(address: string): string | undefined {
  try {
    const key = decodeURIComponent(new URL(address).pathname.slice(prefix.length));
    return key !== '' && isStorableKey(key) ? key : undefined;
  } catch {
    return undefined;
  }
}

async function findPublished(store: ObjectStore, ref: ObjectRef): Promise<ObjectInfo | undefined> {
  try {
    const info = await store.head(ref);
    return Object.keys(info.metadata).some((name) => name.startsWith('stepwell-')) ? info : undefined;
  } catch (error) {
    if (error instanceof ObjectNotFoundError) return undefined;
    throw error;
  }
}

function answer({ req }: Context, store: ObjectStore, ref: ObjectRef, info: ObjectInfo): Response {
  const etag = `"${info.etag}"`;
  const headers: Record<string, string> = {
    'accept-ranges': 'bytes',
    'cache-control': 'no-cache',
    'content-type': info.contentType ?? 'application/octet-stream',
    // A document that was published is not part of the viewer.
    'content-security-policy': "default-src 'none'; sandbox",
    etag,
    'x-content-type-options': 'nosniff',
  };
  const wanted = req.header('if-match');
  if (wanted !== undefined && !matches(wanted, etag)) return new Response(null, { status: 412, headers });
  if (matches(req.header('if-none-match') ?? '', etag)) return new Response(null, { status: 304, headers });
  const isSame = (req.header('if-range') ?? etag) === etag;
  const range = isSame ? rangeOf(req.header('range'), info.size) : undefined;
  if (range === 'unsatisfiable') {
    return new Response(null, { status: 416, headers: { ...headers, 'content-range': `bytes */${info.size}` } });
  }
  const { from, to } = range ?? { from: 0, to: info.size };
  headers['content-length'] = String(to - from);
  if (range) headers['content-range'] = `bytes ${from}-${to - 1}/${info.size}`;
  const body = req.method === 'HEAD' ? null : pieces(store, ref, info.etag, from, to);
  return new Response(body, { status: range ? 206 : 200, headers });
}

/** Whether a list of ETags contains this one. */
function matches(list: string, etag: string): boolean {
  return list.split(',').some((each) => [etag, '*'].includes(each.trim().replace(/^W\//u, '')));
}

/**
 * The requested range, `to` exclusive. Undefined without one, and for several ranges, which may be
 * answered with the whole object (RFC 9110, section 14.2).
 */
function rangeOf(header: string | undefined, size: number): { from: number; to: number } | 'unsatisfiable' | undefined {
  const { first = '', last = '' } = /^bytes=(?<first>\d*)-(?<last>\d*)$/u.exec(header ?? '')?.groups ?? {};
  if (first === '' && last === '') return undefined;
  const from = first === '' ? Math.max(0, size - Number(last)) : Number(first);
  const to = first === '' || last === '' ? size : Math.min(size, Number(last) + 1);
  if (first !== '' && last !== '' && Number(last) < Number(first)) return undefined;
  return from >= to ? 'unsatisfiable' : { from, to };
}

/** The bytes [from, to) of one version of an object, read as they are sent. */
function pieces(
  store: ObjectStore,
  ref: ObjectRef,
  ifMatch: string,
  from: number,
  to: number,
): ReadableStream<Uint8Array> {
  let offset = from;
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        const length = Math.min(PIECE, to - offset);
        if (length > 0) controller.enqueue(await store.read(ref, { ifMatch, range: { offset, length } }));
        offset += length;
        if (offset >= to) controller.close();
      },
    },
    { highWaterMark: 0 },
  );
}

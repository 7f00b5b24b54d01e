/** The viewer: pages that list and show what is published, and the same as JSON. */
import { Hono, type Context } from 'hono';
import { cors } from 'hono/cors';
import { etag } from 'hono/etag';
import { type Ledger, MAX_PAGE_ENTRIES } from '../ledger/ledger.ts';
import { InvalidPageTokenError } from '../ledger/page-token.ts';
import { searchWords } from '../ledger/search.ts';
import { isPublishedEntry } from '../outputs/presentation/describe-entry.ts';
import { type AssetName, assetTypes, isAssetName, type ReadAsset } from './assets.ts';
import { imageInfo, listedImage, type SiteAddresses } from './description.ts';

export interface ViewerOptions {
  readonly ledger: Ledger;
  readonly publishedBucket: string;
  readonly readAsset: ReadAsset;
  /** Where the site is reached by the client that sends a request. */
  readonly addressesOf: (request: Request) => SiteAddresses;
  /**
   * Whether pages of other origins may read the list. Descriptions of images, whose identifier must
   * be known, can be read by all.
   */
  readonly isListPublic: boolean;
}

/** Number of images on a page of `/list` unless `limit` says otherwise. */
const DEFAULT_LIMIT = 50;
/** Longest search. Characters. */
const MAX_SEARCH = 200;

/**
 * Nothing from other origins and no inline code. OpenSeadragon sets styles through the DOM, which
 * `style-src` does not restrict.
 */
const contentSecurityPolicy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data: blob:",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'self'",
  "frame-ancestors 'self'",
].join('; ');

/** Routes: `/`, `/view/ID`, `/viewer/FILE`, `/list` and `/info/ID`. */
export function createViewer(options: ViewerOptions): Hono {
  const app = new Hono();
  const page = (name: AssetName) => async (context: Context) => {
    context.header('content-security-policy', contentSecurityPolicy);
    context.header('referrer-policy', 'same-origin');
    return sendAsset(context, options.readAsset, name);
  };
  app.get('/', etag(), page('gallery.html'));
  app.get('/view/:id', etag(), page('view.html'));
  app.get('/viewer/:file', etag(), (context) => {
    const name = context.req.param('file');
    if (isAssetName(name)) return sendAsset(context, options.readAsset, name);
    return refuse(context, 404, `The viewer has no file ${JSON.stringify(name)}.`);
  });
  if (options.isListPublic) app.use('/list', cors());
  app.get('/list', etag(), (context) => answerList(context, options));
  app.use('/info/:id', cors());
  app.get('/info/:id', etag(), (context) => answerInfo(context, options));
  return app;
}

async function sendAsset(context: Context, readAsset: ReadAsset, name: AssetName): Promise<Response> {
  const bytes = await readAsset(name);
  return context.body(Uint8Array.from(bytes), 200, {
    'content-type': assetTypes[name],
    'cache-control': 'no-cache',
    'x-content-type-options': 'nosniff',
  });
}

async function answerList(context: Context, options: ViewerOptions): Promise<Response> {
  const { after, q = '', limit: wanted = String(DEFAULT_LIMIT) } = context.req.query();
  const limit = Number(wanted);
  if (!Number.isInteger(limit) || limit < 1 || limit > MAX_PAGE_ENTRIES) {
    const range = `Expected a number from 1 to ${MAX_PAGE_ENTRIES} for limit`;
    return refuse(context, 400, `${range} but received ${JSON.stringify(wanted)}.`);
  }
  if (q.length > MAX_SEARCH) {
    return refuse(context, 400, `Expected at most ${MAX_SEARCH} characters for q but received ${q.length}.`);
  }
  try {
    const query = { limit, after, words: searchWords(q) };
    const { entries, next } = await options.ledger.listPublished(options.publishedBucket, query);
    const site = options.addressesOf(context.req.raw);
    if (next !== undefined) context.header('link', `<${nextAddress(context, site, next)}>; rel="next"`);
    const images = entries.filter(isPublishedEntry).map((entry) => listedImage(entry, site));
    return sendJson(context, { images, ...(next === undefined ? {} : { next }) });
  } catch (error) {
    if (!(error instanceof InvalidPageTokenError)) throw error;
    return refuse(context, 400, `Expected the "next" of a page for after but received ${JSON.stringify(after)}.`);
  }
}

async function answerInfo(context: Context, options: ViewerOptions): Promise<Response> {
  const id = lastSegment(context);
  if (id === undefined) return refuse(context, 400, 'Expected an identifier in percent-encoded UTF-8.');
  const entry = await options.ledger.findPublished(options.publishedBucket, `${id}.tif`);
  if (!entry || !isPublishedEntry(entry)) {
    return refuse(context, 404, `No image is published as ${JSON.stringify(id)}.`);
  }
  return sendJson(context, imageInfo(entry, options.addressesOf(context.req.raw)));
}

function nextAddress(context: Context, { server }: SiteAddresses, next: string): string {
  const query = new URLSearchParams(context.req.query());
  query.set('after', next);
  return `${server}list?${query.toString()}`;
}

/**
 * The last segment of the path, decoded once; undefined if it is not UTF-8. The router decodes some
 * characters before it splits the path.
 */
function lastSegment({ req }: Context): string | undefined {
  const { pathname } = new URL(req.url);
  try {
    return decodeURIComponent(pathname.slice(pathname.lastIndexOf('/') + 1));
  } catch {
    return undefined;
  }
}

function sendJson(context: Context, body: object): Response {
  context.header('cache-control', 'no-cache');
  context.header('x-content-type-options', 'nosniff');
  return context.body(JSON.stringify(body), 200, { 'content-type': 'application/json; charset=utf-8' });
}

/** Answers with an error: one sentence, as JSON. */
function refuse(context: Context, status: 400 | 404, error: string): Response {
  return context.json({ error }, status, { 'cache-control': 'no-store' });
}

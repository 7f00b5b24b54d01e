/**
 * An S3 API on loopback, in memory: fauxqs, with what S3 has and fauxqs misses added in front of it
 * (conditions on writes, copies and HEAD, ranges of copies, the size check of multipart uploads,
 * tags, URL-encoded listings in byte order), and faults on request.
 */
import type { ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { S3Client } from '@aws-sdk/client-s3';
import { buildApp } from 'fauxqs';
// Not exported by the package: the tests look into the store, and need it to be in byte order.
import { S3Store } from '../../node_modules/fauxqs/dist/s3/s3Store.js';
import { SnsStore } from '../../node_modules/fauxqs/dist/sns/snsStore.js';
import { SqsStore } from '../../node_modules/fauxqs/dist/sqs/sqsStore.js';

export interface RecordedRequest {
  readonly method: string;
  /** Path and query exactly as they were sent. */
  readonly url: string;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
}

export type Matching = (request: RecordedRequest) => boolean;

export interface S3Server {
  /** Makes one attempt per call, so that every fault is seen. */
  readonly client: S3Client;
  readonly endpoint: string;
  /** In order of arrival; a test may empty it. */
  readonly requests: RecordedRequest[];
  createBucket(name: string): void;
  /** Removes the objects and the uploads of all buckets. */
  emptyBuckets(): void;
  /** A client of its own, which `stop` ends too. */
  newClient(maxAttempts: number): S3Client;
  /** Answers the next requests with an error instead of doing them. */
  failNext(count: number, fault?: { status?: number; code?: string; matching?: Matching }): void;
  /** Closes the connection after this many bytes of the next body. */
  cutNextBody(bytes: number, matching?: Matching): void;
  /** Sends this many bytes fewer in the next body, with a Content-Length to go with it. */
  shortenNextBody(bytes: number, matching?: Matching): void;
  /** Carries out the next request and closes the connection instead of answering. */
  loseNextAnswer(matching?: Matching): void;
  /**
   * Carries out matching requests whatever their conditions, from now on, as some services with
   * this API do.
   */
  ignoreConditions(matching: Matching): void;
  /** Calls `action` right before the next matching request is done. */
  beforeNext(matching: Matching, action: () => void): void;
  /** Puts an object without a request. */
  put(bucket: string, key: string, body: Uint8Array): void;
  /** Tags an object. */
  tag(bucket: string, key: string, tags: Readonly<Record<string, string>>): void;
  /** Multipart uploads that were neither completed nor aborted. */
  uploadsUnderWay(bucket: string): number;
  stop(): Promise<void>;
}

/** S3 lists in the order of the keys' UTF-8 bytes; fauxqs in the order of a locale. */
class ByteOrderedS3Store extends S3Store {
  readonly uploads = new Map<string, string>();

  override listObjects(bucket: string, options: Parameters<S3Store['listObjects']>[1] = {}) {
    const after = Buffer.from(options.startAfter ?? options.marker ?? '');
    const { prefix = '', delimiter } = options;
    const isBelow = (key: string): boolean => Boolean(delimiter) && key.indexOf(delimiter ?? '', prefix.length) !== -1;
    const all = super
      .listObjects(bucket, { prefix, maxKeys: Number.MAX_SAFE_INTEGER })
      .objects.filter(({ key }) => !isBelow(key))
      .filter(({ key }) => after.length === 0 || Buffer.compare(Buffer.from(key), after) > 0)
      .sort((a, b) => Buffer.compare(Buffer.from(a.key), Buffer.from(b.key)));
    const objects = all.slice(0, options.maxKeys ?? 1_000);
    return { objects, commonPrefixes: [], isTruncated: objects.length < all.length };
  }

  override createMultipartUpload(...parameters: Parameters<S3Store['createMultipartUpload']>): string {
    const id = super.createMultipartUpload(...parameters);
    this.uploads.set(id, parameters[0]);
    return id;
  }

  override completeMultipartUpload(...parameters: Parameters<S3Store['completeMultipartUpload']>) {
    const object = super.completeMultipartUpload(...parameters);
    this.uploads.delete(parameters[0]);
    return object;
  }

  override abortMultipartUpload(id: string): void {
    super.abortMultipartUpload(id);
    this.uploads.delete(id);
  }

  find(bucket: string, key: string): { etag: string; body: Buffer } | undefined {
    try {
      return super.headObject(bucket, key);
    } catch {
      return undefined;
    }
  }
}

class Refusal extends Error {
  readonly status: number;
  readonly code: string;

  constructor(status: number, code: string) {
    super(code);
    this.status = status;
    this.code = code;
  }
}

type Fault =
  | { kind: 'error'; status: number; code: string }
  | { kind: 'cut'; bytes: number }
  | { kind: 'shorten'; bytes: number }
  | { kind: 'lose' }
  | { kind: 'call'; action: () => void };

/** Starts a server on a free port of 127.0.0.1, with the buckets named. */
export async function startS3(buckets: readonly string[] = []): Promise<S3Server> {
  const s3Store = new ByteOrderedS3Store();
  const app = buildApp({ logger: false, stores: { s3Store, sqsStore: new SqsStore(), snsStore: new SnsStore() } });
  const requests: RecordedRequest[] = [];
  const faults: { fault: Fault; matching: Matching }[] = [];
  const clients: S3Client[] = [];
  const careless: Matching[] = [];
  const tags = new Map<string, Readonly<Record<string, string>>>();
  const takeFault = (request: RecordedRequest, ...kinds: Fault['kind'][]): Fault | undefined => {
    const index = faults.findIndex(({ fault, matching }) => kinds.includes(fault.kind) && matching(request));
    return index < 0 ? undefined : faults.splice(index, 1)[0]?.fault;
  };

  app.addHook('onRequest', (request, reply, done) => {
    const recorded = { method: request.method, url: request.raw.url ?? '', headers: request.headers };
    requests.push(recorded);
    const fault = takeFault(recorded, 'error', 'cut', 'lose');
    if (fault?.kind === 'error') {
      void reply.status(fault.status).type('application/xml').send(errorXml(fault.code));
      return;
    }
    if (fault?.kind === 'cut') endEarly(reply.raw, fault.bytes);
    if (fault?.kind === 'lose') endEarly(reply.raw, undefined);
    done();
  });

  app.addHook('preHandler', (request, reply, done) => {
    const recorded = { method: request.method, url: request.raw.url ?? '', headers: request.headers };
    const fault = takeFault(recorded, 'call');
    if (fault?.kind === 'call') fault.action();
    try {
      if (careless.some((matching) => matching(recorded))) {
        done();
        return;
      }
      const { bucket = '', '*': key = '' } = request.params as { bucket?: string; '*'?: string };
      checkConditions(
        s3Store,
        recorded,
        { bucket, key },
        request.query as Record<string, string | undefined>,
        request.body,
      );
      if (request.method === 'GET' && 'tagging' in (request.query as object)) {
        if (!s3Store.find(bucket, key)) throw new Refusal(404, 'NoSuchKey');
        void reply.type('application/xml').send(taggingXml(tags.get(`${bucket}/${key}`) ?? {}));
        return;
      }
      done();
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      const body = request.method === 'HEAD' ? undefined : errorXml(error.code);
      void reply.status(error.status).type('application/xml').send(body);
    }
  });

  app.addHook('onSend', (request, _reply, payload, done) => {
    const recorded = { method: request.method, url: request.raw.url ?? '', headers: request.headers };
    const query = request.query as Record<string, string | undefined>;
    if (typeof payload === 'string' && query['encoding-type'] === 'url') {
      done(null, encodeListing(payload));
      return;
    }
    const fault = Buffer.isBuffer(payload) ? takeFault(recorded, 'shorten') : undefined;
    const short = fault?.kind === 'shorten' && Buffer.isBuffer(payload);
    done(null, short ? payload.subarray(0, payload.length - fault.bytes) : payload);
  });

  await app.listen({ host: '127.0.0.1', port: 0 });
  const endpoint = `http://127.0.0.1:${(app.server.address() as AddressInfo).port}`;
  const newClient = (maxAttempts: number): S3Client => {
    const client = new S3Client({
      endpoint,
      region: 'eu-west-1',
      forcePathStyle: true,
      maxAttempts,
      credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
    });
    clients.push(client);
    return client;
  };
  const always: Matching = () => true;
  for (const bucket of buckets) s3Store.createBucket(bucket);

  return {
    client: newClient(1),
    endpoint,
    requests,
    newClient,
    createBucket: (name) => {
      s3Store.createBucket(name);
    },
    emptyBuckets: () => {
      s3Store.clearObjects();
      s3Store.uploads.clear();
    },
    failNext: (count, { status = 503, code = 'SlowDown', matching = always } = {}) => {
      for (let n = 0; n < count; n++) faults.push({ fault: { kind: 'error', status, code }, matching });
    },
    cutNextBody: (bytes, matching = always) => faults.push({ fault: { kind: 'cut', bytes }, matching }),
    shortenNextBody: (bytes, matching = always) => faults.push({ fault: { kind: 'shorten', bytes }, matching }),
    loseNextAnswer: (matching = always) => faults.push({ fault: { kind: 'lose' }, matching }),
    ignoreConditions: (matching) => careless.push(matching),
    beforeNext: (matching, action) => faults.push({ fault: { kind: 'call', action }, matching }),
    put: (bucket, key, body) => {
      s3Store.putObject(bucket, key, Buffer.from(body));
    },
    tag: (bucket, key, its) => tags.set(`${bucket}/${key}`, its),
    uploadsUnderWay: (bucket) => [...s3Store.uploads.values()].filter((name) => name === bucket).length,
    stop: async () => {
      for (const client of clients) client.destroy();
      await app.close();
    },
  };
}

function taggingXml(tags: Readonly<Record<string, string>>): string {
  const set = Object.entries(tags).map(([key, value]) => `<Tag><Key>${key}</Key><Value>${value}</Value></Tag>`);
  return `<?xml version="1.0"?><Tagging><TagSet>${set.join('')}</TagSet></Tagging>`;
}

/** Checks that S3 makes and fauxqs does not. Runs directly before the handler. */
function checkConditions(
  store: ByteOrderedS3Store,
  { method, headers }: RecordedRequest,
  { bucket, key }: { bucket: string; key: string },
  query: Record<string, string | undefined>,
  body: unknown,
): void {
  const uploadsPart = query['partNumber'] !== undefined;
  const completes = method === 'POST' && query['uploadId'] !== undefined;
  if (headers['x-amz-copy-source'] !== undefined) checkCopySource(store, headers);
  if (method === 'HEAD' && key !== '') checkIfMatch(store.find(bucket, key), headers);
  if ((method === 'PUT' && !uploadsPart && key !== '') || completes) {
    const current = store.find(bucket, key);
    if (headers['if-none-match'] === '*' && current) throw new Refusal(412, 'PreconditionFailed');
    if (headers['if-match'] !== undefined && !current) throw new Refusal(404, 'NoSuchKey');
    checkIfMatch(current, headers);
  }
  if (completes && headers['x-amz-mp-object-size'] === undefined) throw new Refusal(400, 'TestExpectsMpuObjectSize');
  if (completes && !Buffer.isBuffer(body)) throw new Refusal(400, 'MalformedXML');
}

function checkIfMatch(current: { etag: string } | undefined, headers: RecordedRequest['headers']): void {
  const expected = headers['if-match'];
  if (expected !== undefined && current && expected !== current.etag) throw new Refusal(412, 'PreconditionFailed');
}

function checkCopySource(store: ByteOrderedS3Store, headers: RecordedRequest['headers']): void {
  const source = decodeURIComponent(String(headers['x-amz-copy-source']));
  const slash = source.indexOf('/');
  const found = store.find(source.slice(0, slash), source.slice(slash + 1));
  if (!found) return;
  const expected = headers['x-amz-copy-source-if-match'];
  if (expected !== undefined && expected !== found.etag) throw new Refusal(412, 'PreconditionFailed');
  const last = /^bytes=\d+-(\d+)$/.exec(String(headers['x-amz-copy-source-range']))?.[1];
  if (last !== undefined && Number(last) >= found.body.length) throw new Refusal(416, 'InvalidRange');
}

/** URL-encodes the keys and the prefix of a listing, as S3 does on request. */
function encodeListing(xml: string): string {
  const encode = (text: string): string =>
    encodeURIComponent(unescapeXml(text)).replaceAll('%20', '+').replaceAll('%2F', '/');
  return xml
    .replaceAll(
      /<(Key|Prefix)>([\s\S]*?)<\/\1>/g,
      (_all, tag: string, text: string) => `<${tag}>${encode(text)}</${tag}>`,
    )
    .replace('</ListBucketResult>', '<EncodingType>url</EncodingType></ListBucketResult>');
}

function unescapeXml(text: string): string {
  return text
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&quot;', '"')
    .replaceAll('&apos;', "'")
    .replaceAll('&amp;', '&');
}

function errorXml(code: string): string {
  return `<?xml version="1.0" encoding="UTF-8"?><Error><Code>${code}</Code><Message>${code}</Message></Error>`;
}

/**
 * Closes the connection after this many bytes of the response body; undefined: before the response.
 */
function endEarly(response: ServerResponse, bytes: number | undefined): void {
  const write = response.write.bind(response);
  response.end = (chunk?: unknown) => {
    const { socket } = response;
    if (bytes === undefined || !Buffer.isBuffer(chunk)) socket?.destroy();
    else write(chunk.subarray(0, bytes), () => socket?.destroy());
    return response;
  };
}

import { createHash } from 'node:crypto';
import { readdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { PutObjectCommand } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { ObjectNotFoundError, PreconditionFailedError, ServiceUnavailableError } from '../../src/errors.ts';
import type { ObjectRef, ObjectStore, Piece } from '../../src/storage/object-store.ts';
import { s3Store } from '../../src/storage/s3/s3.ts';
import { hostileKeys } from '../support/hostile-keys.ts';
import { type Matching, type S3Server, startS3 } from '../support/s3-server.ts';
import { describeObjectStore, expectSameBytes, listKeys, patterned } from './contract.ts';

const MiB = 2 ** 20;

async function startS3Store() {
  const server = await startS3();
  let count = 0;
  return {
    store: s3Store(server.client),
    newBucket: () => {
      // The tests write gigabytes in all, and the server keeps them in memory.
      server.emptyBuckets();
      const name = `bucket-${++count}`;
      server.createBucket(name);
      return Promise.resolve(name);
    },
    put: ({ bucket, key }: ObjectRef, bytes: Uint8Array) => {
      server.put(bucket, key, bytes);
      return Promise.resolve();
    },
    leftovers: (bucket: string) => Promise.resolve(server.uploadsUnderWay(bucket)),
    stop: () => server.stop(),
  };
}

describeObjectStore('S3', startS3Store, hostileKeys);

describe('the object store on S3 when requests fail', () => {
  let server: S3Server;
  let store: ObjectStore;
  let bucket: string;
  let count = 0;
  const at = (key: string) => ({ bucket, key });
  const isGet: Matching = ({ method }) => method === 'GET';
  const isPart: Matching = ({ url }) => url.includes('partNumber=');
  const isComplete: Matching = ({ method, url }) => method === 'POST' && url.includes('uploadId=');

  beforeAll(async () => {
    server = await startS3();
    store = s3Store(server.client);
  });
  beforeEach(() => {
    server.emptyBuckets();
    bucket = `bucket-${++count}`;
    server.createBucket(bucket);
    server.requests.length = 0;
  });
  afterAll(() => server.stop());

  const calls: [string, () => Promise<unknown>][] = [
    ['head', () => store.head(at('a'))],
    ['tags', () => store.tags(at('a'))],
    ['read', () => store.read(at('a'))],
    ['materialise', () => store.materialise(at('a'))],
    ['write', () => store.write(at('b'), Buffer.from('x'))],
    ['compose', () => store.compose(at('b'), [patterned(9 * MiB)])],
    ['copy', () => store.copy({ ...at('a'), etag: 'x' }, at('b'))],
    ['list', () => listKeys(store, bucket)],
    ['remove', () => store.remove(at('a'))],
  ];
  const failures: [string, number][] = [
    ['SlowDown', 503],
    ['InternalError', 500],
    ['TooManyRequests', 429],
  ];
  describe.each(failures)('with error %s', (code, status) => {
    test.each(calls)('makes %s throw ServiceUnavailableError', async (_name, call) => {
      server.put(bucket, 'a', Buffer.from('x'));
      server.failNext(1, { code, status });
      await expect(call()).rejects.toThrow(ServiceUnavailableError);
    });
  });

  test.each(['RequestTimeout', 'IncompleteBody', 'BadDigest'])(
    '%s throws ServiceUnavailableError even with status 400',
    async (code) => {
      server.failNext(1, { code, status: 400 });
      await expect(store.write(at('a'), Buffer.from('x'))).rejects.toThrow(ServiceUnavailableError);
    },
  );

  test.each(calls)('throws ServiceUnavailableError when the connection is lost during %s', async (_name, call) => {
    server.put(bucket, 'a', Buffer.from('x'));
    server.loseNextAnswer();
    await expect(call()).rejects.toThrow(ServiceUnavailableError);
  });

  test('throws ServiceUnavailableError when the server does not listen', async () => {
    const gone = await startS3([bucket]);
    await gone.stop();
    const client = server.newClient(1);
    client.config.endpoint = () => Promise.resolve({ protocol: 'http:', hostname: '127.0.0.1', port: 1, path: '/' });
    await expect(s3Store(client).head(at('a'))).rejects.toThrow(ServiceUnavailableError);
  });

  test('throws a defect and not ObjectNotFoundError for a missing bucket', async () => {
    const call = store.read({ bucket: 'no-such-bucket', key: 'a' });
    await expect(call).rejects.toThrow('Expected a bucket for "no-such-bucket/a"');
    await expect(call).rejects.not.toThrow(ObjectNotFoundError);
  });

  test('passes on AccessDenied unchanged', async () => {
    server.failNext(1, { code: 'AccessDenied', status: 403 });
    await expect(store.read(at('a'))).rejects.toMatchObject({ name: 'AccessDenied' });
  });

  test('throws ServiceUnavailableError for a body that ends early', async () => {
    server.put(bucket, 'a', patterned(100_000));
    const range = { offset: 10, length: 50_000 };
    server.cutNextBody(40_000);
    await expect(store.read(at('a'))).rejects.toThrow(ServiceUnavailableError);
    server.cutNextBody(40_000);
    await expect(store.read(at('a'), { range })).rejects.toThrow(ServiceUnavailableError);
    server.shortenNextBody(1);
    await expect(store.read(at('a'), { range })).rejects.toThrow('Expected 50000 bytes');
    expectSameBytes(await store.read(at('a'), { range }), patterned(100_000).subarray(10, 50_010));
  });

  test('removes the temporary file of a failed download', async () => {
    server.put(bucket, 'a', patterned(30 * MiB));
    const before = await readdir(tmpdir());
    server.cutNextBody(1_000, isGet);
    await expect(store.materialise(at('a'))).rejects.toThrow(ServiceUnavailableError);
    expect((await readdir(tmpdir())).filter((name) => /^stepwell-\w{6}$/.test(name) && !before.includes(name))).toEqual(
      [],
    );
  });

  test('returns the tags and the SHA-256 that the uploader sent', async () => {
    const Body = Buffer.from('a map');
    await server.client.send(new PutObjectCommand({ Bucket: bucket, Key: 'a', Body, ChecksumAlgorithm: 'SHA256' }));
    server.tag(bucket, 'a', { copyrighted: 'true', shelf: 'B 12' });
    expect(await store.tags(at('a'))).toEqual({ copyrighted: 'true', shelf: 'B 12' });
    const sha256 = createHash('sha256').update(Body).digest('base64');
    expect(await store.head(at('a'))).toMatchObject({ size: 5, checksumSha256: sha256 });
  });

  test('downloads in ranges that are pinned to one ETag', async () => {
    server.put(bucket, 'a', patterned(20 * MiB));
    const { etag } = await store.head(at('a'));
    server.requests.length = 0;
    const file = await store.materialise(at('a'));
    await file.dispose();
    const gets = server.requests.filter(isGet);
    expect(gets.map(({ headers }) => headers['range']).sort()).toEqual([
      'bytes=0-8388607',
      'bytes=16777216-20971519',
      'bytes=8388608-16777215',
    ]);
    expect(new Set(gets.map(({ headers }) => headers['if-match']))).toEqual(new Set([`"${etag}"`]));
    let replaced = 0;
    server.beforeNext(isGet, () => {
      server.put(bucket, 'a', patterned(20 * MiB, 2));
      replaced++;
    });
    await expect(store.materialise(at('a'))).rejects.toThrow(PreconditionFailedError);
    expect(replaced).toBe(1);
  });

  describe('compose', () => {
    const source = patterned(30 * MiB, 5);
    const pieces = async (): Promise<Piece[]> => {
      server.put(bucket, 'source', source);
      const { etag } = await store.head(at('source'));
      return [
        Buffer.from('header'),
        { ref: at('source'), etag, offset: 0, length: 12 * MiB },
        Buffer.from('middle'),
        { ref: at('source'), etag, offset: 12 * MiB, length: 18 * MiB },
      ];
    };

    test('copies large ranges within S3 and reads only ranges that complete a part', async () => {
      const given = await pieces();
      server.requests.length = 0;
      await store.compose(at('target'), given);
      const copied = server.requests.flatMap(({ headers }) => headers['x-amz-copy-source-range'] ?? []);
      expect(copied.sort()).toEqual(['bytes=17825786-31457279', 'bytes=5242874-12582911']);
      const read = server.requests.filter(isGet).map(({ headers }) => headers['range']);
      expect(read.sort()).toEqual(['bytes=0-5242873', 'bytes=12582912-17825785']);
    });

    const faults: [string, Matching][] = [
      ['the start', ({ method, url }) => method === 'POST' && url.includes('uploads')],
      ['an uploaded part', ({ url, headers }) => url.includes('partNumber=') && !headers['x-amz-copy-source']],
      ['a copied part', ({ headers }) => headers['x-amz-copy-source'] !== undefined],
      ['a range that is read', isGet],
      ['the completion', isComplete],
    ];
    test.each(faults)('leaves neither object nor upload when %s fails', async (_name, matching) => {
      const given = await pieces();
      server.failNext(1, { matching });
      await expect(store.compose(at('target'), given)).rejects.toThrow(ServiceUnavailableError);
      await expect(store.head(at('target'))).rejects.toThrow(ObjectNotFoundError);
      expect(server.uploadsUnderWay(bucket)).toBe(0);
    });

    test('generates pieces only for parts being uploaded', async () => {
      const partBytes = 5 * MiB;
      const bytes = patterned(partBytes);
      let made = 0;
      let most = 0;
      const piece: Piece = {
        length: partBytes,
        make: () => {
          most = Math.max(most, ++made - server.requests.filter(isPart).length);
          return bytes;
        },
      };
      const { size } = await s3Store(server.client, { partBytes }).compose(
        at('target'),
        Array.from({ length: 24 }, () => piece),
      );
      expect([size, made]).toEqual([24 * partBytes, 24]);
      expect(most).toBeLessThanOrEqual(8);
    });

    test('fails when a source is replaced between two parts', async () => {
      const given = await pieces();
      server.beforeNext(isPart, () => {
        server.put(bucket, 'source', patterned(30 * MiB, 6));
      });
      await expect(store.compose(at('target'), given)).rejects.toThrow(PreconditionFailedError);
      expect(await listKeys(store, bucket)).toEqual(['source']);
      expect(server.uploadsUnderWay(bucket)).toBe(0);
    });

    test('does not replace a target created before the completion', async () => {
      const given = await pieces();
      server.beforeNext(isComplete, () => {
        server.put(bucket, 'target', Buffer.from('other'));
      });
      await expect(store.compose(at('target'), given, { over: 'absent' })).rejects.toThrow(PreconditionFailedError);
      expect(Buffer.from(await store.read(at('target'))).toString()).toBe('other');
      expect(server.uploadsUnderWay(bucket)).toBe(0);
    });

    test('can be repeated when the response to the completion was lost', async () => {
      const given = await pieces();
      server.loseNextAnswer(isComplete);
      await expect(s3Store(server.newClient(3)).compose(at('target'), given)).rejects.toThrow(ServiceUnavailableError);
      const { etag } = await store.compose(at('target'), given);
      expect((await store.read(at('target'), { ifMatch: etag })).length).toBe(30 * MiB + 12);
    });

    test('reports the first failure when the upload cannot be aborted', async () => {
      const given = await pieces();
      server.failNext(1, { matching: isComplete, code: 'SlowDown' });
      server.failNext(1, { matching: ({ method }) => method === 'DELETE', status: 403, code: 'AccessDenied' });
      await expect(store.compose(at('target'), given)).rejects.toThrow(/SlowDown/);
    });
  });

  test('copies an object above the copy limit in parts', async () => {
    const body = patterned(12 * MiB);
    server.put(bucket, 'large', body);
    const { etag } = await store.head(at('large'));
    const copying = s3Store(server.client, { copyBytes: 10 * MiB });
    await copying.copy({ ...at('large'), etag }, at('copy'), { contentType: 'image/tiff' });
    expectSameBytes(await store.read(at('copy')), body);
    expect(server.requests.filter(isPart).map(({ headers }) => headers['x-amz-copy-source-range'])).toEqual([
      'bytes=0-12582911',
    ]);
  });

  test('uploads parts of the configured size', async () => {
    await s3Store(server.client, { partBytes: 6 * MiB }).write(at('a'), patterned(14 * MiB));
    expect(server.requests.filter(isPart)).toHaveLength(3);
  });

  test('sends checksums with parts and their completion', async () => {
    await store.write(at('a'), Buffer.from('x'));
    await store.write(at('b'), patterned(9 * MiB));
    const [put] = server.requests;
    expect(put?.headers['x-amz-checksum-crc32']).toBe('jNwWgw==');
    for (const { headers } of server.requests.filter(isPart))
      expect(headers['x-amz-checksum-crc32']).toMatch(/^.{6}==$/);
  });

  test('requests a version by its id in reads and copies', async () => {
    server.put(bucket, 'a b', Buffer.from('x'));
    const ref = { ...at('a b'), versionId: 'v/1+&' };
    const { etag } = await store.head(ref);
    await store.read(ref);
    await store.remove(ref);
    await expect(store.copy({ ...ref, etag }, at('b'))).rejects.toThrow(ObjectNotFoundError);
    server.put(bucket, 'a b', Buffer.from('x'));
    await expect(store.copy({ ...ref, etag }, at('b'))).rejects.toThrow(ObjectNotFoundError);
    const urls = server.requests
      .filter(({ url }) => url.includes('/a%20b'))
      .map(({ url }) => new URL(url, server.endpoint));
    expect(urls.map((url) => url.searchParams.get('versionId'))).toEqual(Array.from(urls, () => 'v/1+&'));
    expect(server.requests.at(-1)?.headers['x-amz-copy-source']).toBe(`${bucket}/a%20b?versionId=v%2F1%2B%26`);
  });
});

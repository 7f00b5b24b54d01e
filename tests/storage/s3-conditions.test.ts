import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { ServiceUnavailableError, UnsuitableStoreError } from '../../src/errors.ts';
import { s3Store } from '../../src/storage/s3/s3.ts';
import { type Matching, type S3Server, startS3 } from '../support/s3-server.ts';
import { listKeys } from './contract.ts';

let server: S3Server;
beforeEach(async () => {
  server = await startS3(['work', 'published']);
});
afterEach(() => server.stop());

const at = (key: string) => ({ bucket: 'work', key });
const bytes = Buffer.from('a map');
const checkedStore = () => s3Store(server.client, { checkedBucket: 'work' });

const has =
  (header: string, method: string): Matching =>
  (request) =>
    request.method === method && request.headers[header] !== undefined;
const isCopy: Matching = ({ headers }) => headers['x-amz-copy-source'] !== undefined;
const isPart: Matching = ({ url }) => url.includes('partNumber=');
const isCompletion: Matching = ({ method, url }) => method === 'POST' && url.includes('uploadId=');
const both =
  (...all: Matching[]): Matching =>
  (request) =>
    all.every((matching) => matching(request));
const not =
  (matching: Matching): Matching =>
  (request) =>
    !matching(request);

const traits: readonly [ignored: string, matching: Matching][] = [
  ['If-None-Match of PutObject', both(has('if-none-match', 'PUT'), not(isCopy))],
  ['If-Match of PutObject', both(has('if-match', 'PUT'), not(isCopy))],
  ['If-None-Match of CopyObject', both(has('if-none-match', 'PUT'), isCopy)],
  ['If-Match of CopyObject', both(has('if-match', 'PUT'), isCopy)],
  ['x-amz-copy-source-if-match of CopyObject', both(has('x-amz-copy-source-if-match', 'PUT'), not(isPart))],
  ['x-amz-copy-source-if-match of UploadPartCopy', both(has('x-amz-copy-source-if-match', 'PUT'), isPart)],
  ['If-None-Match of CompleteMultipartUpload', both(has('if-none-match', 'POST'), isCompletion)],
  ['If-Match of CompleteMultipartUpload', both(has('if-match', 'POST'), isCompletion)],
];

describe('a store that ignores', () => {
  test.each(traits)('%s is refused, and the message names only this condition', async (ignored, matching) => {
    server.ignoreConditions(matching);
    const writing = checkedStore().write(at('header.json'), bytes);
    await expect(writing).rejects.toThrow(UnsuitableStoreError);
    await expect(writing).rejects.toThrow(`does not check ${ignored}: two uploads could replace each other`);
    expect(await listKeys(s3Store(server.client), 'work')).toEqual([]);
    expect(server.uploadsUnderWay('work')).toBe(0);
  });

  test('every condition of copies is refused before anything is written, composed or copied', async () => {
    server.ignoreConditions(isCopy);
    const store = checkedStore();
    const calls = [
      () => store.write(at('a'), bytes),
      () => store.compose(at('a'), [bytes]),
      () => store.copy({ bucket: 'published', key: 'a', etag: 'e' }, at('a')),
    ];
    for (const call of calls) {
      await expect(call()).rejects.toThrow(
        /does not check If-None-Match of CopyObject, If-Match of CopyObject, x-amz-copy-source-if-match of CopyObject/u,
      );
    }
    // Checked once: its other calls repeat the error without a request.
    const checks = server.requests.filter(({ url }) => url.includes('/condition-check/'));
    expect(checks.filter(both(has('if-none-match', 'PUT'), isCopy))).toHaveLength(1);
  });
});

test('a store that answers a conditional request with 501 is refused', async () => {
  server.failNext(1, { status: 501, code: 'NotImplemented', matching: both(has('if-match', 'PUT'), isCopy) });
  await expect(checkedStore().write(at('a'), bytes)).rejects.toThrow('does not check If-Match of CopyObject:');
});

test('a store that checks all conditions is checked once, before the first write to the bucket', async () => {
  const store = checkedStore();
  server.put('work', 'read', bytes);
  await store.read(at('read'));
  await store.write({ bucket: 'published', key: 'a' }, bytes);
  expect(server.requests).toHaveLength(2);
  await Promise.all([store.write(at('a'), bytes), store.write(at('b'), bytes)]);
  const requests = server.requests.length;
  await store.write(at('c'), bytes);
  expect(server.requests).toHaveLength(requests + 1);
  expect(await listKeys(store, 'work')).toEqual(['a', 'b', 'c', 'read']);
});

test('the check succeeds where objects may not be deleted', async () => {
  server.failNext(9, { status: 403, code: 'AccessDenied', matching: ({ method }) => method === 'DELETE' });
  await checkedStore().write(at('a'), bytes);
  expect(await listKeys(s3Store(server.client), 'work')).toEqual(['a', expect.stringMatching(/^condition-check\//u)]);
});

test('a store that is not available is checked again by the next write', async () => {
  const store = checkedStore();
  server.failNext(1, { matching: isCopy });
  await expect(store.write(at('a'), bytes)).rejects.toThrow(ServiceUnavailableError);
  await store.write(at('a'), bytes);
  expect(await listKeys(store, 'work')).toEqual(['a']);
});

test('Amazon S3 is not checked', async () => {
  await s3Store(server.client).write(at('a'), bytes);
  expect(server.requests).toHaveLength(1);
});

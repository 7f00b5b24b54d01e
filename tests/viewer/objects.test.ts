import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Hono } from 'hono';
import { fileStore, registerBucket } from '../../src/storage/files/files.ts';
import type { ObjectInfo, ObjectStore } from '../../src/storage/object-store.ts';
import { createObjects } from '../../src/viewer/objects.ts';

const bytes = Uint8Array.from({ length: 1000 }, (_, index) => index % 256);
let folder: string;
let store: ObjectStore;
let app: Hono;
let info: ObjectInfo;
beforeAll(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), 'stepwell-objects-'));
  await registerBucket(folder, 'published', path.join(folder, 'out'));
  store = fileStore(folder);
  info = await write('maps/a b%.tif');
  await writeFile(path.join(folder, 'out', 'private.tif'), 'not published');
  app = createObjects({ store, bucket: 'published' });
});
afterAll(() => rm(folder, { recursive: true, force: true }));

function write(key: string, body = bytes): Promise<ObjectInfo> {
  const options = { contentType: 'image/tiff', metadata: { 'stepwell-image': 'i' } };
  return store.write({ bucket: 'published', key }, body, options);
}

const address = '/files/maps/a%20b%25.tif';
async function get(headers: Record<string, string> = {}, method = 'GET'): Promise<[number, number, string | null]> {
  const response = await app.request(address, { headers, method });
  return [response.status, (await response.arrayBuffer()).byteLength, response.headers.get('content-range')];
}

describe('a published object', () => {
  test('is served whole, with the headers that readers of ranges need', async () => {
    const response = await app.request(address);
    expect(new Uint8Array(await response.arrayBuffer())).toEqual(bytes);
    expect(Object.fromEntries(response.headers)).toMatchObject({
      'accept-ranges': 'bytes',
      'access-control-allow-origin': '*',
      'access-control-expose-headers': 'Accept-Ranges,Content-Length,Content-Range,ETag',
      'content-length': '1000',
      'content-type': 'image/tiff',
      etag: `"${info.etag}"`,
    });
  });

  test('is served under an identifier whose slashes are encoded', async () => {
    expect((await app.request('/files/maps%2Fa%20b%25.tif')).status).toBe(200);
  });

  test('is answered to HEAD without a body', async () => {
    const response = await app.request(address, { method: 'HEAD' });
    expect([response.headers.get('content-length'), await response.text()]).toEqual(['1000', '']);
  });

  test.each([
    ['bytes=0-0', 206, 1, 'bytes 0-0/1000'],
    ['bytes=10-19', 206, 10, 'bytes 10-19/1000'],
    ['bytes=990-', 206, 10, 'bytes 990-999/1000'],
    ['bytes=990-5000', 206, 10, 'bytes 990-999/1000'],
    ['bytes=-10', 206, 10, 'bytes 990-999/1000'],
    ['bytes=-5000', 206, 1000, 'bytes 0-999/1000'],
    ['bytes=1000-', 416, 0, 'bytes */1000'],
    ['bytes=-0', 416, 0, 'bytes */1000'],
    ['bytes=20-10', 200, 1000, null],
    ['bytes=0-1,5-6', 200, 1000, null],
    ['lines=1-2', 200, 1000, null],
  ])('answers the range %s with status %i', async (range, status, length, contentRange) => {
    expect(await get({ range })).toEqual([status, length, contentRange]);
  });

  test('is compared with the ETags of conditional requests', async () => {
    const etag = `"${info.etag}"`;
    expect(await get({ 'if-none-match': `"x", ${etag}` })).toEqual([304, 0, null]);
    expect(await get({ 'if-match': '"x"' })).toEqual([412, 0, null]);
    expect(await get({ 'if-match': etag, range: 'bytes=0-9' })).toEqual([206, 10, 'bytes 0-9/1000']);
    expect(await get({ 'if-range': '"x"', range: 'bytes=0-9' })).toEqual([200, 1000, null]);
  });

  test('that is replaced while it is sent is not mixed with its successor', async () => {
    await write('large.tif', new Uint8Array(9 * 2 ** 20).fill(1));
    const response = await app.request('/files/large.tif');
    const reader = response.body?.getReader();
    await reader?.read();
    await write('large.tif', new Uint8Array(9 * 2 ** 20).fill(2));
    const rest = async (): Promise<void> => {
      while (!(await reader?.read())?.done);
    };
    await expect(rest()).rejects.toMatchObject({ name: 'PreconditionFailedError' });
  });

  test('may be read by pages of other origins with ranges and conditions', async () => {
    const headers = { origin: 'https://viewer.example.org', 'access-control-request-method': 'GET' };
    const response = await app.request(address, { method: 'OPTIONS', headers });
    expect(response.headers.get('access-control-allow-headers')).toBe('Range,If-Match,If-None-Match,If-Range');
  });
});

test.each(['private.tif', 'missing.tif', '%ff', '..%2Fstepwell.db', ''])('%j is not served', async (name) => {
  const response = await app.request(`/files/${name}`);
  expect(response.status).toBe(404);
  expect(await response.text()).toMatch(/^No published object has /u);
});

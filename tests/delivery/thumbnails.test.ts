import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import type { Hono } from 'hono';
import sharp from 'sharp';
import { createDelivery } from '../../src/delivery/delivery.ts';
import { PublishedPyramids } from '../../src/published/published-pyramids.ts';
import type { ObjectStore } from '../../src/storage/object-store.ts';
import { pictureOf } from '../support/pixels.ts';
import { type PublishedPipeline, startPublishedPipeline } from '../support/published.ts';

const publishedBucket = 'stepwell-published';
let pipeline: PublishedPipeline;
let store: ObjectStore;
let writes: string[];
let app: Hono;
beforeAll(async () => {
  pipeline = await startPublishedPipeline();
});
afterAll(() => pipeline.stop());
beforeEach(() => {
  writes = [];
  store = new Proxy(pipeline.store, {
    get(target, name: keyof ObjectStore) {
      const method = target[name].bind(target) as (...parameters: unknown[]) => unknown;
      return (...parameters: unknown[]) => {
        if (name === 'write') writes.push((parameters[0] as { key: string }).key);
        return method(...parameters);
      };
    },
  });
  app = serve();
});

function serve(): Hono {
  const thumbnails = { sizes: ['250,', '!400,400', '40x20', 'auto'], quality: 80 };
  // Without a time in which a version counts as the current one.
  const pyramids = new PublishedPyramids(store, { freshMs: 0 });
  return createDelivery({ store, publishedBucket, thumbnails, pyramids });
}

const get = (path: string, method = 'GET'): Response | Promise<Response> =>
  app.request(`http://images.example${path}`, { method });

async function publish(key: string, width = 320, height = 200, seed = 1): Promise<void> {
  await pipeline.run(key, await pictureOf(width, height, 3, seed).png().toBuffer());
}

describe('thumbnails on demand', () => {
  test('the first request makes and stores the thumbnail and redirects, and later ones are answered', async () => {
    await publish('maps/a b.png');
    const path = '/thumbnails/maps%2Fa%20b_40x20.jpg';
    const first = await get(path);
    expect([first.status, first.headers.get('location')]).toEqual([301, `http://images.example${path}`]);
    expect(first.headers.get('cache-control')).toBe('no-store');
    expect(writes).toEqual(['maps/a b/thumbnails/40x20.jpg']);
    const second = await get(path);
    expect(second.status).toBe(200);
    expect(second.headers.get('cache-control')).toBe('public, max-age=86400');
    expect(second.headers.get('content-type')).toBe('image/jpeg');
    const { format, width, height } = await sharp(Buffer.from(await second.arrayBuffer())).metadata();
    expect({ format, width, height }).toEqual({ format: 'jpeg', width: 40, height: 20 });
    const known = await app.request(path, { headers: { 'If-None-Match': second.headers.get('etag') ?? '' } });
    expect(known.status).toBe(304);
    expect(writes).toHaveLength(1);
    // The stored object is served elsewhere with the same headers.
    expect(await store.head({ bucket: publishedBucket, key: writes[0] ?? '' })).toMatchObject({
      contentType: 'image/jpeg',
      cacheControl: 'public, max-age=86400',
      metadata: { 'stepwell-image': expect.any(String), 'stepwell-sequence': expect.any(String) },
    });
  });

  test('concurrent requests for the same thumbnail make it once, also on several servers', async () => {
    await publish('many.png');
    const other = serve();
    const path = 'http://images.example/thumbnails/many_auto.jpg';
    const answers = await Promise.all([app, app, app, other, other].map(async (server) => server.request(path)));
    expect(answers.map(({ status }) => status).filter((status) => status !== 301 && status !== 200)).toEqual([]);
    // Each server makes it once at most; the second write does not replace the first.
    expect(writes.length).toBeLessThanOrEqual(2);
    const { etag } = await store.head({ bucket: publishedBucket, key: 'many/thumbnails/auto.jpg' });
    expect((await get('/thumbnails/many_auto.jpg')).status).toBe(200);
    expect((await store.head({ bucket: publishedBucket, key: 'many/thumbnails/auto.jpg' })).etag).toBe(etag);
  });

  test('an image that is published again has new thumbnails', async () => {
    await publish('again.png', 320, 200, 1);
    await get('/thumbnails/again_auto.jpg');
    await publish('again.png', 100, 300, 2);
    expect((await get('/thumbnails/again_auto.jpg')).status).toBe(301);
    const answer = await get('/thumbnails/again_auto.jpg');
    const { width, height } = await sharp(Buffer.from(await answer.arrayBuffer())).metadata();
    expect([width, height]).toEqual([100, 300]);
  });

  test('another spelling of a size redirects to the name of the thumbnail', async () => {
    await publish('spelled.png');
    for (const spelling of ['!400,400', encodeURIComponent('!400,400')]) {
      const answer = await get(`/thumbnails/spelled_${spelling}.jpg`);
      expect(answer.headers.get('location')).toBe('http://images.example/thumbnails/spelled_fit400x400.jpg');
    }
    expect(writes).toEqual(['spelled/thumbnails/fit400x400.jpg']);
  });

  test.each([
    ['/thumbnails/spelled_300x.jpg', /^Thumbnails are made in the sizes 250x, fit400x400, 40x20, auto only\.$/mu],
    ['/thumbnails/spelled_9000x9000.jpg', /^Thumbnails have the path/u],
    ['/thumbnails/spelled.jpg', /^Thumbnails have the path/u],
    ['/thumbnails/spelled_auto.png', /^Thumbnails have the path/u],
    ['/thumbnails/none_auto.jpg', /^There is no published image/u],
  ])('%s is refused and not cached', async (path, sentence) => {
    const answer = await get(path);
    expect([answer.status, answer.headers.get('cache-control')]).toEqual([404, 'no-store']);
    expect(await answer.text()).toMatch(sentence);
    expect(writes).toEqual([]);
  });

  test('a file of the user with the name of a thumbnail is not replaced', async () => {
    await publish('taken.png');
    const ref = { bucket: publishedBucket, key: 'taken/thumbnails/auto.jpg' };
    await pipeline.store.write(ref, Buffer.from('mine'));
    expect((await get('/thumbnails/taken_auto.jpg')).status).toBe(404);
    expect(Buffer.from(await store.read(ref)).toString()).toBe('mine');
  });

  test('other methods are refused, and preflights are answered', async () => {
    expect((await get('/thumbnails/spelled_auto.jpg', 'POST')).status).toBe(405);
    expect((await get('/thumbnails/spelled_auto.jpg', 'OPTIONS')).status).toBe(204);
  });
});

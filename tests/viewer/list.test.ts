import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { z } from 'zod';
import { hostileKeys } from '../support/hostile-keys.ts';
import { origin, type StartedViewer, startViewer } from './started-viewer.ts';

const Page = z.object({
  images: z.array(z.looseObject({ id: z.string(), links: z.record(z.string(), z.string()) })),
  next: z.string().optional(),
});

let viewer: StartedViewer;
beforeEach(async () => {
  viewer = await startViewer();
});
afterEach(() => viewer.stop());

const get = async (address: string, headers: Record<string, string> = {}): Promise<Response> =>
  viewer.app.request(origin + address, { headers });
const list = async (query = ''): Promise<z.infer<typeof Page>> => Page.parse(await (await get(`/list${query}`)).json());

describe('the list', () => {
  test('is empty when nothing is published', async () => {
    expect(await list()).toEqual({ images: [] });
  });

  test('describes each image with absolute links', async () => {
    await viewer.publish('maps/Blaeu 1665.tif', { title: 'Map of the world' });
    expect(await list()).toEqual({
      images: [
        {
          id: 'maps/Blaeu 1665',
          key: 'maps/Blaeu 1665.tif',
          title: 'Map of the world',
          width: 9_600,
          height: 6_400,
          publishedAt: '2026-11-01T00:00:00.000Z',
          links: {
            view: 'https://images.example.org/view/maps%2FBlaeu%201665',
            info: 'https://images.example.org/info/maps%2FBlaeu%201665',
            thumbnail: 'https://images.example.org/iiif/3/maps%2FBlaeu%201665/full/!250,250/0/default.jpg',
            iiif3: 'https://images.example.org/iiif/3/maps%2FBlaeu%201665',
          },
        },
      ],
    });
  });

  test('has thumbnails that are not larger than their images', async () => {
    await viewer.publish('small.tif', {}, { width: 120, height: 250 });
    await viewer.publish('larger.tif', {}, { width: 120, height: 251 });
    const { images } = await list();
    expect(images.map(({ links }) => links['thumbnail'])).toEqual([
      'https://images.example.org/iiif/3/larger/full/!250,250/0/default.jpg',
      'https://images.example.org/iiif/3/small/full/max/0/default.jpg',
    ]);
  });

  test('is paged, newest first, and links to the next page of the same search', async () => {
    for (const key of ['a 1.tif', 'a 2.tif', 'b.tif', 'a 3.tif']) await viewer.publish(key);
    const first = await get('/list?q=A&limit=2');
    expect(first.headers.get('link')).toMatch(
      /^<https:\/\/images\.example\.org\/list\?q=A&limit=2&after=[\w-]+>; rel="next"$/u,
    );
    const { images, next } = Page.parse(await first.json());
    expect(images.map(({ id }) => id)).toEqual(['a 3', 'a 2']);
    const last = await list(`?q=A&limit=2&after=${next}`);
    expect(last.images.map(({ id }) => id)).toEqual(['a 1']);
    expect(last).not.toHaveProperty('next');
  });

  test.each([
    ['?limit=0', 'Expected a number from 1 to 100 for limit but received "0".'],
    ['?limit=101', 'Expected a number from 1 to 100 for limit but received "101".'],
    ['?limit=many', 'Expected a number from 1 to 100 for limit but received "many".'],
    ['?after=elsewhere', 'Expected the "next" of a page for after but received "elsewhere".'],
    [`?q=${'x'.repeat(201)}`, 'Expected at most 200 characters for q but received 201.'],
  ])('refuses %s with a sentence', async (query, error) => {
    const response = await get(`/list${query}`);
    expect([response.status, await response.json()]).toEqual([400, { error }]);
  });

  test('has an ETag, by which an unchanged list is not sent again', async () => {
    await viewer.publish('a.tif');
    const first = await get('/list');
    const etag = first.headers.get('etag') ?? '';
    expect((await get('/list', { 'if-none-match': etag })).status).toBe(304);
    await viewer.publish('b.tif');
    expect((await get('/list', { 'if-none-match': etag })).status).toBe(200);
  });

  test('can be read by pages of other origins only where it is public', async () => {
    expect((await get('/list')).headers.has('access-control-allow-origin')).toBe(false);
    const open = await startViewer({ isListPublic: true });
    expect((await open.app.request('/list')).headers.get('access-control-allow-origin')).toBe('*');
    await open.stop();
  });
});

describe('the description of an image', () => {
  test('has its fields and the links to all that is served of it', async () => {
    await viewer.publish('maps/blaeu.tif', { creator: 'Joan Blaeu' });
    const claim = { imageId: (await viewer.ledger.findPublished('published', 'maps/blaeu.tif'))?.imageId ?? '' };
    await viewer.ledger.sidecarPublished(
      { ...claim, sequence: '1'.padEnd(32, '0') },
      { key: 'maps/blaeu.tif.json', sha256: '99' },
    );
    const response = await get('/info/maps%2Fblaeu');
    expect(response.headers.get('access-control-allow-origin')).toBe('*');
    expect(response.headers.get('content-type')).toBe('application/json; charset=utf-8');
    expect(await response.json()).toEqual({
      id: 'maps/blaeu',
      key: 'maps/blaeu.tif',
      title: 'blaeu',
      width: 9_600,
      height: 6_400,
      levels: 6,
      tileSize: 512,
      bytes: 7_000,
      recipe: 'default',
      about: { creator: 'Joan Blaeu' },
      master: { format: 'jpeg', bytes: 5_000, bands: 3, bitDepth: 8 },
      publishedAt: '2026-11-01T00:00:00.000Z',
      links: {
        view: 'https://images.example.org/view/maps%2Fblaeu',
        info: 'https://images.example.org/info/maps%2Fblaeu',
        thumbnail: 'https://images.example.org/iiif/3/maps%2Fblaeu/full/!250,250/0/default.jpg',
        iiif3: 'https://images.example.org/iiif/3/maps%2Fblaeu',
        iiif2: 'https://images.example.org/iiif/2/maps%2Fblaeu',
        manifest: 'https://images.example.org/iiif/presentation/3/maps%2Fblaeu/manifest',
        deepzoom: 'https://images.example.org/deepzoom/maps%2Fblaeu.dzi',
        tiff: 'https://images.example.org/files/maps/blaeu.tif',
        sidecar: 'https://images.example.org/files/maps/blaeu.tif.json',
      },
    });
  });

  test('is found under every hostile identifier that an address can hold', async () => {
    for (const key of hostileKeys) await viewer.publish(`${key}.tif`);
    const { images } = await list('?limit=100');
    expect(images).toHaveLength(hostileKeys.length);
    for (const { id, links } of images) {
      const response = await viewer.app.request(links['info'] ?? '');
      expect([id, response.status, await response.json()]).toMatchObject([id, 200, { id, key: `${id}.tif` }]);
    }
  });

  test('of an image that is not published is refused with a sentence', async () => {
    const response = await get('/info/maps%2Fnothing');
    expect([response.status, await response.json()]).toEqual([
      404,
      { error: 'No image is published as "maps/nothing".' },
    ]);
    const invalid = await get('/info/%ff');
    expect([invalid.status, await invalid.json()]).toEqual([
      400,
      { error: 'Expected an identifier in percent-encoded UTF-8.' },
    ]);
  });

  test('is answered to HEAD without a body', async () => {
    await viewer.publish('a.tif');
    const response = await viewer.app.request('/info/a', { method: 'HEAD' });
    expect([response.status, await response.text()]).toEqual([200, '']);
  });
});

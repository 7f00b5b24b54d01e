import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Hono } from 'hono';
import { presentation3StrictUpgrade } from '@iiif/parser/strict';
import type { Manifest } from '@iiif/presentation-3';
import { createDelivery } from '../../src/delivery/delivery.ts';
import { pictureOf } from '../support/pixels.ts';
import { type PublishedPipeline, startPublishedPipeline } from '../support/published.ts';

const publishedBucket = 'stepwell-published';
let pipeline: PublishedPipeline;
let live: Hono;
let stored: Hono;
beforeAll(async () => {
  pipeline = await startPublishedPipeline();
  const { store, ledger } = pipeline;
  const settings = { language: 'none' };
  const manifests = { ledger, settings, filesUrl: (server: string) => `${server}files/` };
  live = createDelivery({ store, publishedBucket, manifests });
  stored = createDelivery({ store, publishedBucket });
  const master = await pictureOf(120, 80)
    .withExifMerge({ IFD0: { Artist: 'A. Maker' } })
    .png()
    .toBuffer();
  for (const name of ['map 2', 'map 10']) await pipeline.run(`maps/${name}.png`, master);
  await store.write(
    { bucket: publishedBucket, key: 'maps/labels.csv' },
    Buffer.from('identifier,title\nmap 2,Second\n'),
  );
});
afterAll(() => pipeline.stop());

async function manifest(path: string, app = live): Promise<Manifest> {
  const answer = await app.request(`http://images.example/iiif/presentation/${path}`);
  expect([path, answer.status]).toEqual([path, 200]);
  expect(answer.headers.get('access-control-allow-origin')).toBe('*');
  return (await answer.json()) as Manifest;
}

describe('manifests of the image server', () => {
  test('describe an image from the ledger and the labels at the address of the request', async () => {
    const found = await manifest('3/maps%2Fmap%202/manifest');
    const warnings: string[] = [];
    presentation3StrictUpgrade(structuredClone(found), { warnings });
    expect(warnings).toEqual([]);
    expect(found).toMatchObject({
      id: 'http://images.example/iiif/presentation/3/maps%2Fmap%202/manifest',
      label: { none: ['Second'] },
      metadata: [{ label: { none: ['Creator'] }, value: { none: ['A. Maker'] } }],
      items: [{ width: 120, height: 80, seeAlso: [{ id: 'http://images.example/files/maps/map%202.tif.json' }] }],
    });
    const body = found.items[0]?.items?.[0]?.items?.[0]?.body as { service: { id: string }[] };
    const service = await live.request(`${body.service[0]?.id ?? ''}/info.json`);
    expect(service.status).toBe(200);
  });

  test('describe folders, as manifests and collections of both versions', async () => {
    const folder = await manifest('3/maps%2F/manifest');
    expect(folder.items.map(({ label }) => label)).toEqual([{ none: ['Second'] }, { none: ['map 10'] }]);
    const collection = await manifest('3/maps%2F/collection');
    expect(collection).toMatchObject({ type: 'Collection', items: [{ type: 'Manifest' }, { type: 'Manifest' }] });
    for (const { id } of collection.items) expect((await live.request(id)).status).toBe(200);
    expect(await manifest('2/maps%2F/manifest')).toMatchObject({ '@type': 'sc:Manifest', label: 'maps' });
    expect(await manifest('2/maps%2F/collection')).toMatchObject({ '@type': 'sc:Collection' });
  });

  test('without a ledger are the stored ones', async () => {
    const key = 'maps/map 2/manifest.json';
    await pipeline.store.write({ bucket: publishedBucket, key }, Buffer.from('{"stored":true}'));
    expect(await manifest('3/maps%2Fmap%202/manifest', stored)).toEqual({ stored: true });
    expect((await stored.request('http://images.example/iiif/presentation/3/maps%2F/manifest')).status).toBe(404);
  });

  test('are JSON-LD on request, and are not sent again to whom has them', async () => {
    const url = 'http://images.example/iiif/presentation/3/maps%2Fmap%202/manifest';
    const answer = await live.request(url, { headers: { Accept: 'application/ld+json' } });
    expect(answer.headers.get('content-type')).toBe(
      'application/ld+json;profile="http://iiif.io/api/presentation/3/context.json"',
    );
    const plain = await live.request(url);
    expect(plain.headers.get('content-type')).toBe('application/json; charset=utf-8');
    const again = await live.request(url, { headers: { 'If-None-Match': plain.headers.get('etag') ?? '' } });
    expect(again.status).toBe(304);
  });

  test.each([
    ['3/none/manifest', 404],
    ['3/none%2F/manifest', 404],
    ['3/maps%2Fmap%202/collection', 404],
    ['3/manifest', 404],
    ['3/maps%2Fmap%202', 404],
    ['4/maps%2Fmap%202/manifest', 404],
    ['3/%ff/manifest', 400],
  ])('%s is answered with %i', async (path, status) => {
    expect((await live.request(`http://images.example/iiif/presentation/${path}`)).status).toBe(status);
  });
});

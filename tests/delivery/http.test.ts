import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { hostileKeys } from '../support/hostile-keys.ts';
import { pictureOf } from '../support/pixels.ts';
import { type PublishedPipeline, startPublishedPipeline } from '../support/published.ts';
import { type Server, startServer } from './server.ts';

let pipeline: PublishedPipeline;
let server: Server;
let file: Uint8Array;
const at = (key: string) => ({ bucket: 'stepwell-published', key });
const rights = 'http://rightsstatements.org/vocab/NoC-NC/1.0/';
beforeAll(async () => {
  pipeline = await startPublishedPipeline();
  file = await pipeline.store.read(await pipeline.run('a.png', await pictureOf(331, 205).png().toBuffer()));
  server = startServer(pipeline, { settings: { rights } });
});
afterAll(() => pipeline.stop());

describe('info.json', () => {
  test('of version 3 has the levels, the grid, the limits and what is beyond level 2', async () => {
    const answer = await server.ask('/iiif/3/a/info.json');
    expect(answer.headers.get('content-type')).toMatch(/^application\/json/u);
    expect(await answer.json()).toEqual({
      '@context': 'http://iiif.io/api/image/3/context.json',
      id: 'http://images.test/iiif/3/a',
      type: 'ImageService3',
      protocol: 'http://iiif.io/api/image',
      profile: 'level2',
      width: 331,
      height: 205,
      sizes: [
        { width: 41, height: 25 },
        { width: 82, height: 51 },
        { width: 165, height: 102 },
        { width: 331, height: 205 },
      ],
      tiles: [{ width: 64, height: 64, scaleFactors: [1, 2, 4, 8] }],
      maxWidth: 10_000,
      maxHeight: 10_000,
      maxArea: 25_000_000,
      preferredFormats: ['jpg'],
      rights,
      extraQualities: ['color', 'gray', 'bitonal'],
      extraFormats: ['webp', 'gif', 'tif', 'avif'],
      extraFeatures: ['canonicalLinkHeader', 'mirroring', 'profileLinkHeader', 'rotationArbitrary', 'sizeUpscaling'],
    });
  });

  test('of version 2 has the same in its own form', async () => {
    const info = (await (await server.ask('/iiif/2/a/info.json')).json()) as Record<string, unknown>;
    expect(info).toMatchObject({
      '@context': 'http://iiif.io/api/image/2/context.json',
      '@id': 'http://images.test/iiif/2/a',
      width: 331,
      height: 205,
      tiles: [{ width: 64, height: 64, scaleFactors: [1, 2, 4, 8] }],
      license: rights,
    });
    const [level, more] = info['profile'] as [string, Record<string, unknown>];
    expect(level).toBe('http://iiif.io/api/image/2/level2.json');
    expect(more).toMatchObject({ maxArea: 25_000_000, qualities: ['default', 'color', 'gray', 'bitonal'] });
  });

  test('is JSON-LD where the client accepts it, and says otherwise where its context is', async () => {
    const linked = await server.ask('/iiif/3/a/info.json', { headers: { Accept: 'application/ld+json' } });
    expect(linked.headers.get('content-type')).toBe(
      'application/ld+json;profile="http://iiif.io/api/image/3/context.json"',
    );
    const plain = await server.ask('/iiif/3/a/info.json', { headers: { Accept: 'application/json' } });
    expect(plain.headers.get('link')).toContain(
      '<http://iiif.io/api/image/3/context.json>;rel="http://www.w3.org/ns/json-ld#context"',
    );
    expect(linked.headers.get('etag')).not.toBe(plain.headers.get('etag'));
    expect(plain.headers.get('vary')).toBe('Accept');
  });

  test('leaves out sizes above the limits', async () => {
    const small = startServer(pipeline, { settings: { maxWidth: 200 } });
    const info = (await (await small.ask('/iiif/3/a/info.json')).json()) as { sizes: { width: number }[] };
    expect(info.sizes.map(({ width }) => width)).toEqual([41, 82, 165]);
  });

  test('has the address that proxies forward, or the one that is configured', async () => {
    const idOf = async (asked: Server, headers: Record<string, string>) =>
      ((await (await asked.ask('/iiif/3/a/info.json', { headers })).json()) as { id: string }).id;
    const forwarded = { 'X-Forwarded-Proto': 'https, http', 'X-Forwarded-Host': 'images.example.org' };
    expect(await idOf(server, forwarded)).toBe('https://images.example.org/iiif/3/a');
    const configured = startServer(pipeline, { settings: { baseUrl: 'https://iiif.example.org/x' } });
    expect(await idOf(configured, forwarded)).toBe('https://iiif.example.org/x/iiif/3/a');
    const evil = await server.ask('/iiif/3/a/info.json', { headers: { 'X-Forwarded-Host': 'x"><script>' } });
    expect(evil.status).toBe(400);
  });
});

test('the base URI redirects to info.json, for an image that exists', async () => {
  for (const path of ['/iiif/3/a', '/iiif/3/a/']) {
    const answer = await server.ask(path);
    expect([answer.status, answer.headers.get('location')]).toEqual([303, 'http://images.test/iiif/3/a/info.json']);
  }
  expect((await server.ask('/iiif/3/b')).status).toBe(404);
});

test('images name their canonical form and the profile', async () => {
  const linkOf = async (path: string) => (await server.ask(path)).headers.get('link');
  const canonical = async (path: string) => /<([^>]*)>;rel="canonical"/u.exec((await linkOf(path)) ?? '')?.[1];
  const base = 'http://images.test/iiif';
  expect(await linkOf('/iiif/3/a/full/max/0/default.jpg')).toContain(
    '<http://iiif.io/api/image/3/level2.json>;rel="profile"',
  );
  expect(await canonical('/iiif/3/a/0,0,331,205/331,/360/color.jpg')).toBe(`${base}/3/a/full/max/0/default.jpg`);
  expect(await canonical('/iiif/3/a/pct:0,0,10,10/pct:50/!0.0/gray.png')).toBe(
    `${base}/3/a/0,0,33,21/17,11/!0/gray.png`,
  );
  expect(await canonical('/iiif/3/a/full/^400,/0/default.png')).toBe(`${base}/3/a/full/^400,248/0/default.png`);
  expect(await canonical('/iiif/2/a/full/max/0/default.jpg')).toBe(`${base}/2/a/full/full/0/default.jpg`);
  expect(await canonical('/iiif/2/a/full/165,102/0/default.jpg')).toBe(`${base}/2/a/full/165,/0/default.jpg`);
  expect(await canonical('/iiif/2/a/full/50,50/0/default.jpg')).toBe(`${base}/2/a/full/50,50/0/default.jpg`);
});

describe('conditional and other requests', () => {
  const paths = [
    '/iiif/3/a/info.json',
    '/iiif/2/a/full/100,/0/default.jpg',
    '/deepzoom/a.dzi',
    '/deepzoom/a_files/9/0_0.jpg',
  ];

  test.each(paths)('%s: 304 for its own ETag, 200 for another, HEAD without a body', async (path) => {
    const first = await server.ask(path);
    const etag = first.headers.get('etag') ?? '';
    expect(etag).toMatch(/^"[\w-]+"$/u);
    expect(first.headers.get('cache-control')).toMatch(/max-age=/u);
    for (const known of [etag, `W/${etag}`, `"other", ${etag}`, '*']) {
      const again = await server.ask(path, { headers: { 'If-None-Match': known } });
      expect([known, again.status, await again.text()]).toEqual([known, 304, '']);
      expect(again.headers.get('etag')).toBe(etag);
    }
    expect((await server.ask(path, { headers: { 'If-None-Match': '"other"' } })).status).toBe(200);
    const head = await server.ask(path, { method: 'HEAD' });
    expect([head.status, await head.text()]).toEqual([200, '']);
    for (const name of ['etag', 'content-type', 'link', 'cache-control']) {
      expect(head.headers.get(name)).toBe(first.headers.get(name));
    }
  });

  test.each(paths)('%s may be read by any page, and nothing else', async (path) => {
    expect((await server.ask(path)).headers.get('access-control-allow-origin')).toBe('*');
    const preflight = await server.ask(path, {
      method: 'OPTIONS',
      headers: { 'Access-Control-Request-Method': 'GET', 'Access-Control-Request-Headers': 'If-None-Match' },
    });
    expect(preflight.status).toBe(204);
    expect(preflight.headers.get('access-control-allow-methods')).toBe('GET, HEAD, OPTIONS');
    expect(preflight.headers.get('access-control-allow-headers')).toBe('If-None-Match');
    for (const method of ['POST', 'PUT', 'DELETE']) {
      const refused = await server.ask(path, { method });
      expect([refused.status, refused.headers.get('allow')]).toEqual([405, 'GET, HEAD, OPTIONS']);
    }
  });

  test('the ETag of a derivative changes with the image', async () => {
    await pipeline.store.write(at('changes.tif'), file);
    const etagOf = async () => (await server.ask('/iiif/3/changes/full/50,/0/default.jpg')).headers.get('etag');
    const before = await etagOf();
    await pipeline.store.write(at('changes.tif'), file);
    expect(await etagOf()).not.toBe(before);
  });
});

describe('every error is one sentence of text', () => {
  test.each([
    [400, '/iiif/3/a/nonsense/max/0/default.jpg'],
    [400, '/iiif/3/a/0,0,0,10/max/0/default.jpg'],
    [400, '/iiif/3/a/-1,0,10,10/max/0/default.jpg'],
    [400, '/iiif/3/a/331,0,10,10/max/0/default.jpg'],
    [400, '/iiif/3/a/pct:100,0,10,10/max/0/default.jpg'],
    [400, '/iiif/3/a/pct:0,0,NaN,10/max/0/default.jpg'],
    [400, '/iiif/3/a/pct:0,0,1e9,10/max/0/default.jpg'],
    [400, '/iiif/3/a/full/0,/0/default.jpg'],
    [400, '/iiif/3/a/full/,/0/default.jpg'],
    [400, '/iiif/3/a/full/!100,/0/default.jpg'],
    [400, '/iiif/3/a/full/^20000,/0/default.jpg'],
    [400, '/iiif/3/a/full/^999999999999999,999999999999999/0/default.jpg'],
    [400, '/iiif/3/a/full/pct:0/0/default.jpg'],
    [400, '/iiif/3/a/full/^pct:99999999999999/0/default.jpg'],
    [400, '/iiif/3/a/full/max/361/default.jpg'],
    [400, '/iiif/3/a/full/max/-90/default.jpg'],
    [400, '/iiif/3/a/full/max/!/default.jpg'],
    [400, '/iiif/3/a/full/max/0/native.jpg'],
    [400, '/iiif/3/a/full/max/0/default'],
    [400, '/iiif/3/a/full/max/0/default.bmp'],
    [400, '/iiif/3/a/full/max/%zz/default.jpg'],
    [501, '/iiif/3/a/full/max/0/default.jp2'],
    [501, '/iiif/3/a/full/max/0/default.pdf'],
    [404, '/iiif/3/missing/full/nonsense/0/default.jpg'],
    [404, '/iiif/3/missing/info.json'],
    [404, '/iiif/3//info.json'],
    [404, `/iiif/3/${'x'.repeat(10_000)}/info.json`],
    [404, '/iiif/3/a%00/info.json'],
    [404, '/iiif/3/..%2Fa/info.json'],
    [404, '/iiif/3/..%2F..%2F..%2Fetc%2Fpasswd/info.json'],
    [404, '/iiif/3/a.tif/info.json'],
    [400, '/iiif/3/%ff/info.json'],
    [400, '/iiif/3/%/info.json'],
    [404, '/deepzoom/missing.dzi'],
    [404, '/deepzoom/a_files/10/0_0.jpg'],
    [404, '/deepzoom/a_files/9/9_0.jpg'],
    [404, '/deepzoom/a_files/9/0_0.bmp'],
    [404, '/deepzoom/a_files/9/-1_0.jpg'],
    [404, '/deepzoom/a_files/99999/0_0.jpg'],
    [404, '/deepzoom/'],
    [404, '/deepzoom/a'],
  ])('%i for %s', async (status, path) => {
    const answer = await server.ask(path);
    const body = await answer.text();
    expect([answer.status, body]).toEqual([status, expect.stringMatching(/^[A-Z][^\n]*\.\n$/u)]);
    expect(answer.headers.get('content-type')).toMatch(/^text\/plain/u);
    expect(answer.headers.get('access-control-allow-origin')).toBe('*');
    expect(answer.headers.get('cache-control')).toBe('no-store');
    expect(body.length).toBeLessThan(400);
  });

  test('500 for an object that is no pyramid', async () => {
    await pipeline.store.write(at('text.tif'), Buffer.from('text'));
    const answer = await server.ask('/iiif/3/text/info.json');
    expect([answer.status, await answer.text()]).toEqual([
      500,
      'The published file of this image cannot be read as a tiled pyramid.\n',
    ]);
  });
});

/** S3 counts the bytes of a key, which has `.tif` after the identifier. */
const identifiers = hostileKeys.filter((key) => Buffer.byteLength(key) <= 1_020);

test.each(identifiers)('the identifier %j is served', async (identifier) => {
  await pipeline.store.write(at(`${identifier}.tif`), file);
  const encoded = encodeURIComponent(identifier);
  const info = await server.ask(`/iiif/3/${encoded}/info.json`);
  expect([info.status, ((await info.json()) as { id: string }).id]).toEqual([
    200,
    `http://images.test/iiif/3/${encoded}`,
  ]);
  expect((await server.ask(`/iiif/2/${encoded}/64,64,64,64/64,/0/default.jpg`)).status).toBe(200);
  expect((await server.ask(`/iiif/3/${encoded}`)).headers.get('location')).toBe(
    `http://images.test/iiif/3/${encoded}/info.json`,
  );
  expect((await server.ask(`/deepzoom/${encoded}.dzi`)).status).toBe(200);
  expect((await server.ask(`/deepzoom/${encoded}_files/0/0_0.jpg`)).status).toBe(200);
  await pipeline.store.remove(at(`${identifier}.tif`));
});

test('slashes that a proxy has decoded are understood', async () => {
  await pipeline.store.write(at('one/two three.tif'), file);
  expect((await server.ask('/iiif/3/one/two%20three/info.json')).status).toBe(200);
  expect((await server.ask('/iiif/3/one/two%20three/full/50,/0/default.jpg')).status).toBe(200);
  expect((await server.ask('/deepzoom/one/two%20three_files/0/0_0.jpg')).status).toBe(200);
  expect((await server.ask('/iiif/3/one/two%20three')).status).toBe(303);
});

test.each([
  ['licensed', 'https://creativecommons.org/licenses/by/4.0/', 'https://creativecommons.org/licenses/by/4.0/'],
  ['stated', 'https://museum.example.org/rights', rights],
])('the image %s, whose packet names %s, has the rights %s', async (name, statement, expected) => {
  const packet = `<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
<rdf:Description rdf:about="" xmlns:xmpRights="http://ns.adobe.com/xap/1.0/rights/" xmpRights:WebStatement="${statement}"/></rdf:RDF></x:xmpmeta>`;
  await pipeline.run(`${name}.png`, await pictureOf(70, 50).withXmp(packet).png().toBuffer());
  const info = (await (await server.ask(`/iiif/3/${name}/info.json`)).json()) as { rights: string };
  expect(info.rights).toBe(expected);
});

import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Publication } from '../../src/ledger/ledger.ts';
import { type Pipeline, startPipeline } from '../support/pipeline.ts';
import { pictureOf } from '../support/pixels.ts';
import { type ApiVersion, serveIiif } from './iiif-server.ts';

let pipeline: Pipeline;
let published: Publication;
beforeAll(async () => {
  pipeline = await startPipeline();
  published = await pipeline.run('picture.png', await pictureOf(2101, 1499).png().toBuffer(), { recipe: 'iiif' });
});
afterAll(() => pipeline.stop());

/** Each size is half of the one before, rounded down; no side is below 64. */
const description = {
  width: 2101,
  height: 1499,
  sizes: [
    { width: 2101, height: 1499 },
    { width: 1050, height: 749 },
    { width: 525, height: 374 },
    { width: 262, height: 187 },
    { width: 131, height: 93 },
  ],
  // A constant in this version of iiif-processor, independent of the tiles of the image.
  tiles: [{ width: 512, height: 512, scaleFactors: [1, 2, 4, 8, 16] }],
};

describe.each<ApiVersion>([2, 3])('Image API %i', (version) => {
  test('info.json lists the size, the smaller sizes, the tiles and their scale factors', async () => {
    const iiif = await serveIiif(pipeline.store, published);
    expect(await iiif.info(version)).toMatchObject({
      ...description,
      ...(version === 2
        ? { '@id': 'http://iiif.test/iiif/2/picture', '@context': 'http://iiif.io/api/image/2/context.json' }
        : { id: 'http://iiif.test/iiif/3/picture', type: 'ImageService3', profile: 'level2' }),
    });
  });

  test.each(['plain', 'iiif-'] as const)('info.json is made from the %s user metadata alone', async (names) => {
    const iiif = await serveIiif(pipeline.store, published, { names });
    expect(await iiif.info(version)).toMatchObject(description);
    expect(iiif.takeBytesRead()).toBe(0);
  });

  test('info.json is the same without user metadata, but the whole object is read', async () => {
    const iiif = await serveIiif(pipeline.store, published, { names: 'none' });
    expect(await iiif.info(version)).toMatchObject(description);
    expect(iiif.takeBytesRead()).toBe(published.size);
  });
});

test('an image request reads the object once with user metadata and twice without', async () => {
  const withMetadata = await serveIiif(pipeline.store, published);
  const withoutMetadata = await serveIiif(pipeline.store, published, { names: 'none' });
  const [one, other] = await Promise.all(
    [withMetadata, withoutMetadata].map((iiif) => iiif.raster(3, 'full/300,/0/default.png')),
  );
  expect([withMetadata.takeBytesRead(), withoutMetadata.takeBytesRead()]).toEqual([published.size, 2 * published.size]);
  expect([one?.width, one?.height]).toEqual([300, 214]);
  expect(other?.pixels.equals(one?.pixels ?? Buffer.alloc(0))).toBe(true);
});

test('the published object has its media type, and the user metadata of IIIF servers under both names', async () => {
  const { metadata, contentType } = await pipeline.store.head(published);
  expect(contentType).toBe('image/tiff');
  expect(metadata).toMatchObject({
    width: '2101',
    height: '1499',
    pages: '5',
    tilesize: '256',
    'iiif-width': '2101',
    'iiif-height': '1499',
    'iiif-pages': '5',
    'iiif-tilesize': '256',
  });
});

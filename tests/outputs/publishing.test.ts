import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { ServiceUnavailableError, SourceChangedError } from '../../src/errors.ts';
import { imageId } from '../../src/ledger/identity.ts';
import type { ObjectRef, ObjectStore, WriteOptions } from '../../src/storage/object-store.ts';
import { publishedObjects, writeRecipe } from '../support/outputs.ts';
import { type Pipeline, publishOutputs, startPipeline } from '../support/pipeline.ts';
import { pictureOf } from '../support/pixels.ts';

let folder: string;
let pipeline: Pipeline;
/** Called before each write; may throw in its place. */
let beforeWrite: (ref: ObjectRef) => Promise<void> | void = () => undefined;

const hooked = (store: ObjectStore): ObjectStore => ({
  head: (...args) => store.head(...args),
  tags: (...args) => store.tags(...args),
  read: (...args) => store.read(...args),
  readDescribed: (...args) => store.readDescribed(...args),
  materialise: (...args) => store.materialise(...args),
  compose: (...args) => store.compose(...args),
  copy: (...args) => store.copy(...args),
  list: (...args) => store.list(...args),
  remove: (...args) => store.remove(...args),
  async write(ref: ObjectRef, body: Uint8Array, options?: WriteOptions) {
    await beforeWrite(ref);
    return store.write(ref, body, options);
  },
});

beforeAll(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), 'stepwell-publishing-'));
  await writeRecipe(folder, 'both', { outputs: ['tiff', 'iiif', 'deepzoom'], iiif: { versions: [3, 2] } });
  await writeRecipe(folder, 'iiif-only', { outputs: ['tiff', 'iiif'] });
  await writeRecipe(folder, 'none', { outputs: ['tiff'] });
  pipeline = await startPipeline(hooked, { recipesDirectory: folder, publicUrl: 'https://images.example.org' });
});
afterAll(async () => {
  await pipeline.stop();
  await rm(folder, { recursive: true, force: true });
});

const masterOf = (width: number, height: number, seed = 1): Promise<Buffer> =>
  pictureOf(width, height, 3, seed).png().toBuffer();
const keysBelow = async (prefix: string): Promise<string[]> => [...(await publishedObjects(pipeline, prefix)).keys()];
const entryOf = (key: string) => pipeline.ledger.get(imageId(pipeline.sourceBucket, key));
const headOf = (key: string) => pipeline.store.head({ bucket: pipeline.config.publishedBucket, key });
const textOf = async (key: string): Promise<string> =>
  Buffer.from(await pipeline.store.read({ bucket: pipeline.config.publishedBucket, key })).toString();

describe('the files of an image', () => {
  beforeAll(async () => {
    await pipeline.run('maps/Straße 1.png', await masterOf(300, 200), { recipe: 'both' });
  });

  test('are all tiles and images that info.json of version 3 lists, under canonical names', async () => {
    const objects = await publishedObjects(pipeline, 'maps/Straße 1/iiif3/');
    expect(JSON.parse(Buffer.from(objects.get('info.json') ?? []).toString())).toEqual({
      '@context': 'http://iiif.io/api/image/3/context.json',
      id: 'https://images.example.org/maps/Stra%C3%9Fe%201/iiif3',
      type: 'ImageService3',
      protocol: 'http://iiif.io/api/image',
      profile: 'level0',
      width: 300,
      height: 200,
      sizes: [
        { width: 75, height: 50 },
        { width: 150, height: 100 },
        { width: 200, height: 133 },
        { width: 300, height: 200 },
      ],
      tiles: [{ width: 128, height: 128, scaleFactors: [1, 2, 4] }],
    });
    expect([...objects.keys()].filter((name) => name.endsWith('.jpg')).sort()).toEqual(
      [
        ...['0,0,128,128/128,128', '128,0,128,128/128,128', '256,0,44,128/44,128'],
        ...['0,128,128,72/128,72', '128,128,128,72/128,72', '256,128,44,72/44,72'],
        ...['0,0,256,200/128,100', '256,0,44,200/22,100'],
        ...['full/75,50', 'full/75,', '0,0,300,200/75,50', '0,0,300,200/75,'],
        ...['full/max', 'full/300,200', 'full/300,', 'full/150,100', 'full/150,', 'full/200,133', 'full/200,'],
      ]
        .map((name) => `${name}/0/default.jpg`)
        .sort(),
    );
  });

  test('have the spelling of version 2 in a folder of their own', async () => {
    const objects = await publishedObjects(pipeline, 'maps/Straße 1/iiif2/');
    expect(JSON.parse(Buffer.from(objects.get('info.json') ?? []).toString())).toMatchObject({
      '@id': 'https://images.example.org/maps/Stra%C3%9Fe%201/iiif2',
      profile: ['http://iiif.io/api/image/2/level0.json', { formats: ['jpg'], qualities: ['default'] }],
    });
    for (const name of ['0,0,128,128/128,', '256,0,44,200/22,', 'full/full', 'full/max', 'full/75,', 'full/150,']) {
      expect([...objects.keys()]).toContain(`${name}/0/default.jpg`);
    }
  });

  test('are a Deep Zoom image with the metadata of the master beside it', async () => {
    expect(await textOf('maps/Straße 1.dzi')).toContain(
      '<Image xmlns="http://schemas.microsoft.com/deepzoom/2008" Format="jpg" Overlap="1" TileSize="254">',
    );
    expect(await textOf('maps/Straße 1.dzi.json')).toBe(await textOf('maps/Straße 1.tif.json'));
    expect(await keysBelow('maps/Straße 1_files/')).toEqual(
      expect.arrayContaining(['0/0_0.jpg', '8/0_0.jpg', '9/0_0.jpg', '9/1_0.jpg']),
    );
  });

  test('have a content type and a time for caches, and name their upload', async () => {
    const { sequence = '' } = (await entryOf('maps/Straße 1.png')) ?? {};
    expect(await headOf('maps/Straße 1_files/9/1_0.jpg')).toMatchObject({
      contentType: 'image/jpeg',
      cacheControl: 'public, max-age=86400',
      metadata: { 'stepwell-sequence': sequence },
    });
    expect(await headOf('maps/Straße 1/iiif3/info.json')).toMatchObject({
      contentType: 'application/json',
      cacheControl: 'public, max-age=60',
    });
  });

  test('are recorded in the ledger with their number', async () => {
    const entry = await entryOf('maps/Straße 1.png');
    const files = await keysBelow('maps/Straße 1/iiif3/');
    const count = files.length + (await keysBelow('maps/Straße 1/iiif2/')).length;
    expect(entry?.outputs).toMatchObject([
      {
        name: 'iiif',
        prefix: 'maps/Straße 1/iiif3/',
        count,
        descriptor: 'maps/Straße 1/iiif2/info.json',
        sequence: entry?.sequence,
      },
      { name: 'deepzoom', prefix: 'maps/Straße 1_files/', descriptor: 'maps/Straße 1.dzi' },
    ]);
  });
});

test('an image that is larger than the largest image states the size of the one it has', async () => {
  await writeRecipe(folder, 'small', { outputs: ['tiff', 'iiif'], iiif: { largestImage: 256, thumbnails: [] } });
  await pipeline.run('wide.png', await masterOf(600, 90), { recipe: 'small' });
  expect(JSON.parse(await textOf('wide/iiif3/info.json'))).toMatchObject({
    width: 600,
    maxWidth: 150,
    maxHeight: 23,
    sizes: [
      { width: 75, height: 12 },
      { width: 150, height: 23 },
    ],
  });
  expect(await keysBelow('wide/iiif3/full/')).toContain('max/0/default.jpg');
});

describe('an image that is published again', () => {
  test('has no files of the larger image, and other images keep theirs', async () => {
    await pipeline.run('again.png', await masterOf(500, 400), { recipe: 'both' });
    await pipeline.run('again/iiif3/full.png', await masterOf(150, 100), { recipe: 'both' });
    const other = await keysBelow('again/iiif3/full');
    await pipeline.run('again.png', await masterOf(150, 100, 2), { recipe: 'both' });
    await pipeline.run('fresh.png', await masterOf(150, 100, 2), { recipe: 'both' });
    const own = (await keysBelow('again')).filter(
      (name) => !name.startsWith('/iiif3/full.') && !/^\/iiif3\/full[_/]/u.test(name),
    );
    const fresh = (await keysBelow('fresh')).filter((name) => !name.startsWith('/iiif3/full/'));
    expect(own.sort()).toEqual(fresh.sort());
    expect(await keysBelow('again/iiif3/full')).toEqual(
      expect.arrayContaining(other.filter((name) => !/^\/\d/u.test(name))),
    );
    expect((await headOf('again/iiif3/full.tif')).size).toBeGreaterThan(0);
  });

  test('has no files of an output that its recipe no longer lists', async () => {
    await pipeline.run('fewer.png', await masterOf(300, 200), { recipe: 'both' });
    await pipeline.run('fewer.png', await masterOf(300, 200), { recipe: 'iiif-only' });
    expect((await entryOf('fewer.png'))?.outputs?.map(({ name }) => name)).toEqual(['iiif']);
    expect(await keysBelow('fewer_files/')).toEqual([]);
    expect(await keysBelow('fewer.dzi')).toEqual([]);
    expect(await keysBelow('fewer/iiif2/')).toEqual([]);
    await pipeline.run('fewer.png', await masterOf(300, 200), { recipe: 'none' });
    expect(await keysBelow('fewer')).toEqual(['.tif', '.tif.json']);
    expect((await entryOf('fewer.png'))?.outputs).toEqual([]);
  });

  test('has no descriptor while its tiles are replaced', async () => {
    await pipeline.run('swap.png', await masterOf(300, 200), { recipe: 'iiif-only' });
    const seen: boolean[] = [];
    beforeWrite = async ({ key }) => {
      if (!key.endsWith('default.jpg')) return;
      seen.push((await keysBelow('swap/iiif3/info.json')).length > 0);
    };
    await pipeline.run('swap.png', await masterOf(300, 200, 2), { recipe: 'iiif-only' });
    beforeWrite = () => undefined;
    expect(new Set(seen)).toEqual(new Set([false]));
    expect(await keysBelow('swap/iiif3/info.json')).toHaveLength(1);
  });
});

test('an execution that ended between tiles and descriptors writes what is missing when it is redriven', async () => {
  beforeWrite = ({ key }) => {
    if (key.endsWith('info.json')) throw new ServiceUnavailableError('The store is gone');
  };
  const failed = pipeline.run('cut.png', await masterOf(300, 200), { recipe: 'iiif-only' });
  await expect(failed).rejects.toThrow('The store is gone');
  beforeWrite = () => undefined;
  const tile = await headOf('cut/iiif3/0,0,128,128/128,128/0/default.jpg');
  const { state } = pipeline.lastPublished();
  await publishOutputs(pipeline, state);
  expect(await keysBelow('cut/iiif3/info.json')).toHaveLength(1);
  expect((await headOf('cut/iiif3/0,0,128,128/128,128/0/default.jpg')).etag).toBe(tile.etag);
  expect((await entryOf('cut.png'))?.outputs).toHaveLength(1);
});

test('an execution that was superseded replaces no tile of the newer one', async () => {
  await pipeline.run('race.png', await masterOf(300, 200), { recipe: 'iiif-only' });
  const { state } = pipeline.lastPublished();
  await pipeline.run('race.png', await masterOf(300, 200, 2), { recipe: 'iiif-only' });
  const before = await headOf('race/iiif3/0,0,128,128/128,128/0/default.jpg');
  await expect(publishOutputs(pipeline, state)).rejects.toThrow(SourceChangedError);
  // Simulates that the newer one was claimed after the check of the ledger.
  const unaware = { ...pipeline, ledger: { ...pipeline.ledger, assertCurrent: () => Promise.resolve() } };
  await expect(publishOutputs(unaware, state)).rejects.toThrow(SourceChangedError);
  expect((await headOf('race/iiif3/0,0,128,128/128,128/0/default.jpg')).etag).toBe(before.etag);
  expect(await keysBelow('race/iiif3/info.json')).toHaveLength(1);
});

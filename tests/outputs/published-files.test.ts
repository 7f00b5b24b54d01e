import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { presentation3StrictUpgrade } from '@iiif/parser/strict';
import type { Manifest } from '@iiif/presentation-3';
import sharp from 'sharp';
import { publishedObjects, writeRecipe } from '../support/outputs.ts';
import { type Pipeline, startPipeline } from '../support/pipeline.ts';
import { pictureOf } from '../support/pixels.ts';

let folder: string;
let pipeline: Pipeline;
beforeAll(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), 'stepwell-files-'));
  const settings = {
    thumbnails: { sizes: ['100,', '100x', '!400,50', '60x60'], watermark: 'mark.svg' },
    manifest: { rights: 'https://rightsstatements.org/page/InC/1.0/', behavior: 'paged', language: 'en' },
  };
  await writeRecipe(folder, 'both', { outputs: ['manifest', 'tiff', 'thumbnails'], ...settings });
  await writeRecipe(folder, 'tiles', { outputs: ['tiff', 'manifest', 'iiif'], manifest: {} });
  await writeRecipe(folder, 'plain', { outputs: ['tiff'] });
  await writeRecipe(folder, 'kept', { outputs: ['tiff', 'thumbnails'], colour: 'keep', depth: 'keep' });
  const svg = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 4 4"><rect width="4" height="4" fill="red"/></svg>';
  await writeFile(path.join(folder, 'mark.svg'), svg);
  pipeline = await startPipeline(undefined, { recipesDirectory: folder, publicUrl: 'https://files.example.org' });
});
afterAll(async () => {
  await pipeline.stop();
  await rm(folder, { recursive: true });
});

const xmp = `<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
<rdf:Description xmlns:dc="http://purl.org/dc/elements/1.1/"><dc:title><rdf:Alt>
<rdf:li xml:lang="x-default">Embedded</rdf:li></rdf:Alt></dc:title></rdf:Description></rdf:RDF></x:xmpmeta>`;

const publish = async (key: string, recipe: string, width = 300, height = 200): Promise<void> => {
  const master = await pictureOf(width, height).withXmp(xmp).jpeg().toBuffer();
  await pipeline.run(key, master, { recipe });
};

async function read(key: string): Promise<Manifest> {
  const bytes = await pipeline.store.read({ bucket: pipeline.config.publishedBucket, key });
  return JSON.parse(Buffer.from(bytes).toString()) as Manifest;
}

describe('thumbnails and manifests of a recipe', () => {
  test('are published with their sizes, and the manifest names the thumbnails', async () => {
    await publish('a/map 1.jpg', 'both');
    const objects = await publishedObjects(pipeline, 'a/map 1/');
    expect([...objects.keys()].sort()).toEqual([
      'manifest.json',
      'manifest.v2.json',
      'thumbnails/100x.jpg',
      'thumbnails/60x60.jpg',
      'thumbnails/fit400x50.jpg',
    ]);
    const sizes: Record<string, unknown> = {};
    for (const [name, bytes] of objects) {
      if (!name.endsWith('.jpg')) continue;
      const { width, height } = await sharp(bytes).metadata();
      sizes[name] = [width, height];
    }
    expect(sizes).toEqual({
      'thumbnails/100x.jpg': [100, 67],
      'thumbnails/60x60.jpg': [60, 60],
      'thumbnails/fit400x50.jpg': [75, 50],
    });
    const manifest = await read('a/map 1/manifest.json');
    expect(manifest).toMatchObject({
      id: 'https://files.example.org/a/map%201/manifest.json',
      label: { en: ['Embedded'] },
      rights: 'http://rightsstatements.org/vocab/InC/1.0/',
      thumbnail: [
        { id: 'https://files.example.org/a/map%201/thumbnails/100x.jpg', width: 100, height: 67 },
        { width: 75, height: 50 },
        { width: 60, height: 60 },
      ],
      items: [{ seeAlso: [{ id: 'https://files.example.org/a/map%201.tif.json' }] }],
    });
    // That the images of a folder are pages says nothing about one of them.
    expect(manifest).not.toHaveProperty('behavior');
    const warnings: string[] = [];
    presentation3StrictUpgrade(manifest, { warnings });
    expect(warnings).toEqual([]);
    const head = async (key: string) => pipeline.store.head({ bucket: pipeline.config.publishedBucket, key });
    expect(await head('a/map 1/manifest.json')).toMatchObject({
      cacheControl: 'public, max-age=60',
      contentType: 'application/json',
      metadata: { 'stepwell-sequence': expect.any(String) },
    });
    expect(await head('a/map 1/thumbnails/100x.jpg')).toMatchObject({ cacheControl: 'public, max-age=86400' });
  });

  test('name the static tiles of the same recipe as the image service', async () => {
    await publish('tiles.jpg', 'tiles');
    const [canvas] = (await read('tiles/manifest.json')).items;
    expect(canvas?.items?.[0]?.items?.[0]?.body).toMatchObject({
      id: 'https://files.example.org/tiles/iiif3/full/max/0/default.jpg',
      service: [{ id: 'https://files.example.org/tiles/iiif3', type: 'ImageService3', profile: 'level0' }],
    });
    const info = await read('tiles/iiif3/info.json');
    expect(info.id).toBe('https://files.example.org/tiles/iiif3');
  });

  test('have the label of the image in labels.csv', async () => {
    const ref = { bucket: pipeline.config.publishedBucket, key: 'l/labels.csv' };
    await pipeline.store.write(ref, Buffer.from('\uFEFFIdentifier;Title\r\nx.jpg;From the list\r\n'));
    await publish('l/x.jpg', 'both');
    expect((await read('l/x/manifest.json')).label).toEqual({ en: ['From the list'] });
  });

  test('are replaced when the image is published again, and removed when its recipe lists them no longer', async () => {
    await publish('again.jpg', 'both', 300, 200);
    await publish('again.jpg', 'both', 40, 80);
    expect((await read('again/manifest.json')).items[0]).toMatchObject({ width: 40, height: 80 });
    await publish('again.jpg', 'plain');
    expect(await publishedObjects(pipeline, 'again/')).toEqual(new Map());
  });

  test('thumbnails need no tiles, and so no sRGB', async () => {
    await publish('kept.jpg', 'kept');
    expect([...(await publishedObjects(pipeline, 'kept/')).keys()]).toEqual(['thumbnails/auto.jpg']);
  });
});

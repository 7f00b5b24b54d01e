import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { LedgerEntry } from '../../src/ledger/ledger.ts';
import { allPublished, storeLabels, writeManifests } from '../../src/local/manifests.ts';
import { writeRecipe } from '../support/outputs.ts';
import { type Pipeline, startPipeline } from '../support/pipeline.ts';
import { pictureOf } from '../support/pixels.ts';

let folder: string;
let pipeline: Pipeline;
beforeAll(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), 'stepwell-manifests-'));
  await writeRecipe(folder, 'with', { outputs: ['tiff', 'manifest'] });
  await writeRecipe(folder, 'single', { outputs: ['tiff', 'manifest'], manifest: { folders: false } });
  await writeRecipe(folder, 'without', { outputs: ['tiff'] });
  pipeline = await startPipeline(undefined, { recipesDirectory: folder });
  const master = await pictureOf(40, 30).png().toBuffer();
  for (const [key, recipe] of [
    ['maps/2.png', 'with'],
    ['maps/10.png', 'with'],
    ['maps/below/1.png', 'with'],
    ['alone/1.png', 'single'],
    ['plain/1.png', 'without'],
  ] as const) {
    await pipeline.run(key, master, { recipe });
  }
});
afterAll(async () => {
  await pipeline.stop();
  await rm(folder, { recursive: true });
});

async function titles(key: string): Promise<string[]> {
  const bytes = await pipeline.store.read({ bucket: pipeline.config.publishedBucket, key });
  const { items } = JSON.parse(Buffer.from(bytes).toString()) as { items: { label: { none: string[] } }[] };
  return items.map(({ label }) => label.none[0] ?? '');
}

test('the folders of the images of a command have manifests if their recipe has them', async () => {
  const entries: LedgerEntry[] = [];
  for await (const entry of allPublished(pipeline)) entries.push(entry);
  expect(entries).toHaveLength(5);
  expect(await writeManifests(pipeline, entries)).toEqual({ folders: 2, written: 8, problems: [] });
  expect(await titles('maps/folder-manifest.json')).toEqual(['2', '10']);
  expect(await titles('maps/below/folder-manifest.json')).toEqual(['1']);
  await expect(titles('alone/folder-manifest.json')).rejects.toThrow();
  expect(await writeManifests(pipeline, entries)).toMatchObject({ written: 0 });
});

test('labels change the manifests of what is published, and rows that name nothing are reported', async () => {
  await storeLabels(pipeline, Buffer.from('identifier,title\nmaps/10,Ten\nnone,None\nmaps/below/1,One\n'));
  const { store, config } = pipeline;
  // Labels of a folder without images are reported by the folders that have manifests only.
  const own = 'identifier,title\n2,Two\n3,Three\n';
  await store.write({ bucket: config.publishedBucket, key: 'maps/labels.csv' }, Buffer.from(own));
  const { problems } = await writeManifests(pipeline, allPublished(pipeline));
  expect(problems).toEqual(['maps/labels.csv, line 3: no published image is named "3"']);
  expect(await titles('maps/folder-manifest.json')).toEqual(['Two', 'Ten']);
  expect(await titles('maps/below/1/manifest.json')).toEqual(['One']);
});

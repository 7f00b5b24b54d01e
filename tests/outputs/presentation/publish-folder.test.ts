import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import type { LedgerEntry } from '../../../src/ledger/ledger.ts';
import { LabelFiles } from '../../../src/outputs/presentation/find-labels.ts';
import {
  imageManifest,
  manifestBytes,
  type ManifestPorts,
  publishFolder,
} from '../../../src/outputs/presentation/publish-folder.ts';
import { describeEntry } from '../../../src/outputs/presentation/describe-entry.ts';
import { fileStore } from '../../../src/storage/files/files.ts';
import type { ObjectStore } from '../../../src/storage/object-store.ts';
import { files, publishedEntry, server } from '../../support/described-images.ts';

const bucket = 'published';
const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

let workspace: string;
let store: ObjectStore;
let entries: Map<string, LedgerEntry>;
let calls: string[];
let ports: ManifestPorts;
beforeEach(async () => {
  workspace = await mkdtemp(path.join(os.tmpdir(), 'stepwell-manifests-'));
  const inner = fileStore(workspace);
  calls = [];
  store = new Proxy(inner, {
    get(target, name: keyof ObjectStore) {
      const method = target[name].bind(target) as (...parameters: unknown[]) => unknown;
      return (...parameters: unknown[]) => {
        calls.push(`${name} ${(parameters[0] as { key?: string }).key ?? String(parameters[1])}`);
        return method(...parameters);
      };
    },
  });
  entries = new Map();
  ports = {
    store,
    publishedBucket: bucket,
    labels: new LabelFiles(store, bucket),
    ledger: {
      findAllPublished: (_, keys) =>
        Promise.resolve(
          new Map(keys.flatMap((key) => (entries.has(key) ? [[key, entries.get(key) as LedgerEntry]] : []))),
        ),
    },
    addresses: { files, server },
    settings: { language: 'none' },
    companions: () => ({}),
  };
});
afterEach(() => rm(workspace, { recursive: true }));

/** Publishes an image and its own manifest, as the pipeline does. */
async function publish(identifier: string): Promise<void> {
  const { etag } = await store.write({ bucket, key: `${identifier}.tif` }, bytes(`II ${identifier}`));
  const plain = publishedEntry(identifier);
  const entry = { ...plain, published: { ...plain.published, etag } };
  entries.set(`${identifier}.tif`, entry);
  const manifest = imageManifest(ports, describeEntry(entry, undefined, ports.addresses), 3);
  await store.write({ bucket, key: `${identifier}/manifest.json` }, manifestBytes(manifest), {
    metadata: { 'stepwell-image': entry.imageId },
  });
}

interface Read {
  readonly id: string;
  readonly label: { none: string[] };
  readonly items: readonly Read[];
}

async function read(key: string): Promise<Read> {
  return JSON.parse(Buffer.from(await store.read({ bucket, key })).toString()) as Read;
}

const titles = async (key: string): Promise<string[]> =>
  (await read(key)).items.map(({ label }) => label.none[0] ?? '');
const writes = (): string[] =>
  calls.filter((call) => /^(write|remove|copy|compose) /u.test(call)).map((call) => call.replace(/^\w+ /u, ''));

describe('the manifest of a folder', () => {
  test('has the images of the folder by name, and the collection refers to their manifests', async () => {
    for (const name of ['a/page 10', 'a/page 2', 'a/Page 1', 'a/below/x', 'ab', 'a']) await publish(name);
    await publishFolder(ports, 'a/');
    expect(await titles('a/folder-manifest.json')).toEqual(['Page 1', 'page 2', 'page 10']);
    expect((await read('a/folder-collection.json')).items.map(({ id }) => id)).toEqual(
      ['Page%201', 'page%202', 'page%2010'].map((name) => `${server}iiif/presentation/3/a%2F${name}/manifest`),
    );
    expect(await read('a/folder-manifest.v2.json')).toMatchObject({ '@type': 'sc:Manifest', label: 'a' });
    expect(await read('a/folder-collection.v2.json')).toMatchObject({ '@type': 'sc:Collection' });
    await publishFolder(ports, '');
    expect(await titles('folder-manifest.json')).toEqual(['a', 'ab']);
    expect((await read('folder-manifest.json')).label).toEqual({ none: ['Images'] });
  });

  test('follows publications, removals, renames and files that are not of the ledger', async () => {
    for (const name of ['a/1', 'a/2', 'a/3']) await publish(name);
    await publishFolder(ports, 'a/');
    await store.remove({ bucket, key: 'a/1.tif' });
    await store.remove({ bucket, key: 'a/2.tif' });
    await publish('a/2b');
    await store.write({ bucket, key: 'a/foreign.tif' }, bytes('x'));
    await store.write({ bucket, key: 'a/3.tif' }, bytes('replaced by hand'));
    await publishFolder(ports, 'a/');
    expect(await titles('a/folder-manifest.json')).toEqual(['2b']);
    await store.remove({ bucket, key: 'a/2b.tif' });
    calls = [];
    expect((await publishFolder(ports, 'a/')).written).toBe(4);
    expect(writes()).toEqual([
      'a/folder-manifest.json',
      'a/folder-manifest.v2.json',
      'a/folder-collection.json',
      'a/folder-collection.v2.json',
    ]);
    await expect(read('a/folder-manifest.json')).rejects.toThrow();
    expect((await publishFolder(ports, 'a/')).written).toBe(0);
  });

  test('is ordered and described by the labels of the folder, and others follow by name', async () => {
    for (const name of ['a/1', 'a/2', 'a/3', 'a/4']) await publish(name);
    await store.write({ bucket, key: 'labels.csv' }, bytes('identifier,title\na/4,Four\na/3,Three of the root\n'));
    const own = 'identifier,title,description\n.,The box,Of letters\n3.jpg,Three\n2.tif,Two\nnone,None\n';
    await store.write({ bucket, key: 'a/labels.csv' }, bytes(own));
    const { folder } = await publishFolder(ports, 'a/');
    expect(await titles('a/folder-manifest.json')).toEqual(['Three', 'Two', '1', 'Four']);
    expect(await read('a/folder-manifest.json')).toMatchObject({
      label: { none: ['The box'] },
      summary: { none: ['Of letters'] },
    });
    expect(folder.problems).toEqual([{ line: 5, message: 'no published image is named "none"' }]);
    expect(folder.unlabelled).toEqual(['a/1']);
  });

  test('changing one label writes the manifest of that image and those of the folder that show it', async () => {
    const labels = { bucket, key: 'a/labels.csv' };
    for (const name of ['a/1', 'a/2', 'a/3']) await publish(name);
    await store.write(labels, bytes('identifier,title\n1,One\n2,Two\n'));
    await publishFolder(ports, 'a/', { members: true });
    calls = [];
    expect((await publishFolder(ports, 'a/', { members: true })).written).toBe(0);
    expect(writes()).toEqual([]);
    await store.write(labels, bytes('identifier,title,description\n1,One,Seen from the north\n2,Two,\n'));
    calls = [];
    await publishFolder(ports, 'a/', { members: true });
    expect(writes()).toEqual(['a/folder-manifest.json', 'a/folder-manifest.v2.json', 'a/1/manifest.json']);
    expect(await read('a/1/manifest.json')).toMatchObject({ label: { none: ['One'] } });
    // It still names the image that it was published for.
    const { metadata, cacheControl } = await store.head({ bucket, key: 'a/1/manifest.json' });
    expect(metadata).toMatchObject({ 'stepwell-image': '0'.repeat(32) });
    expect(cacheControl).toBe('public, max-age=60');
  });

  test('a rebuild that read the folder earlier does not replace one that read it later', async () => {
    await publish('a/1');
    const { findAllPublished } = ports.ledger;
    let interrupted = false;
    const slow: ManifestPorts = {
      ...ports,
      ledger: {
        async findAllPublished(of, keys) {
          const found = await findAllPublished(of, keys);
          if (!interrupted) {
            interrupted = true;
            await publish('a/2');
            await publishFolder(ports, 'a/');
          }
          return found;
        },
      },
    };
    await publishFolder(slow, 'a/');
    expect(await titles('a/folder-manifest.json')).toEqual(['1', '2']);
  });

  test('the number of requests grows with the number of images, and no pyramid is read', async () => {
    for (let n = 0; n < 250; n++) await publish(`a/${n}`);
    calls = [];
    let batches = 0;
    const { findAllPublished } = ports.ledger;
    const counted = {
      findAllPublished: (...parameters: Parameters<typeof findAllPublished>) => {
        batches++;
        return findAllPublished(...parameters);
      },
    };
    await publishFolder({ ...ports, ledger: counted }, 'a/');
    expect(batches).toBe(3);
    expect(calls.filter((call) => call.includes('.tif'))).toEqual([]);
    expect(calls.length).toBeLessThan(20);
    expect((await read('a/folder-manifest.json')).items).toHaveLength(250);
  });
});

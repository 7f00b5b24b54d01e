import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readdir, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { fileStore, registerBucket, removeLeftOvers } from '../../src/storage/files/files.ts';
import { removeUnfinished } from '../../src/storage/files/unfinished.ts';

/** A file system other than that of the temporary folder. */
const OTHER_FILE_SYSTEM = '/dev/shm';

let workspace: string;
let near: string;
let far: string;
beforeEach(async () => {
  workspace = await mkdtemp(join(tmpdir(), 'stepwell-unfinished-'));
  near = await mkdtemp(join(tmpdir(), 'stepwell-near-'));
  far = await mkdtemp(join(OTHER_FILE_SYSTEM, 'stepwell-far-'));
  await registerBucket(workspace, 'near', near);
  await registerBucket(workspace, 'far', far);
});
afterEach(async () => {
  for (const folder of [workspace, near, far]) await rm(folder, { recursive: true, force: true });
});

const below = async (folder: string): Promise<string[]> => (await readdir(folder, { recursive: true })).sort();
const unfinished = (): Promise<string[]> => below(join(workspace, 'unfinished'));

/** Composes an object in a process that is killed while it writes. */
async function killWhileWriting(bucket: string, key = 'maps/a.tif', before = ''): Promise<void> {
  const module = `
    import { fileStore } from ${JSON.stringify(resolve('src/storage/files/files.ts'))};
    const store = fileStore(${JSON.stringify(workspace)});
    const slow = { length: 1, make: () => { console.log('writing'); return new Promise(() => setInterval(() => {}, 1000)); } };
    ${before}
    await store.compose({ bucket: '${bucket}', key: '${key}' }, [Buffer.alloc(3_000_000), slow], { contentType: 'image/tiff' });`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', module], {
    env: { ...process.env, NODE_OPTIONS: '' },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  await once(child.stdout, 'data');
  child.kill('SIGKILL');
  await once(child, 'close');
}

test('the tests use two file systems', async () => {
  expect((await stat(far)).dev).not.toBe((await stat(near)).dev);
});

describe('a file that a killed process left unfinished', () => {
  test('is in the workspace, not in the folder of the bucket, and is removed', async () => {
    await killWhileWriting('near');
    expect(await below(near)).toEqual([]);
    expect(await unfinished()).toHaveLength(1);
    await removeLeftOvers(workspace, new Date(0));
    expect(await unfinished()).toEqual([]);
  });

  test('is beside its target on another file system, and is removed by its link in the workspace', async () => {
    // The store learns that files cannot be renamed to the bucket.
    await killWhileWriting(
      'far',
      'maps/b.tif',
      "await store.write({ bucket: 'far', key: 'maps/a.tif' }, Buffer.from('a'));",
    );
    expect(await below(far)).toEqual(['maps', expect.stringMatching(/^maps\/\.stepwell-tmp-/u), 'maps/a.tif']);
    await removeLeftOvers(workspace, new Date(0));
    expect(await below(far)).toEqual(['maps', 'maps/a.tif']);
    expect(await unfinished()).toEqual([]);
  });
});

test('objects on another file system are written whole, and nothing is left in the workspace', async () => {
  const store = fileStore(workspace);
  const bytes = Buffer.alloc(3_000_000, 7);
  for (const key of ['a/b/one', 'two']) {
    const info = await store.write({ bucket: 'far', key }, bytes, { metadata: { made: 'here' } });
    expect(await store.head({ bucket: 'far', key })).toEqual({ ...info, metadata: { made: 'here' } });
    expect(Buffer.from(await store.read({ bucket: 'far', key }, { ifMatch: info.etag })).equals(bytes)).toBe(true);
  }
  const work = await store.write({ bucket: 'work', key: 'file' }, bytes);
  await store.copy(
    { bucket: 'work', key: 'file', etag: work.etag },
    { bucket: 'far', key: 'three' },
    { over: 'absent' },
  );
  await expect(
    store.copy({ bucket: 'work', key: 'file', etag: work.etag }, { bucket: 'far', key: 'three' }, { over: 'absent' }),
  ).rejects.toMatchObject({ name: 'PreconditionFailedError' });
  expect(await below(far)).toEqual(['a', 'a/b', 'a/b/one', 'three', 'two']);
  expect(await unfinished()).toEqual([]);
});

test('metadata of objects that did not become visible or were replaced is removed', async () => {
  const store = fileStore(workspace);
  const put = async (key: string, metadata: Record<string, string>): Promise<string> =>
    (await store.write({ bucket: 'near', key }, Buffer.from(JSON.stringify(metadata)), { metadata })).etag;
  await put('kept', { made: 'first' });
  const folder = join(workspace, 'metadata', 'near');
  const [kept = ''] = await readdir(folder);
  const hash = kept.split('.')[0] ?? '';
  await writeFile(join(folder, `${hash}.${'0'.repeat(32)}.json`), '{"key":"kept","etag":"00"}\n');
  await writeFile(join(folder, `${'1'.repeat(64)}.${'0'.repeat(32)}.json`), '{"key":"mis');
  await removeLeftOvers(workspace, new Date(0));
  expect(await readdir(folder)).toEqual([kept]);
  expect((await store.head({ bucket: 'near', key: 'kept' })).metadata).toEqual({ made: 'first' });
});

test('a link that is not of the store is removed without its target', async () => {
  await mkdir(join(workspace, 'unfinished'), { recursive: true });
  await writeFile(join(near, 'mine.txt'), 'mine');
  await symlink(join(near, 'mine.txt'), join(workspace, 'unfinished', 'link'));
  await removeUnfinished(workspace);
  expect(await below(near)).toEqual(['mine.txt']);
  expect(await unfinished()).toEqual([]);
});

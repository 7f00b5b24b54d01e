import { execFileSync } from 'node:child_process';
import {
  appendFile,
  link,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  rm,
  symlink,
  truncate,
  utimes,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { ObjectNotFoundError, PreconditionFailedError } from '../../src/errors.ts';
import { fileStore, registerBucket } from '../../src/storage/files/files.ts';
import type { ObjectRef, ObjectStore, Piece } from '../../src/storage/object-store.ts';
import { hostileKeys } from '../support/hostile-keys.ts';
import { describeObjectStore, listKeys } from './contract.ts';

async function startFiles() {
  const workspace = await mkdtemp(join(tmpdir(), 'stepwell-files-'));
  let count = 0;
  const store = fileStore(workspace);
  return {
    store,
    put: (ref: ObjectRef, content: Uint8Array) => store.write(ref, content),
    newBucket: () => Promise.resolve(`bucket-${++count}`),
    leftovers: async (bucket: string) =>
      (await filesBelow(join(workspace, 'buckets', bucket))).filter(isTemporary).length +
      (await filesBelow(join(workspace, 'unfinished'))).length,
    stop: () => rm(workspace, { recursive: true }),
  };
}

const isTemporary = (path: string): boolean => path.includes('.stepwell-tmp-');
const bytes = (value: string): Buffer => Buffer.from(value);

async function filesBelow(directory: string): Promise<string[]> {
  try {
    return await readdir(directory, { recursive: true });
  } catch {
    return [];
  }
}

describeObjectStore('a folder', startFiles, hostileKeys);

describe('the object store on folders', () => {
  let workspace: string;
  let folder: string;
  let store: ObjectStore;
  const at = (key: string) => ({ bucket: 'mine', key });

  beforeEach(async () => {
    workspace = await mkdtemp(join(tmpdir(), 'stepwell-files-'));
    folder = join(workspace, 'my own folder');
    await mkdir(folder);
    await registerBucket(workspace, 'mine', folder);
    store = fileStore(workspace);
  });
  afterEach(() => rm(workspace, { recursive: true }));

  test('serves an existing folder of files as a bucket', async () => {
    await mkdir(join(folder, 'scans 2026'));
    await writeFile(join(folder, 'scans 2026', 'page 1 – é.tif'), 'tiff');
    let listed: { key: string; size: number; etag: string } | undefined;
    for await (const object of store.list('mine', '')) listed = object;
    expect(listed).toMatchObject({ key: 'scans 2026/page 1 – é.tif', size: 4 });
    expect(await store.head(at('scans 2026/page 1 – é.tif'))).toEqual({
      size: 4,
      etag: listed?.etag,
      contentType: undefined,
      metadata: {},
    });
  });

  test('writes an object as one file of that name and no other file', async () => {
    await store.write(at('out/image.tif'), bytes('tiff'), { contentType: 'image/tiff', metadata: { a: 'b' } });
    expect((await filesBelow(folder)).sort()).toEqual(['out', 'out/image.tif']);
    expect(await readFile(join(folder, 'out/image.tif'), 'utf8')).toBe('tiff');
  });

  test('returns what is in the file now, also for a small object that it has just written', async () => {
    const ref = { bucket: 'own-bucket', key: 'a/plan.json' };
    const file = join(workspace, 'buckets', 'own-bucket', 'a', 'plan.json');
    const { etag } = await store.write(ref, bytes('0123456789'));
    const read = await store.read(ref, { ifMatch: etag });
    read.fill(0);
    expect(Buffer.from(await store.read(ref, { range: { offset: 4, length: 99 } })).toString()).toBe('456789');
    const into = new Uint8Array(3);
    expect(await store.read(ref, { range: { offset: 1, length: 3 }, into })).toEqual(into);
    expect(Buffer.from(into).toString()).toBe('123');
    await expect(store.read(ref, { ifMatch: 'other' })).rejects.toThrow(PreconditionFailedError);
    await rm(file);
    await expect(store.read(ref)).rejects.toThrow(ObjectNotFoundError);
    await writeFile(file, 'abcdefghij');
    expect(Buffer.from(await store.read(ref)).toString()).toBe('abcdefghij');
    await expect(store.read(ref, { ifMatch: etag })).rejects.toThrow(PreconditionFailedError);
  });

  test('finds a bucket that is registered or moved while the store is in use', async () => {
    const other = join(workspace, 'other');
    await mkdir(other);
    await writeFile(join(other, 'there'), '1');
    await expect(store.head({ bucket: 'later', key: 'there' })).rejects.toThrow(ObjectNotFoundError);
    await registerBucket(workspace, 'later', other);
    expect(await listKeys(store, 'later')).toEqual(['there']);
    await registerBucket(workspace, 'later', folder);
    expect(await listKeys(store, 'later')).toEqual([]);
  });

  test('keeps all of several buckets registered concurrently', async () => {
    const names = Array.from({ length: 10 }, (_, n) => `bucket-${n}`);
    await Promise.all(names.map((name) => registerBucket(workspace, name, join(workspace, name))));
    const registry = JSON.parse(await readFile(join(workspace, 'buckets.json'), 'utf8')) as object;
    expect(Object.keys(registry)).toEqual(['mine', ...names]);
  });

  test.each(['..', '.', 'a', '../x', 'a/b', 'UPPER', 'a..b', '-ab', 'ab-', 'x'.repeat(64), '', '__proto__'])(
    'throws RangeError for the bucket name %j',
    async (bucket) => {
      await expect(store.write({ bucket, key: 'a' }, bytes('x'))).rejects.toThrow(RangeError);
      await expect(registerBucket(workspace, bucket, folder)).rejects.toThrow(RangeError);
      await expect(listKeys(store, bucket)).rejects.toThrow(RangeError);
    },
  );

  test('accepts a bucket named like a property of Object.prototype', async () => {
    await store.write({ bucket: 'constructor', key: 'a' }, bytes('x'));
    expect(await readFile(join(workspace, 'buckets/constructor/a'), 'utf8')).toBe('x');
  });

  test('reports an invalid buckets.json and a relative directory', async () => {
    await writeFile(join(workspace, 'buckets.json'), '{"mine":"relative/path"}');
    await expect(store.head(at('a'))).rejects.toThrow('absolute directories for');
    await expect(registerBucket(workspace, 'other', 'relative')).rejects.toThrow('absolute path for directory');
  });

  test('refuses a key that is a directory of another key with an explanation', async () => {
    await store.write(at('a/b'), bytes('x'));
    await expect(store.write(at('a'), bytes('y'))).rejects.toThrow('cannot hold both "a" and "a/b"');
    await expect(store.write(at('a'), bytes('y'), { over: 'absent' })).rejects.toThrow(
      'cannot hold both "a" and "a/b"',
    );
    await expect(store.write(at('a/b/c'), bytes('y'))).rejects.toThrow('cannot hold both "a" and "a/b"');
    expect((await filesBelow(folder)).sort()).toEqual(['a', 'a/b']);
  });

  test('replaces an empty directory at the path of an object', async () => {
    await mkdir(join(folder, 'a'));
    await store.write(at('a'), bytes('x'), { over: 'absent' });
    expect(await listKeys(store, 'mine')).toEqual(['a']);
  });

  test('writes no file outside the folder for hostile keys', async () => {
    const before = (await filesBelow(workspace)).filter((path) => !path.startsWith('my own folder'));
    for (const key of hostileKeys) await store.write(at(key), bytes('x'));
    const after = (await filesBelow(workspace)).filter((path) => !path.startsWith('my own folder'));
    expect(after).toEqual(before);
  });

  test('removes empty directories after a removal but not the folder of the bucket', async () => {
    await store.write(at('a/b/c'), bytes('x'));
    await store.write(at('a/d'), bytes('x'));
    await store.remove(at('a/b/c'));
    expect((await filesBelow(folder)).sort()).toEqual(['a', 'a/d']);
    await store.remove(at('a/d'));
    expect(await filesBelow(workspace)).toContain('my own folder');
  });

  test('writes while other calls remove the same directories', async () => {
    const rounds = Array.from({ length: 60 }, async (_, n) => {
      await store.write(at(`deep/down/${n % 6}/${n}`), bytes('x'));
      await store.remove(at(`deep/down/${n % 6}/${n}`));
    });
    await Promise.all(rounds);
    expect(await filesBelow(folder)).toEqual([]);
  });

  test('removes the metadata files of replaced and removed objects', async () => {
    for (let n = 0; n < 5; n++) await store.write(at('a'), bytes('x'), { metadata: { n: `${n}` } });
    await expect(store.write(at('a'), bytes('x'), { metadata: { n: 'x' }, over: 'absent' })).rejects.toThrow();
    expect(await readdir(join(workspace, 'metadata', 'mine'))).toHaveLength(1);
    await store.remove(at('a'));
    expect(await readdir(join(workspace, 'metadata', 'mine'))).toHaveLength(0);
  });

  test('returns metadata that belongs to the returned object during replacements', async () => {
    await store.write(at('a'), bytes(''), { metadata: { n: '0' } });
    const progress = { written: 0 };
    const writer = (async () => {
      while (progress.written < 100) {
        const n = progress.written + 1;
        await store.write(at('a'), bytes('x'.repeat(n)), { metadata: { n: `${n}` } });
        progress.written = n;
      }
    })();
    do {
      const { size, metadata } = await store.head(at('a'));
      expect(metadata).toEqual({ n: `${size}` });
    } while (progress.written < 100);
    await writer;
  });

  describe('a file that is modified in place', () => {
    const changes: [string, (path: string) => Promise<void>][] = [
      ['appending', (path) => appendFile(path, 'more')],
      ['truncation', (path) => truncate(path, 1)],
      ['setting its times', (path) => utimes(path, 1, 1)],
      ['overwriting', (path) => writeFile(path, 'otherwise')],
    ];
    test.each(changes)('has a new ETag and no metadata after %s', async (_name, change) => {
      const { etag } = await store.write(at('a'), bytes('something'), { metadata: { a: 'b' } });
      await change(join(folder, 'a'));
      expect(await store.head(at('a'))).toMatchObject({ metadata: {} });
      await expect(store.read(at('a'), { ifMatch: etag })).rejects.toThrow(PreconditionFailedError);
      await expect(store.copy({ ...at('a'), etag }, at('b'))).rejects.toThrow(PreconditionFailedError);
    });

    test('makes a compose that is reading it fail', async () => {
      const { etag } = await store.write(at('a'), bytes('0123456789'));
      const piece = { ref: at('a'), etag, offset: 0, length: 10 };
      let pieces = 0;
      function* changing() {
        yield piece;
        yield Buffer.alloc(1);
        execFileSync('truncate', ['-s', '4', join(folder, 'a')]);
        pieces++;
        yield Buffer.alloc(1);
      }
      await expect(store.compose(at('b'), changing())).rejects.toThrow(PreconditionFailedError);
      expect(pieces).toBe(1);
      expect(await listKeys(store, 'mine')).toEqual(['a']);
      expect((await filesBelow(folder)).filter(isTemporary)).toEqual([]);
    });
  });

  test('follows links to files and directories but not in circles', async () => {
    const elsewhere = join(workspace, 'elsewhere');
    await mkdir(elsewhere);
    await writeFile(join(elsewhere, 'file'), 'content');
    await symlink(elsewhere, join(folder, 'linked'));
    await symlink(join(elsewhere, 'file'), join(folder, 'file'));
    await symlink(folder, join(folder, 'circle'));
    await symlink(join(folder, 'nowhere'), join(folder, 'broken'));
    expect(await listKeys(store, 'mine')).toEqual(['file', 'linked/file']);
    expect(Buffer.from(await store.read(at('linked/file'))).toString()).toBe('content');
    await expect(store.head(at('broken'))).rejects.toThrow(ObjectNotFoundError);
  });

  test('replaces a link and not its target', async () => {
    const original = join(workspace, 'original');
    await writeFile(original, 'precious');
    await symlink(original, join(folder, 'symbolic'));
    await link(original, join(folder, 'hard'));
    await store.write(at('symbolic'), bytes('new'));
    await store.write(at('hard'), bytes('new'));
    expect(await readFile(original, 'utf8')).toBe('precious');
  });

  test('ignores a named pipe without blocking', async () => {
    execFileSync('mkfifo', [join(folder, 'pipe')]);
    await expect(store.read(at('pipe'))).rejects.toThrow(ObjectNotFoundError);
    expect(await listKeys(store, 'mine')).toEqual([]);
  });

  test('does not list temporary files and files whose path has no key', async () => {
    await writeFile(join(folder, '%~not-canonical'), 'x');
    await writeFile(join(folder, '.stepwell-tmp-crashed'), 'x');
    expect(await listKeys(store, 'mine')).toEqual([]);
  });

  test('materialises an object as the file itself', async () => {
    await store.write(at('a'), bytes('x'));
    const file = await store.materialise(at('a'));
    expect(file.path).toBe(join(folder, 'a'));
    await file.dispose();
    expect(await readFile(file.path, 'utf8')).toBe('x');
  });

  test('gives different ETags to successive writes of the same size', async () => {
    const etags = new Set<string>();
    for (let n = 0; n < 200; n++) etags.add((await store.write(at('a'), bytes('x'))).etag);
    expect(etags.size).toBe(200);
  });

  test('generates the pieces of a compose one by one', async () => {
    const log: string[] = [];
    function* pieces(): Generator<Piece> {
      for (const name of ['a', 'b', 'c']) {
        log.push(`take ${name}`);
        yield {
          length: 1,
          make: async () => {
            log.push(`begin ${name}`);
            await setImmediate();
            log.push(`end ${name}`);
            return bytes(name);
          },
        };
      }
    }
    await store.compose(at('abc'), pieces());
    expect(log.join(', ')).toBe('take a, begin a, end a, take b, begin b, end b, take c, begin c, end c');
    expect(Buffer.from(await store.read(at('abc'))).toString()).toBe('abc');
  });

  test('composes many objects with a bounded number of open files', async () => {
    const pieces = [];
    for (let n = 0; n < 150; n++) {
      const { etag } = await store.write(at(`parts/${n}`), bytes(String(n).padStart(4)));
      pieces.push({ ref: at(`parts/${n}`), etag, offset: 0, length: 4 });
    }
    await store.compose(at('whole'), [...pieces, ...pieces]);
    const half = Array.from({ length: 150 }, (_, n) => String(n).padStart(4)).join('');
    expect(Buffer.from(await store.read(at('whole'))).toString()).toBe(half + half);
  });
});

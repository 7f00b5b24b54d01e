import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { execFileSync } from 'node:child_process';
import { mkdir, mkdtemp, realpath, rm, symlink, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { findInputs } from '../../src/cli/inputs.ts';

let folder: string;
beforeEach(async () => {
  folder = await realpath(await mkdtemp(path.join(os.tmpdir(), 'stepwell-inputs-')));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

async function put(...names: string[]): Promise<void> {
  for (const name of names) {
    await mkdir(path.dirname(path.join(folder, name)), { recursive: true });
    await writeFile(path.join(folder, name), name);
  }
}

const find = async (typed: string[], excluded: string[] = []) => {
  const { files, missing } = await findInputs(
    typed.map((name) => path.join(folder, name)),
    excluded.map((name) => path.join(folder, name)),
  );
  return {
    files: files.map((file) => [path.relative(folder, file.folder), file.key, path.relative(folder, file.name)]),
    missing: missing.map((name) => path.relative(folder, name)),
  };
};

describe('findInputs', () => {
  test('returns a file with its folder as bucket', async () => {
    await put('in/a b+c%.tif');
    expect(await find(['in/a b+c%.tif'])).toEqual({ files: [['in', 'a b+c%.tif', 'in/a b+c%.tif']], missing: [] });
  });

  test('returns every file below a folder in order', async () => {
    await put('in/b.tif', 'in/a/2.tif', 'in/a/1.tif', 'in/A.tif', 'other/c.tif');
    expect((await find(['in'])).files).toEqual([
      ['in', 'A.tif', 'in/A.tif'],
      ['in', 'a/1.tif', 'in/a/1.tif'],
      ['in', 'a/2.tif', 'in/a/2.tif'],
      ['in', 'b.tif', 'in/b.tif'],
    ]);
  });

  test('skips hidden files and folders unless they are named', async () => {
    await put('in/.DS_Store', 'in/.git/a.tif', 'in/a.tif');
    expect((await find(['in'])).files.map(([, key]) => key)).toEqual(['a.tif']);
    expect((await find(['in/.DS_Store'])).files.map(([, key]) => key)).toEqual(['.DS_Store']);
  });

  test('skips exactly the excluded folders', async () => {
    await put('in/published/a.tif', 'in/published-not/b.tif', 'in/a/published/c.tif');
    expect((await find(['in'], ['in/published'])).files.map(([, key]) => key)).toEqual([
      'a/published/c.tif',
      'published-not/b.tif',
    ]);
  });

  test('returns a file once that is named directly, by folder and by another path', async () => {
    await put('in/a.tif', 'in/b.tif');
    const { files } = await find(['in/a.tif', 'in', 'in/../in/b.tif', 'in/a.tif']);
    expect(files.map(([, key]) => key).sort()).toEqual(['a.tif', 'b.tif']);
  });

  test('returns a file once that is also named through a link', async () => {
    await put('in/a.tif');
    await symlink(path.join(folder, 'in'), path.join(folder, 'link'));
    expect((await find(['in', 'link', 'link/a.tif'])).files).toHaveLength(1);
  });

  test('returns missing names and finds the other files', async () => {
    await put('in/a.tif');
    expect(await find(['nothing.tif', 'in', 'no/such/folder'])).toEqual({
      files: [['in', 'a.tif', 'in/a.tif']],
      missing: ['nothing.tif', 'no/such/folder'],
    });
  });

  describe('reports the entries of a folder that it skips', () => {
    const skipped = async (typed = 'in') => (await findInputs([path.join(folder, typed)], [])).skipped;

    test('links to files and folders, which are followed when they are named', async () => {
      await put('a.tif', 'other/b.tif', 'in/c.tif');
      await symlink(path.join(folder, 'a.tif'), path.join(folder, 'in', 'file.tif'));
      await symlink(path.join(folder, 'other'), path.join(folder, 'in', 'folder'));
      expect((await find(['in'])).files.map(([, key]) => key)).toEqual(['c.tif']);
      const reason = 'it is a link; name it on the command line to follow it';
      expect(await skipped()).toEqual([
        { name: path.join(folder, 'in', 'file.tif'), reason, isError: false },
        { name: path.join(folder, 'in', 'folder'), reason, isError: false },
      ]);
      expect((await find(['in/file.tif', 'in/folder'])).files.map(([, key]) => key)).toEqual(['file.tif', 'b.tif']);
    });

    test('files and folders whose names are not UTF-8, as errors', async () => {
      await put('in/a.tif');
      const bytes = (...parts: (string | Buffer)[]): Buffer =>
        Buffer.concat([folder, '/in/', ...parts].map((part) => Buffer.from(part as string)));
      await writeFile(bytes('caf', Buffer.from([0xe9]), '.tif'), 'x');
      await mkdir(bytes(Buffer.from([0xff])));
      await writeFile(bytes(Buffer.from([0xff]), '/b.tif'), 'x');
      expect((await find(['in'])).files.map(([, key]) => key)).toEqual(['a.tif']);
      const reason = 'its name is not UTF-8; rename it';
      expect(await skipped()).toEqual([
        { name: path.join(folder, 'in', 'caf\\xe9.tif'), reason, isError: true },
        { name: path.join(folder, 'in', '\\xff'), reason, isError: true },
      ]);
    });

    test.each(['a\nb.tif', 'a\\b.tif', '%~a.tif'])('%j, whose name no object can have, as an error', async (name) => {
      await put(`in/${name}`);
      for (const typed of ['in', `in/${name}`]) {
        expect((await find([typed])).files).toEqual([]);
        expect(await skipped(typed)).toMatchObject([{ name: path.join(folder, 'in', name), isError: true }]);
      }
    });

    test('a named pipe', async () => {
      await put('in/a.tif');
      execFileSync('mkfifo', [path.join(folder, 'in', 'pipe')]);
      expect(await skipped()).toMatchObject([{ reason: 'it is neither a file nor a folder', isError: false }]);
      expect(await skipped('in/pipe')).toMatchObject([{ isError: true }]);
    });
  });

  test('returns no files for an empty folder', async () => {
    await mkdir(path.join(folder, 'empty'));
    expect(await find(['empty'])).toEqual({ files: [], missing: [] });
  });
});

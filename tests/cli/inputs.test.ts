import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
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

  test('returns no files for an empty folder', async () => {
    await mkdir(path.join(folder, 'empty'));
    expect(await find(['empty'])).toEqual({ files: [], missing: [] });
  });
});

import { readFile, stat } from 'node:fs/promises';
import path from 'node:path';
import { expect, test } from '@jest/globals';
import { Arena } from '../../src/imaging/arena.ts';
import { readSlice, type SliceReader, withSliceFile } from '../../src/imaging/read-slice.ts';

const MEBIBYTE = 2 ** 20;
const object = Buffer.from(Uint8Array.from({ length: 40 * MEBIBYTE }, (_, at) => (at * 7) ^ (at >> 11)));
const header = Uint8Array.from([0x49, 0x49, 42, 0]);

/**
 * A long read that is split, two neighbouring reads in reverse order, and a gap that no read fills.
 */
const slice = {
  rect: { left: 0, top: 0, right: 1, bottom: 1 },
  size: 4 + 21 * MEBIBYTE + 500,
  header,
  reads: [
    { offset: 10 * MEBIBYTE, length: 20 * MEBIBYTE, at: 4 },
    { offset: 5000, length: 300, at: 4 + 20 * MEBIBYTE + 100 },
    { offset: 4000, length: 100, at: 4 + 20 * MEBIBYTE },
  ],
};
const expected = [
  [0, Buffer.from(header)],
  [4, object.subarray(10 * MEBIBYTE, 30 * MEBIBYTE)],
  [4 + 20 * MEBIBYTE, object.subarray(4000, 4100)],
  [4 + 20 * MEBIBYTE + 100, object.subarray(5000, 5300)],
] as const;

const reader = (fail = false): SliceReader => ({
  size: object.length,
  read: (offset, length) => Promise.resolve(object.subarray(offset, offset + length)),
  readInto(target, offset) {
    if (fail) return Promise.reject(new Error('gone'));
    target.set(object.subarray(offset, offset + target.length));
    return Promise.resolve();
  },
});

function expectSlice(bytes: Buffer): void {
  expect(bytes).toHaveLength(slice.size);
  for (const [at, part] of expected) expect(bytes.subarray(at, at + part.length).equals(part)).toBe(true);
}

test('a slice is assembled in memory', async () => {
  const arena = new Arena();
  expectSlice(Buffer.from(await readSlice(reader(), slice, arena)));
  arena.release();
});

const isGone = { code: 'ENOENT' };

test('a slice is assembled in a file, which is removed afterwards', async () => {
  const name = await withSliceFile(reader(), slice, async (file) => {
    expectSlice(await readFile(file));
    return file;
  });
  await expect(stat(path.dirname(name))).rejects.toMatchObject(isGone);
});

test('the file of a slice is removed when its use fails', async () => {
  let name = '';
  const use = (file: string): Promise<never> => {
    name = file;
    return Promise.reject(new Error('broken'));
  };
  await expect(withSliceFile(reader(), slice, use)).rejects.toThrow('broken');
  await expect(stat(path.dirname(name))).rejects.toMatchObject(isGone);
});

test('an error of a read is thrown, and the slice is not used', async () => {
  const use = (): Promise<never> => Promise.reject(new Error('used'));
  await expect(withSliceFile(reader(true), slice, use)).rejects.toThrow('gone');
});

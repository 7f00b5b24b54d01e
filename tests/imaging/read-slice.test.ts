import { readFile, stat } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, test } from '@jest/globals';
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

describe('the reads of a block', () => {
  /** The requests for reads of `length` bytes at these offsets of a large object, as [offset, length]. */
  async function requestsFor(offsets: readonly number[], length: number): Promise<[number, number][]> {
    const requests: [number, number][] = [];
    const counting: SliceReader = {
      size: 2 ** 40,
      read: () => Promise.reject(new Error('not needed')),
      readInto(target, offset) {
        requests.push([offset, target.length]);
        for (let at = 0; at < target.length; at += 4) target[at] = (offset + at) & 0xff;
        return Promise.resolve();
      },
    };
    const reads = offsets.map((offset, index) => ({ offset, length, at: 4 + index * length }));
    const arena = new Arena();
    const bytes = await readSlice(counting, { ...slice, size: 4 + offsets.length * length, reads }, arena);
    for (const [index, offset] of offsets.entries()) expect(bytes[4 + index * length]).toBe(offset & 0xff);
    arena.release();
    return requests.sort(([a], [b]) => a - b);
  }

  test('are one request where all chunks share their bytes', async () => {
    expect(await requestsFor(new Array<number>(40_000).fill(4000), 64)).toEqual([[4000, 64]]);
  });

  test('are merged where chunks overlap', async () => {
    expect(await requestsFor([4000, 4032, 9000], 64)).toEqual([[4000, 5064]]);
  });

  test('are separate requests across a gap of 100 kB where there are few', async () => {
    expect(await requestsFor([0, 100_000, 200_000], 64)).toHaveLength(3);
  });

  test('are merged across a gap of 100 kB where there are many', async () => {
    const offsets = Array.from({ length: 4000 }, (_, index) => 100_000 * index);
    const requests = await requestsFor(offsets, 64);
    expect(requests.length).toBeLessThan(64);
    for (const [, length] of requests) expect(length).toBeLessThanOrEqual(16 * MEBIBYTE);
  });

  test('are refused where more than 20,000 places lie far apart', async () => {
    const offsets = Array.from({ length: 20_001 }, (_, index) => 4 * MEBIBYTE * index);
    await expect(requestsFor(offsets, 4)).rejects.toMatchObject({ name: 'RejectedImageError', code: 'OVER_BUDGET' });
  });
});

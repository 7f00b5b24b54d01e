import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { memoryReader, pagedReader, type RangeReader } from '../../src/bytes/range-reader.ts';

const bytesOf = (length: number): Uint8Array => Uint8Array.from({ length }, (_, index) => (index * 31 + 7) % 251);

/** A reader that records the requested ranges. */
function recording(bytes: Uint8Array): RangeReader & { requested: [number, number][] } {
  const requested: [number, number][] = [];
  return {
    requested,
    size: bytes.length,
    read(offset, length) {
      requested.push([offset, length]);
      return Promise.resolve(bytes.slice(offset, offset + length));
    },
  };
}

test('memoryReader fills the given memory and refuses a range past the end', async () => {
  const reader = memoryReader(Uint8Array.from([1, 2, 3]));
  const target = new Uint8Array(2);
  await reader.readInto(target, 1);
  expect([...target]).toEqual([2, 3]);
  await expect(reader.readInto(target, 2)).rejects.toThrow(RangeError);
  expect([...target]).toEqual([2, 3]);
});

test('memoryReader returns the requested bytes up to the end', async () => {
  const reader = memoryReader(Uint8Array.from([1, 2, 3]));
  expect(reader.size).toBe(3);
  expect(await reader.read(1, 2)).toEqual(Uint8Array.from([2, 3]));
  expect(await reader.read(2, 9)).toEqual(Uint8Array.from([3]));
  expect(await reader.read(7, 2)).toEqual(new Uint8Array());
});

test('pagedReader returns the same bytes as direct reads in any order and across page edges', async () => {
  const range = fc.tuple(fc.nat(220), fc.nat(90));
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 1, max: 200 }),
      fc.integer({ min: 1, max: 64 }),
      fc.integer({ min: 1, max: 4 }),
      fc.array(range, { minLength: 1, maxLength: 30 }),
      async (size, pageBytes, pages, ranges) => {
        const bytes = bytesOf(size);
        const reader = pagedReader(memoryReader(bytes), pageBytes, pages);
        expect(reader.size).toBe(size);
        for (const [offset, length] of ranges) {
          expect(Array.from(await reader.read(offset, length))).toEqual(
            Array.from(bytes.slice(offset, offset + length)),
          );
        }
      },
    ),
    { numRuns: 300 },
  );
});

test('pagedReader returns the same bytes for concurrent reads as for sequential reads', async () => {
  const bytes = bytesOf(5000);
  const reader = pagedReader(recording(bytes), 64, 2);
  const starts = Array.from({ length: 60 }, (_, index) => (index * 83) % 4990);
  const all = await Promise.all(starts.map((start) => reader.read(start, 60)));
  all.forEach((read, index) => {
    const start = starts[index] ?? 0;
    expect(Array.from(read)).toEqual(Array.from(bytes.slice(start, start + 60)));
  });
});

test('pagedReader serves small reads of one page with a single read', async () => {
  const inner = recording(bytesOf(300_000));
  const reader = pagedReader(inner);
  for (let offset = 0; offset < 65_536; offset += 512) await reader.read(offset, 12);
  expect(inner.requested).toEqual([[0, 65_536]]);
  await reader.read(65_530, 12);
  expect(inner.requested).toEqual([
    [0, 65_536],
    [65_536, 65_536],
  ]);
});

test('pagedReader evicts the least recently used page', async () => {
  const inner = recording(bytesOf(100));
  const reader = pagedReader(inner, 10, 2);
  for (const offset of [0, 10, 0, 20, 0, 10]) await reader.read(offset, 1);
  expect(inner.requested.map(([offset]) => offset)).toEqual([0, 10, 20, 10]);
});

test('pagedReader passes on a read longer than a page, cut at the end of the object', async () => {
  const inner = recording(bytesOf(100));
  const reader = pagedReader(inner, 10, 2);
  await reader.read(5, 25);
  await reader.read(90, 4_000_000_000);
  expect(inner.requested).toEqual([
    [5, 25],
    [90, 10],
  ]);
});

test('pagedReader reads a page again after a failed read', async () => {
  const inner = memoryReader(bytesOf(100));
  let failures = 1;
  const reader = pagedReader({
    size: 100,
    read: (offset, length) => (failures-- > 0 ? Promise.reject(new Error('throttled')) : inner.read(offset, length)),
  });
  await expect(reader.read(0, 4)).rejects.toThrow('throttled');
  expect(Array.from(await reader.read(0, 4))).toEqual([7, 38, 69, 100]);
});

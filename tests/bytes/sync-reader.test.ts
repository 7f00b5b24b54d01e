import { afterAll, beforeAll, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { type SyncReader, syncMemoryReader, withSyncReader } from '../../src/bytes/sync-reader.ts';

const bytes = Uint8Array.from({ length: 200_000 }, (_, at) => (at * 31) ^ (at >> 8));
let folder: string;
let file: string;
beforeAll(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), 'stepwell-sync-'));
  file = path.join(folder, 'file');
  await writeFile(file, bytes);
});
afterAll(() => rm(folder, { recursive: true, force: true }));

function readFrom(reader: SyncReader, offset: number, length: number): Uint8Array {
  const target = new Uint8Array(length);
  return target.subarray(0, reader.readInto(target, offset));
}

test('a file and memory return the same bytes at any offset, fewer at the end', async () => {
  const memory = syncMemoryReader(bytes);
  const range = fc.record({
    offset: fc.oneof(fc.nat(bytes.length + 100), fc.integer({ min: 65_000, max: 66_000 })),
    length: fc.oneof(fc.nat(2_000), fc.integer({ min: 65_000, max: 140_000 })),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(range, { minLength: 1, maxLength: 12 }), (ranges) =>
      withSyncReader(file, (reader) => {
        expect(reader.size).toBe(bytes.length);
        for (const { offset, length } of ranges) {
          const expected = Buffer.from(bytes.subarray(offset, offset + length));
          expect(expected.equals(readFrom(reader, offset, length))).toBe(true);
          expect(expected.equals(readFrom(memory, offset, length))).toBe(true);
        }
        return Promise.resolve();
      }),
    ),
    { numRuns: 50, seed: 20_261_121 },
  );
});

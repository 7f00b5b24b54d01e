/** Reads the bytes of a slice from the master in few ranged reads. */
import { type FileHandle, mkdtemp, open, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { RejectedImageError } from '../errors.ts';
import { MANY_BLOCK_REQUESTS, MAX_BLOCK_REQUESTS } from '../limits.ts';
import { forEachParallel } from '../parallel.ts';
import type { RangeReader } from '../bytes/range-reader.ts';
import type { Slice, SliceRead } from '../tiff/slice.ts';
import { writeAt } from '../bytes/write-at.ts';
import { Arena } from './arena.ts';

export type SliceReader = RangeReader & Required<Pick<RangeReader, 'readInto'>>;

/** Number of concurrent reads of one slice, and the largest size of one read in bytes. */
const READERS = 8;
const READ_BYTES = 16 * 2 ** 20;
/** Reads separated by at most this gap are merged; the bytes between them are discarded. Bytes. */
const GAP_BYTES = 32 * 1024;
/** Reading a larger gap takes longer than another request. Bytes. */
const MAX_GAP_BYTES = 2 * 2 ** 20;

/** Reads the slice into memory of the arena. */
export async function readSlice(
  reader: SliceReader,
  slice: Pick<Slice, 'header' | 'size' | 'reads'>,
  arena: Arena,
): Promise<Uint8Array> {
  const bytes = arena.take(slice.size);
  bytes.set(slice.header);
  await forEachParallel(groupReads(slice.reads), READERS, async (group) => {
    const [first] = group;
    if (first && group.length === 1) {
      await reader.readInto(bytes.subarray(first.at, first.at + first.length), first.offset);
      return;
    }
    const own = new Arena();
    try {
      for (const [at, part] of await readGroup(reader, group, own)) bytes.set(part, at);
    } finally {
      own.release();
    }
  });
  return bytes;
}

/**
 * Performs one merged read in memory of the arena. Returns its parts with their offsets in the
 * slice.
 */
async function readGroup(
  reader: SliceReader,
  group: readonly SliceRead[],
  arena: Arena,
): Promise<readonly (readonly [at: number, part: Uint8Array])[]> {
  const start = group[0]?.offset ?? 0;
  const merged = arena.take(endOf(group) - start);
  await reader.readInto(merged, start);
  return group.map(({ offset, length, at }) => [at, merged.subarray(offset - start, offset - start + length)]);
}

function endOf(group: readonly SliceRead[]): number {
  return group.reduce((end, { offset, length }) => Math.max(end, offset + length), 0);
}

/**
 * Splits long reads and merges neighbouring and overlapping ones: over larger gaps where there are
 * many. Throws RejectedImageError(OVER_BUDGET) when too many remain.
 */
function groupReads(reads: readonly SliceRead[]): SliceRead[][] {
  const pieces = reads.flatMap(({ offset, length, at }) =>
    Array.from({ length: Math.ceil(length / READ_BYTES) }, (_, index) => ({
      offset: offset + index * READ_BYTES,
      length: Math.min(READ_BYTES, length - index * READ_BYTES),
      at: at + index * READ_BYTES,
    })),
  );
  pieces.sort((a, b) => a.offset - b.offset);
  for (let gap = GAP_BYTES; ; gap *= 4) {
    const groups = mergedOver(gap, pieces);
    if (groups.length <= MANY_BLOCK_REQUESTS) return groups;
    if (gap < MAX_GAP_BYTES) continue;
    if (groups.length <= MAX_BLOCK_REQUESTS) return groups;
    const detail = `the strips or tiles of one block lie at ${groups.length} places of the file`;
    throw new RejectedImageError('OVER_BUDGET', `${detail}; send it with larger strips or tiles`);
  }
}

/** Groups reads, sorted by offset, with gaps of at most `gap` bytes between them. */
function mergedOver(gap: number, pieces: readonly SliceRead[]): SliceRead[][] {
  const groups: SliceRead[][] = [];
  let start = 0;
  let end = 0;
  for (const piece of pieces) {
    const { offset, length } = piece;
    const group = groups.at(-1);
    const after = Math.max(end, offset + length);
    if (group && offset - end <= gap && after - start <= READ_BYTES) {
      group.push(piece);
      end = after;
    } else {
      groups.push([piece]);
      start = offset;
      end = offset + length;
    }
  }
  return groups;
}

/**
 * Writes a slice that is too large for memory to a temporary file, which is removed when `use`
 * settles.
 */
export function withSliceFile<Result>(
  reader: SliceReader,
  slice: Slice,
  use: (file: string) => Promise<Result>,
): Promise<Result> {
  return withFilledFile((handle) => writeSlice(reader, slice, handle), use);
}

/**
 * Calls `use` with a temporary file that `write` has filled. The file is removed when `use`
 * settles.
 */
export async function withFilledFile<Result>(
  write: (handle: FileHandle) => Promise<void>,
  use: (file: string) => Promise<Result>,
): Promise<Result> {
  const folder = await mkdtemp(path.join(tmpdir(), 'stepwell-slice-'));
  try {
    const file = path.join(folder, 'slice.tif');
    const handle = await open(file, 'wx');
    try {
      await write(handle);
    } finally {
      await handle.close();
    }
    return await use(file);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function writeSlice(reader: SliceReader, slice: Slice, handle: FileHandle): Promise<void> {
  await writeAt(handle, slice.header, 0);
  await forEachParallel(groupReads(slice.reads), READERS, async (group) => {
    const own = new Arena();
    try {
      for (const [at, part] of await readGroup(reader, group, own)) await writeAt(handle, part, at);
    } finally {
      own.release();
    }
  });
  await handle.truncate(slice.size);
}

import { pagedReader, type RangeReader } from '../bytes/range-reader.ts';
import { MAX_READ_BYTES, MIN_CHARGE_BYTES } from './bounds.ts';
import { MalformedMetadataError } from './warnings.ts';

/** A reader that fetches a limited amount and records errors of the storage. */
export interface BoundedReader extends RangeReader {
  /** The first error that the storage threw, which is to be told from malformed metadata. */
  readonly storageFailure: () => { readonly error: unknown } | undefined;
}

/**
 * Fetches at most 16 MiB in at most 1,024 requests, in pages of 64 KiB. Reads beyond that throw
 * MalformedMetadataError; errors of the storage pass through.
 */
export function boundedReader(reader: RangeReader): BoundedReader {
  let left = MAX_READ_BYTES;
  let failure: { error: unknown } | undefined;
  const metered: RangeReader = {
    size: reader.size,
    async read(offset, length) {
      left -= Math.max(length, MIN_CHARGE_BYTES);
      if (left < 0) throw new MalformedMetadataError(`Expected metadata within ${MAX_READ_BYTES} bytes of reading`);
      try {
        return await reader.read(offset, length);
      } catch (error) {
        failure ??= { error };
        throw error;
      }
    },
  };
  return { ...pagedReader(metered), storageFailure: () => failure };
}

/** A part of a file. Bytes. */
export interface ByteRange {
  readonly offset: number;
  readonly length: number;
}

/** Presents ranges of a file, one after the other, as a file of their own. */
export function joinedReader(reader: RangeReader, ranges: readonly ByteRange[]): RangeReader {
  const starts: number[] = [];
  let size = 0;
  for (const { length } of ranges) {
    starts.push(size);
    size += length;
  }
  return {
    size,
    async read(offset, length) {
      const end = Math.min(offset + length, size);
      const pieces: Uint8Array[] = [];
      for (let index = lastAtMost(starts, offset); index < ranges.length; index++) {
        const range = ranges[index] ?? { offset: 0, length: 0 };
        const start = starts[index] ?? size;
        if (start >= end) break;
        const from = Math.max(offset, start);
        const to = Math.min(end, start + range.length);
        if (from < to) pieces.push(await reader.read(range.offset + from - start, to - from));
      }
      return pieces.length === 1 && pieces[0] ? pieces[0] : joinBytes(pieces);
    },
  };
}

/** Index of the last of the ascending numbers that is at most `value`; 0 if there is none. */
function lastAtMost(ascending: readonly number[], value: number): number {
  let low = 0;
  let high = ascending.length - 1;
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if ((ascending[middle] ?? Infinity) <= value) low = middle;
    else high = middle - 1;
  }
  return low;
}

export function joinBytes(pieces: readonly Uint8Array[]): Uint8Array {
  const joined = new Uint8Array(pieces.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const piece of pieces) {
    joined.set(piece, at);
    at += piece.length;
  }
  return joined;
}

/** Reads exactly these bytes. Throws MalformedMetadataError when the file ends before. */
export async function readExactly(reader: RangeReader, offset: number, length: number): Promise<Uint8Array> {
  if (offset + length > reader.size) {
    throw new MalformedMetadataError(
      `Expected ${length} bytes at 0x${offset.toString(16)} but there are ${reader.size} in all`,
    );
  }
  return length === 0 ? new Uint8Array() : reader.read(offset, length);
}

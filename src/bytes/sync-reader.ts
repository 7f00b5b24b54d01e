/** Bytes that a decoder reads while it runs, without returning to the event loop. */
import { closeSync, fstatSync, openSync, readSync } from 'node:fs';

export interface SyncReader {
  /** Bytes. */
  readonly size: number;
  /** Fills `target` from `offset`. Returns the number of bytes read, fewer at the end. */
  readInto(target: Uint8Array, offset: number): number;
}

export function syncMemoryReader(bytes: Uint8Array): SyncReader {
  return {
    size: bytes.length,
    readInto(target, offset) {
      const part = bytes.subarray(offset, offset + target.length);
      target.set(part);
      return part.length;
    },
  };
}

/** Decoders ask for a few hundred bytes at a time. Bytes. */
const READ_BYTES = 64 * 1024;

/** Runs `use` with a reader over a file, which must not change meanwhile. Throws system errors. */
export async function withSyncReader<Result>(
  path: string,
  use: (reader: SyncReader) => Promise<Result>,
): Promise<Result> {
  const file = openSync(path, 'r');
  try {
    return await use(bufferedReader(file, fstatSync(file).size));
  } finally {
    closeSync(file);
  }
}

/** Reads larger than the buffer bypass it. */
function bufferedReader(file: number, size: number): SyncReader {
  const buffer = new Uint8Array(READ_BYTES);
  let start = 0;
  let held = 0;
  return {
    size,
    readInto(target, offset) {
      if (target.length >= READ_BYTES) return readFully(file, target, offset);
      if (offset < start || offset + target.length > start + held) {
        start = offset;
        held = readFully(file, buffer, offset);
      }
      const part = buffer.subarray(offset - start, Math.min(held, offset - start + target.length));
      target.set(part);
      return part.length;
    },
  };
}

function readFully(file: number, target: Uint8Array, offset: number): number {
  let filled = 0;
  while (filled < target.length) {
    const bytesRead = readSync(file, target, filled, target.length - filled, offset + filled);
    if (bytesRead === 0) break;
    filled += bytesRead;
  }
  return filled;
}

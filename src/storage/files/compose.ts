/** Writes pieces in order into a file. Memory does not depend on their number or size. */
import type { FileHandle } from 'node:fs/promises';
import { PreconditionFailedError } from '../../errors.ts';
import { OpenFile } from './objects.ts';
import type { ObjectRef, Piece, RangePiece } from '../object-store.ts';
import { bytesOf, isRange, mergePieces } from '../pieces.ts';

/** Size of a copy buffer: it fits the cache of a core and needs few system calls. Bytes. */
const BUFFER_BYTES = 2 * 2 ** 20;

/** Number of source files kept open, because pieces of many objects may be interleaved. */
const MAX_OPEN_SOURCES = 64;

/**
 * Number of concurrent reads. Awaiting short reads of small ranges one by one would dominate their
 * time.
 */
const CONCURRENT_READS = 16;

/** Returns the path of an object and its name in messages. */
export type Locate = (ref: ObjectRef) => Promise<{ readonly path: string; readonly name: string }>;

/**
 * Appends the pieces. Throws as `OpenFile.open`, and PreconditionFailedError for a range past the
 * end of its object.
 */
export async function writePieces(handle: FileHandle, pieces: Iterable<Piece>, locate: Locate): Promise<void> {
  // Declared first, so disposed last: after a failure, reads into the buffer may still be pending.
  using spare = spareBuffer();
  await using reads = new PendingReads();
  await using sources = new Sources(locate, () => reads.settle());
  const { buffer } = spare;
  let filled = 0;
  for (const piece of mergePieces(pieces)) {
    const source = isRange(piece) ? await sources.open(piece) : undefined;
    const bytes = isRange(piece) ? undefined : await bytesOf(piece);
    for (let start = 0; start < piece.length;) {
      if (filled === buffer.length) {
        await reads.settle();
        await appendAll(handle, buffer);
        filled = 0;
      }
      const end = Math.min(piece.length, start + buffer.length - filled);
      const room = buffer.subarray(filled, filled + end - start);
      if (isRange(piece)) await reads.add(source?.readInto(room, piece.offset + start));
      else if (bytes) room.set(bytes.subarray(start, end));
      filled += end - start;
      start = end;
    }
  }
  await reads.settle();
  await appendAll(handle, buffer.subarray(0, filled));
  await sources.checkUnchanged();
}

const spareBuffers: Buffer[] = [];

/** A pooled buffer of BUFFER_BYTES; allocating new buffers would trigger garbage collections. */
function spareBuffer(): Disposable & { readonly buffer: Buffer } {
  const buffer = spareBuffers.pop() ?? Buffer.allocUnsafeSlow(BUFFER_BYTES);
  return { buffer, [Symbol.dispose]: () => spareBuffers.push(buffer) };
}

/** Writes all bytes, repeating short writes. */
export async function appendAll(handle: FileHandle, bytes: Uint8Array): Promise<void> {
  for (let done = 0; done < bytes.length;) {
    const { bytesWritten } = await handle.write(bytes, done);
    done += bytesWritten;
  }
}

/** Pending reads. */
class PendingReads implements AsyncDisposable {
  #reads: Promise<void>[] = [];

  /** Adds a read; awaits all reads once there are CONCURRENT_READS. */
  async add(read: Promise<void> | undefined): Promise<void> {
    if (!read) return;
    read.catch(() => undefined); // settle rethrows it
    this.#reads.push(read);
    if (this.#reads.length === CONCURRENT_READS) await this.settle();
  }

  /** Awaits all reads, even after a failure, and rethrows the first failure. */
  async settle(): Promise<void> {
    const reads = this.#reads;
    this.#reads = [];
    await Promise.allSettled(reads);
    await Promise.all(reads);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.allSettled(this.#reads);
  }
}

/** The open source files, at most MAX_OPEN_SOURCES; the least recently used one is closed first. */
class Sources implements AsyncDisposable {
  readonly #locate: Locate;
  readonly #settleReads: () => Promise<void>;
  readonly #open = new Map<string, OpenFile>();

  constructor(locate: Locate, settleReads: () => Promise<void>) {
    this.#locate = locate;
    this.#settleReads = settleReads;
  }

  async open(range: RangePiece): Promise<OpenFile> {
    const identity = `${range.etag} ${range.ref.bucket} ${range.ref.key}`;
    const source = this.#open.get(identity) ?? (await this.#openAnother(range));
    this.#open.delete(identity);
    this.#open.set(identity, source);
    if (range.offset + range.length > source.found.size) {
      throw new PreconditionFailedError(
        `Expected at least ${range.offset + range.length} bytes for ${JSON.stringify(range.ref.key)} but received ${source.found.size}`,
      );
    }
    return source;
  }

  async checkUnchanged(): Promise<void> {
    for (const source of this.#open.values()) await source.checkUnchanged();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const source of this.#open.values()) await source[Symbol.asyncDispose]();
    this.#open.clear();
  }

  async #openAnother(range: RangePiece): Promise<OpenFile> {
    const oldest = this.#open.size < MAX_OPEN_SOURCES ? undefined : this.#open.entries().next().value;
    if (oldest) {
      this.#open.delete(oldest[0]);
      await using source = oldest[1];
      await this.#settleReads();
      await source.checkUnchanged();
    }
    const { path, name } = await this.#locate(range.ref);
    return OpenFile.open(path, name, range.etag);
  }
}

/** Writing pieces one after the other into a file, with memory that does not depend on how many or how large they are. */
import type { FileHandle } from 'node:fs/promises';
import { PreconditionFailedError } from '../../errors.ts';
import { OpenFile } from './objects.ts';
import type { ObjectRef, Piece, RangePiece } from '../object-store.ts';
import { bytesOf, isRange, mergePieces } from '../pieces.ts';

/** Bytes. Two megabytes fit the cache of a core and are copied with few system calls. */
const BUFFER_BYTES = 2 * 2 ** 20;

/** Pieces of many objects come interleaved; this many are kept open. */
const OPEN_SOURCES = 64;

/** Small ranges are read side by side: the system calls are short, waiting for them one by one is not. */
const READS_AT_ONCE = 16;

/** Where an object is, and what messages call it. */
export type Locate = (ref: ObjectRef) => Promise<{ readonly path: string; readonly name: string }>;

/** Appends the pieces. Throws as `OpenFile.open`, and PreconditionFailedError for a range its object does not have. */
export async function writePieces(handle: FileHandle, pieces: Iterable<Piece>, locate: Locate): Promise<void> {
  // First, so that it is given back last: reads into it may still be on their way when something fails.
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

/** A buffer of BUFFER_BYTES that is used again once it is given back: new ones would set off garbage collections. */
function spareBuffer(): Disposable & { readonly buffer: Buffer } {
  const buffer = spareBuffers.pop() ?? Buffer.allocUnsafeSlow(BUFFER_BYTES);
  return { buffer, [Symbol.dispose]: () => spareBuffers.push(buffer) };
}

/** A write may take less than it was given. */
export async function appendAll(handle: FileHandle, bytes: Uint8Array): Promise<void> {
  for (let done = 0; done < bytes.length;) {
    const { bytesWritten } = await handle.write(bytes, done);
    done += bytesWritten;
  }
}

/** Reads that were begun and not yet waited for. */
class PendingReads implements AsyncDisposable {
  #reads: Promise<void>[] = [];

  /** Waits for all of them when they have become many. */
  async add(read: Promise<void> | undefined): Promise<void> {
    if (!read) return;
    read.catch(() => undefined); // told by settle
    this.#reads.push(read);
    if (this.#reads.length === READS_AT_ONCE) await this.settle();
  }

  /** Waits for all, to the last, and throws the first failure. */
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

/** The objects that ranges come from, the least recently used one closed when there are too many. */
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
    const oldest = this.#open.size < OPEN_SOURCES ? undefined : this.#open.entries().next().value;
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

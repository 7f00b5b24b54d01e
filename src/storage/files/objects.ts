/** Reads files as objects: their ETags, and bytes that all belong to one state of a file. */
import { createHash } from 'node:crypto';
import { type BigIntStats, constants, statSync } from 'node:fs';
import { type FileHandle, open, stat } from 'node:fs/promises';
import { ObjectNotFoundError, PreconditionFailedError, ServiceUnavailableError } from '../../errors.ts';
import { isMissing } from './errors.ts';

/** Maximum of one read system call; an abort is checked between calls. Bytes. */
const READ_BYTES = 64 * 2 ** 20;

/** State of a file at the time of the `stat` call. */
export interface FoundFile {
  /** Bytes. */
  readonly size: number;
  readonly etag: string;
}

/**
 * Derives the ETag from size, modification time and inode. Every write of this store creates a new
 * inode and sets the time in microseconds; an edit in place changes the time.
 */
export function describeFile(stats: BigIntStats): FoundFile {
  const identity = `${stats.size} ${stats.mtimeNs} ${stats.ino}`;
  return { size: Number(stats.size), etag: createHash('sha256').update(identity).digest('hex').slice(0, 32) };
}

/** The file at a path, following links; undefined if there is none or if it is a directory. */
export async function findFile(path: string): Promise<FoundFile | undefined> {
  try {
    const stats = await stat(path, { bigint: true });
    return stats.isFile() ? describeFile(stats) : undefined;
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}

/**
 * As `findFile`, for a file of the workspace: synchronous, as the calls of the workspace's database
 * are, because a call on another thread takes several times as long.
 */
export function findWorkspaceFile(path: string): FoundFile | undefined {
  try {
    const stats = statSync(path, { bigint: true, throwIfNoEntry: false });
    return stats?.isFile() ? describeFile(stats) : undefined;
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}

/**
 * As `findFile`; throws ObjectNotFoundError, or PreconditionFailedError when the ETag is not
 * `ifMatch`.
 */
export async function requireFile(path: string, name: string, ifMatch?: string): Promise<FoundFile> {
  const found = await findFile(path);
  if (!found) throw notFound(name);
  checkEtag(name, found.etag, ifMatch);
  return found;
}

/** An open file whose reads all return bytes of the same state. */
export class OpenFile implements AsyncDisposable {
  readonly found: FoundFile;
  readonly #handle: FileHandle;
  readonly #name: string;

  private constructor(handle: FileHandle, found: FoundFile, name: string) {
    this.#handle = handle;
    this.found = found;
    this.#name = name;
  }

  /**
   * Opens a file and takes its state from the open handle, which excludes races. Throws as
   * `requireFile`.
   */
  static async open(path: string, name: string, ifMatch?: string): Promise<OpenFile> {
    const handle = await openForReading(path, name);
    try {
      const stats = await handle.stat({ bigint: true });
      if (!stats.isFile()) throw notFound(name);
      const found = describeFile(stats);
      checkEtag(name, found.etag, ifMatch);
      return new OpenFile(handle, found, name);
    } catch (error) {
      await handle.close();
      throw error;
    }
  }

  /**
   * Fills `target` from `position`, in bytes. Throws ServiceUnavailableError when the file ends
   * before.
   */
  async readInto(target: Uint8Array, position: number, signal?: AbortSignal): Promise<void> {
    for (let done = 0; done < target.length;) {
      signal?.throwIfAborted();
      const wanted = Math.min(READ_BYTES, target.length - done);
      const { bytesRead } = await this.#handle.read(target, done, wanted, position + done);
      if (bytesRead === 0) {
        throw new ServiceUnavailableError(
          `Expected ${target.length} bytes at ${position} of ${this.#name} but received ${done}`,
        );
      }
      done += bytesRead;
    }
  }

  /** Throws PreconditionFailedError when the file was modified in place since it was opened. */
  async checkUnchanged(): Promise<void> {
    const now = describeFile(await this.#handle.stat({ bigint: true }));
    checkEtag(this.#name, now.etag, this.found.etag);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#handle.close();
  }
}

/** With O_NONBLOCK, opening a named pipe in the folder does not block the thread. */
async function openForReading(path: string, name: string): Promise<FileHandle> {
  try {
    return await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch (error) {
    if (isMissing(error)) throw notFound(name);
    throw error;
  }
}

export function checkEtag(name: string, etag: string | undefined, expected: string | undefined): void {
  if (expected !== undefined && etag !== expected) {
    throw new PreconditionFailedError(`Expected ETag ${expected} for ${name} but received ${etag ?? 'no object'}`);
  }
}

function notFound(name: string): ObjectNotFoundError {
  return new ObjectNotFoundError(`Expected an object for ${name} but received none`);
}

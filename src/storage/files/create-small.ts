/**
 * Creates small files, of which an image has thousands. Synchronous, as the calls of the
 * workspace's database are: a call on another thread takes several times as long as the work.
 */
import { closeSync, fstatSync, futimesSync, linkSync, mkdirSync, openSync, unlinkSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';
import { PreconditionFailedError } from '../../errors.ts';
import { hasCode, isMissing } from './errors.ts';
import { describeFile, type FoundFile } from './objects.ts';

/** Largest file that is created without leaving the thread. Bytes. */
export const SMALL_FILE_BYTES = 2 ** 18;

export interface SmallFile {
  readonly path: string;
  /** Name of the object in messages. */
  readonly name: string;
  /** A path on the same file system that no file has. */
  readonly temporary: string;
  /** Called with the ETag of the file before the file becomes visible. */
  beforeVisible(etag: string): void;
  /** Called with the ETag if the file does not become visible. */
  afterRemoved(etag: string): void;
}

/**
 * Creates a file if there is none, as `writeAtomically` does. Throws PreconditionFailedError if
 * there is one. Undefined, and nothing is done, where that takes more than a link between folders
 * that exist or can be made.
 */
export function createSmallFile(file: SmallFile, body: Uint8Array): FoundFile | undefined {
  const found = fill(file.temporary, body);
  if (!found) return undefined;
  try {
    file.beforeVisible(found.etag);
    link(file);
    return found;
  } catch (error) {
    file.afterRemoved(found.etag);
    if (hasCode(error, 'EEXIST') && isFile(error)) {
      throw new PreconditionFailedError(`Expected no object for ${file.name} but received one`, { cause: error });
    }
    return undefined;
  } finally {
    unlinkSync(file.temporary);
  }
}

function fill(path: string, body: Uint8Array): FoundFile | undefined {
  let handle: number;
  try {
    handle = openSync(path, 'wx');
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
  try {
    for (let done = 0; done < body.length;) done += writeSync(handle, body, done);
    // As `fillFile`: two writes within a millisecond need distinct ETags.
    const now = (performance.timeOrigin + performance.now()) / 1_000;
    futimesSync(handle, now, now);
    return describeFile(fstatSync(handle, { bigint: true }));
  } catch (error) {
    unlinkSync(path);
    throw error;
  } finally {
    closeSync(handle);
  }
}

/** Links the file to its target, whose folder is made if it is missing. */
function link({ temporary, path }: SmallFile): void {
  try {
    linkSync(temporary, path);
  } catch (error) {
    if (!isMissing(error)) throw error;
    mkdirSync(dirname(path), { recursive: true });
    linkSync(temporary, path);
  }
}

/**
 * Whether link(2) failed, not mkdir(2), which fails with the same code where a file is in the way.
 */
function isFile(error: unknown): boolean {
  return error instanceof Error && 'syscall' in error && error.syscall === 'link';
}

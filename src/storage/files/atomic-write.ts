/** Atomic, conditional creation, replacement and removal of files. */
import { constants } from 'node:fs';
import { copyFile, type FileHandle, link, mkdir, open, rename, rmdir, stat, unlink } from 'node:fs/promises';
import { dirname } from 'node:path';
import { PreconditionFailedError } from '../../errors.ts';
import { hasCode, isMissing } from './errors.ts';
import { checkEtag, describeFile, findFile, type FoundFile } from './objects.ts';
import { withLock } from './locks.ts';
import type { UnfinishedFiles } from './unfinished.ts';
import type { WriteOptions } from '../object-store.ts';

/** Attempts to create a file whose parent directory is concurrently removed as empty. */
const PARENT_ATTEMPTS = 20;

export interface AtomicWrite {
  /** Absolute path of the bucket's folder; empty directories below it are removed. */
  readonly root: string;
  /** Absolute path of the file, below the root. */
  readonly path: string;
  /** Name of the object in messages. */
  readonly name: string;
  readonly over: WriteOptions['over'];
  /** Creates the file at a temporary path, with `fillFile` or as a link. */
  make(temporary: string): Promise<FoundFile>;
  /** Called with the ETag of the file before the file becomes visible. */
  beforeVisible(etag: string): Promise<void>;
  /** Called with the ETag of a replaced file, or of the new file if it did not become visible. */
  afterRemoved(etag: string): Promise<void>;
}

/**
 * Writes an unfinished file and renames it to the target, so that readers see the complete old or
 * the complete new file. Throws PreconditionFailedError when `over` does not hold. Removes the
 * unfinished file on failure.
 */
export async function writeAtomically(write: AtomicWrite, unfinished: UnfinishedFiles): Promise<FoundFile> {
  try {
    if (unfinished.isForeign(write.root)) return await writeBeside(write, unfinished);
    return await writeFromWorkspace(write, unfinished);
  } catch (error) {
    await pruneEmptyParents(write.path, write.root);
    throw error;
  }
}

async function writeFromWorkspace(write: AtomicWrite, unfinished: UnfinishedFiles): Promise<FoundFile> {
  const temporary = unfinished.path();
  try {
    return await finish(temporary, write);
  } catch (error) {
    try {
      if (!hasCode(error, 'EXDEV')) throw error;
      unfinished.noteForeign(write.root);
      const copied = (path: string): Promise<FoundFile> =>
        fillFile(path, write.name, () => copyFile(temporary, path, constants.COPYFILE_FICLONE));
      return await writeBeside({ ...write, make: copied }, unfinished);
    } finally {
      await discard(temporary);
    }
  }
}

async function writeBeside(write: AtomicWrite, unfinished: UnfinishedFiles): Promise<FoundFile> {
  const beside = await unfinished.beside(write.path);
  try {
    return await finish(beside.path, write);
  } finally {
    await discard(beside.path);
    await unfinished.forget(beside);
  }
}

/** Makes the file at a temporary path and renames it to its target. */
async function finish(temporary: string, write: AtomicWrite): Promise<FoundFile> {
  const found = await write.make(temporary);
  await write.beforeVisible(found.etag);
  let replaced: string | undefined;
  try {
    replaced = await withLock(write.path, () =>
      inDirectory(write.path, write.name, () => renameToTarget(temporary, write)),
    );
  } catch (error) {
    await write.afterRemoved(found.etag);
    throw error;
  }
  if (replaced !== undefined && replaced !== found.etag) await write.afterRemoved(replaced);
  return found;
}

/**
 * Removes a file, if present, and directories that become empty. Returns the ETag of the removed
 * file.
 */
export async function removeFile(path: string, root: string): Promise<string | undefined> {
  const removed = await withLock(path, async () => {
    const found = await findFile(path);
    if (found) await discard(path);
    return found;
  });
  await pruneEmptyParents(path, root);
  return removed?.etag;
}

/**
 * Creates a file at `path`, with its parent directories, and fills it. `name`: the object in
 * messages.
 */
export async function fillFile(
  path: string,
  name: string,
  fill: (handle: FileHandle) => Promise<void>,
): Promise<FoundFile> {
  const handle = await inDirectory(path, name, () => open(path, 'wx'));
  try {
    await fill(handle);
    // The kernel's time stamps have a resolution of milliseconds; two writes within one need
    // distinct ETags.
    const now = (performance.timeOrigin + performance.now()) / 1_000;
    await handle.utimes(now, now);
    return describeFile(await handle.stat({ bigint: true }));
  } finally {
    await handle.close();
  }
}

/**
 * Creates a hard link `path` to a file that is never modified in place. Size, time, inode and
 * therefore the ETag are the same. Undefined if the file system does not support a link between the
 * two paths.
 */
export async function linkFile(from: string, path: string, name: string): Promise<FoundFile | undefined> {
  try {
    await inDirectory(path, name, () => link(from, path));
  } catch (error) {
    if (hasCode(error, ...noLinks, 'EXDEV', 'EMLINK')) return undefined;
    throw error;
  }
  return findFile(path);
}

const noLinks = ['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS'] as const;

/**
 * Makes a file; its directory, which mostly exists, is created when that fails. Once the file
 * exists, its directory is not empty and is no longer removed concurrently.
 */
async function inDirectory<Result>(path: string, name: string, make: () => Promise<Result>): Promise<Result> {
  for (let attempt = 0; ; attempt++) {
    try {
      if (attempt > 0) await mkdir(dirname(path), { recursive: true });
      return await make();
    } catch (error) {
      if (hasCode(error, 'ENOTDIR', 'EEXIST')) throw keyConflict(name, error);
      if (!isMissing(error) || attempt === PARENT_ATTEMPTS) throw error;
    }
  }
}

/** Returns the ETag of the replaced file. */
async function renameToTarget(temporary: string, { path, name, over }: AtomicWrite): Promise<string | undefined> {
  const current = await findReplaceable(path, name);
  if (over === 'absent') {
    await linkIfAbsent(temporary, path, name);
    return undefined;
  }
  checkEtag(name, current?.etag, over?.etag);
  await rename(temporary, path);
  // rename(2) does nothing if both paths are links to one file.
  if (current) await discard(temporary);
  return current?.etag;
}

/**
 * The file at the target path. Removes an empty directory that a removal left there; other
 * directories hold objects and cause an error.
 */
async function findReplaceable(path: string, name: string): Promise<FoundFile | undefined> {
  try {
    const stats = await stat(path, { bigint: true });
    if (stats.isFile()) return describeFile(stats);
    if (stats.isDirectory()) await rmdir(path);
    return undefined;
  } catch (error) {
    if (isMissing(error)) return undefined;
    if (hasCode(error, 'ENOTEMPTY', 'EEXIST', 'ENOTDIR')) throw keyConflict(name, error);
    throw error;
  }
}

/** link(2) fails if the target exists, also among processes; rename(2) would replace it. */
async function linkIfAbsent(temporary: string, path: string, name: string): Promise<void> {
  try {
    await link(temporary, path);
  } catch (error) {
    if (hasCode(error, 'EEXIST')) throw new PreconditionFailedError(`Expected no object for ${name} but received one`);
    if (!hasCode(error, ...noLinks)) throw error;
    await renameIfAbsent(temporary, path, name);
    return;
  }
  await discard(temporary);
}

/**
 * For file systems without hard links. Atomic only within this process, whose writers hold the
 * lock.
 */
async function renameIfAbsent(temporary: string, path: string, name: string): Promise<void> {
  if (await findFile(path)) throw new PreconditionFailedError(`Expected no object for ${name} but received one`);
  await rename(temporary, path);
}

/** As `rm` with `force`, but also ignores ENOTDIR. */
async function discard(path: string): Promise<void> {
  try {
    await unlink(path);
  } catch (error) {
    if (!isMissing(error)) throw error;
  }
}

async function pruneEmptyParents(path: string, root: string): Promise<void> {
  for (let parent = dirname(path); parent.startsWith(`${root}/`); parent = dirname(parent)) {
    try {
      await rmdir(parent);
    } catch (error) {
      if (!isMissing(error)) return;
    }
  }
}

function keyConflict(name: string, cause: unknown): Error {
  return new Error(
    `Expected no other object whose key is a directory of this one for ${name} but received one: ` +
      'a folder cannot hold both "a" and "a/b"',
    { cause },
  );
}

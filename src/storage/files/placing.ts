/** Putting files in place: whole or not at all, and only over what the writer expects to be there. */
import { randomUUID } from 'node:crypto';
import { type FileHandle, link, mkdir, open, rename, rmdir, stat, unlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { PreconditionFailedError } from '../../errors.ts';
import { hasCode, isMissing } from './errors.ts';
import { checkEtag, describeFile, findFile, type FoundFile } from './objects.ts';
import { TEMPORARY_PREFIX } from './key-paths.ts';
import { withLock } from './locks.ts';
import type { WriteOptions } from '../object-store.ts';

/** How often a parent directory may be pruned by others between making it and using it. */
const PARENT_ATTEMPTS = 20;

export interface Placement {
  /** The folder of the bucket, absolute; directories below it are pruned when they are left empty. */
  readonly root: string;
  /** Where the file is to be, absolute, below the root. */
  readonly path: string;
  /** The object, for messages. */
  readonly name: string;
  readonly over: WriteOptions['over'];
  /** Makes the file at a temporary path beside the target, with `fillFile` or as a link. */
  make(temporary: string): Promise<FoundFile>;
  /** Called with the ETag that the file is going to have, right before it is put in place. */
  announce(etag: string): Promise<void>;
  /** Called with the ETag that is there no more: the one replaced, or the announced one if placing it failed. */
  forget(etag: string): Promise<void>;
}

/**
 * Writes a file beside its target and moves it there. Readers see what was there before or the new file, whole.
 * Throws PreconditionFailedError when `over` does not hold; a failure leaves nothing behind.
 */
export async function placeFile(placement: Placement): Promise<FoundFile> {
  const temporary = join(dirname(placement.path), `${TEMPORARY_PREFIX}${randomUUID()}`);
  let announced: string | undefined;
  try {
    const found = await placement.make(temporary);
    announced = found.etag;
    await placement.announce(found.etag);
    const replaced = await withLock(placement.path, () => moveIntoPlace(temporary, placement));
    announced = undefined;
    if (replaced !== undefined && replaced !== found.etag) await placement.forget(replaced);
    return found;
  } catch (error) {
    await discard(temporary);
    if (announced !== undefined) await placement.forget(announced);
    await pruneEmptyParents(placement.path, placement.root);
    throw error;
  }
}

/** Removes a file, if it is there, and the directories that it leaves empty. Returns the ETag it had. */
export async function removeFile(path: string, root: string): Promise<string | undefined> {
  const removed = await withLock(path, async () => {
    const found = await findFile(path);
    if (found) await discard(path);
    return found;
  });
  await pruneEmptyParents(path, root);
  return removed?.etag;
}

/** Makes a new file at `path`, and the directories above it, and has it filled. `name` is the object, for messages. */
export async function fillFile(
  path: string,
  name: string,
  fill: (handle: FileHandle) => Promise<void>,
): Promise<FoundFile> {
  const handle = await inDirectory(path, name, () => open(path, 'wx'));
  try {
    await fill(handle);
    // The kernel's own time stamps are milliseconds apart; two writes in one of them must not look the same.
    const now = (performance.timeOrigin + performance.now()) / 1_000;
    await handle.utimes(now, now);
    return describeFile(await handle.stat({ bigint: true }));
  } finally {
    await handle.close();
  }
}

/**
 * Makes `path` another name of a file that nobody writes to in place: no byte is copied, and size, time and inode, so the
 * ETag, are the same. Undefined where the file system has no links, or not from there to here.
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

/** While the temporary file is there its directory is not empty, so nobody prunes it any more. */
async function inDirectory<Result>(temporary: string, name: string, make: () => Promise<Result>): Promise<Result> {
  for (let attempt = 1; ; attempt++) {
    try {
      await mkdir(dirname(temporary), { recursive: true });
      return await make();
    } catch (error) {
      if (hasCode(error, 'ENOTDIR', 'EEXIST')) throw besideItself(name, error);
      if (!isMissing(error) || attempt === PARENT_ATTEMPTS) throw error;
    }
  }
}

/** Returns the ETag of what was replaced. */
async function moveIntoPlace(temporary: string, { path, name, over }: Placement): Promise<string | undefined> {
  await makeRoom(path, name);
  if (over === 'absent') {
    await linkIfAbsent(temporary, path, name);
    return undefined;
  }
  const current = await findFile(path);
  checkEtag(name, current?.etag, over?.etag);
  await rename(temporary, path);
  // Two names of one file: then rename does nothing and leaves both.
  await discard(temporary);
  return current?.etag;
}

/** A directory that is empty is left over from a removal; one that is not holds other objects. */
async function makeRoom(path: string, name: string): Promise<void> {
  try {
    if ((await stat(path)).isDirectory()) await rmdir(path);
  } catch (error) {
    if (isMissing(error)) return;
    if (hasCode(error, 'ENOTEMPTY', 'EEXIST', 'ENOTDIR')) throw besideItself(name, error);
    throw error;
  }
}

/** A link is made only where nothing is, whichever process asks; a rename would replace. */
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

/** For file systems without links: safe among the writers of this process, which hold the lock. */
async function renameIfAbsent(temporary: string, path: string, name: string): Promise<void> {
  if (await findFile(path)) throw new PreconditionFailedError(`Expected no object for ${name} but received one`);
  await rename(temporary, path);
}

/** As `rm` with `force`, which minds when a file is where a directory should be. */
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

function besideItself(name: string, cause: unknown): Error {
  return new Error(
    `Expected no object whose key is a directory of another's for ${name} but received one: ` +
      'in a folder, "a" cannot be beside "a/b"',
    { cause },
  );
}

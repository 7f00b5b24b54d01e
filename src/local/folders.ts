/** Folders and files that a user names. */
import { constants } from 'node:fs';
import { access, mkdir, realpath, stat } from 'node:fs/promises';
import path from 'node:path';
import { UsageError } from '../errors.ts';
import { keyFromPath } from '../storage/files/key-paths.ts';

const reasons: Readonly<Record<string, string>> = {
  EEXIST: 'it is a file',
  ENOENT: 'it cannot be created',
  ENOTDIR: 'a part of its path is a file',
  EACCES: 'permission is denied',
  EPERM: 'permission is denied',
  EROFS: 'it is on a read-only file system',
  ENOSPC: 'its file system is full',
  ENAMETOOLONG: 'its name is too long',
};

/**
 * Creates the folder of an option, and returns its real path. Throws UsageError if it cannot be
 * written to.
 */
export async function writableFolder(directory: string, option: '--out' | '--workspace'): Promise<string> {
  try {
    await makeFolder(path.resolve(directory));
    await access(directory, constants.W_OK | constants.X_OK);
    return await realpath(directory);
  } catch (cause) {
    const reason = reasons[codeOf(cause)] ?? (cause instanceof Error ? cause.message : String(cause));
    throw new UsageError(`Expected a folder to write to for ${option} but received ${directory}: ${reason}`, { cause });
  }
}

/**
 * Creates a folder and those above it, one by one: `mkdir` with `recursive` reports ENOENT for all
 * reasons, and does not end on file systems that refuse with ENOENT, such as /proc.
 */
async function makeFolder(directory: string): Promise<void> {
  try {
    await mkdir(directory);
  } catch (error) {
    const isFolder = await stat(directory).then(
      (found) => found.isDirectory(),
      () => false,
    );
    if (isFolder) return;
    const above = path.dirname(directory);
    if (codeOf(error) !== 'ENOENT' || (await stat(above).catch(() => undefined))) throw error;
    await makeFolder(above);
    await mkdir(directory);
  }
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : '';
}

/** Whether the object store can have a file of this path, with `/` as separator, as an object. */
export function isObjectPath(file: string): boolean {
  return keyFromPath(file) === file;
}

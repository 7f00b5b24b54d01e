/**
 * Maps buckets to folders: to the folder registered in the workspace's `buckets.json`, otherwise to
 * `buckets/<name>` in the workspace.
 */
import { randomUUID } from 'node:crypto';
import { statSync } from 'node:fs';
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { isAbsolute, join, resolve, sep } from 'node:path';
import { isMissing } from './errors.ts';
import { withLock } from './locks.ts';
import { unfinishedFolder } from './unfinished.ts';

/** S3's rules for bucket names, which also prevent path traversal. */
const BUCKET_NAME = /^(?!.*\.\.)[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/;

/**
 * Registers `directory` as the folder of a bucket for all present and future stores of this
 * workspace.
 * Throws RangeError for an invalid bucket name and for a directory that is not absolute.
 */
export async function registerBucket(workspace: string, bucket: string, directory: string): Promise<void> {
  checkBucketName(bucket);
  if (!isAbsolute(directory)) {
    throw new RangeError(`Expected an absolute path for directory but received ${JSON.stringify(directory)}`);
  }
  const registry = resolve(registryPath(workspace));
  await withLock(registry, async () => {
    const registered = await readRegistry(registry);
    await mkdir(unfinishedFolder(workspace), { recursive: true });
    const temporary = join(unfinishedFolder(workspace), randomUUID());
    try {
      await writeFile(temporary, `${JSON.stringify({ ...registered, [bucket]: resolve(directory) }, undefined, 2)}\n`);
      await rename(temporary, registry);
    } finally {
      await rm(temporary, { force: true });
      registrations += 1;
    }
  });
}

/**
 * Number of registrations by this process. Registrations by other processes change the file's
 * fingerprint.
 */
let registrations = 0;
/** Interval between checks of `buckets.json` for changes by other processes. Milliseconds. */
const CHECK_INTERVAL_MS = 50;

/** A function from bucket names to absolute folders that reloads `buckets.json` after changes. */
export function bucketDirectories(workspace: string): (bucket: string) => Promise<string> {
  const registry = registryPath(workspace);
  let loaded = '';
  let directories: Readonly<Record<string, string>> = {};
  let checked = { at: -Infinity, registrations };
  const reload = async (): Promise<void> => {
    const current = fingerprint(registry);
    if (current === loaded) return;
    directories = await readRegistry(registry);
    loaded = current;
  };
  return async (bucket) => {
    checkBucketName(bucket);
    const now = { at: performance.now(), registrations };
    if (now.at - checked.at > CHECK_INTERVAL_MS || now.registrations !== checked.registrations) {
      await reload();
      checked = now;
    }
    const registered = Object.hasOwn(directories, bucket) ? directories[bucket] : undefined;
    return registered ?? join(ownBuckets(workspace), bucket);
  };
}

/**
 * The folder of the unregistered buckets, which only this store writes to. Ends with a separator.
 */
export function ownBuckets(workspace: string): string {
  return resolve(workspace, 'buckets') + sep;
}

/** Throws RangeError for a bucket name that violates S3's rules. */
function checkBucketName(bucket: string): void {
  if (!BUCKET_NAME.test(bucket)) {
    throw new RangeError(
      `Expected 3 to 63 lower-case letters, digits, dots and hyphens for bucket but received ${JSON.stringify(bucket)}`,
    );
  }
}

function registryPath(workspace: string): string {
  return join(workspace, 'buckets.json');
}

/** Synchronous, as the calls of the workspace's database are: it takes a tenth of the time. */
function fingerprint(path: string): string {
  const stats = statSync(path, { bigint: true, throwIfNoEntry: false });
  return stats ? `${stats.mtimeNs} ${stats.size} ${stats.ino}` : 'missing';
}

async function readRegistry(path: string): Promise<Record<string, string>> {
  try {
    return parseRegistry(JSON.parse(await readFile(path, 'utf8')), path);
  } catch (error) {
    if (isMissing(error)) return {};
    throw error;
  }
}

function parseRegistry(value: unknown, path: string): Record<string, string> {
  const entries = typeof value === 'object' && value !== null ? Object.entries(value) : [['', undefined] as const];
  const registry: Record<string, string> = {};
  for (const [bucket, directory] of entries) {
    if (typeof directory !== 'string' || !isAbsolute(directory)) {
      throw new TypeError(
        `Expected bucket names and absolute directories for ${path} but received ${JSON.stringify(value)}`,
      );
    }
    registry[bucket] = directory;
  }
  return registry;
}

/** Which folder a bucket is: the one `buckets.json` in the workspace names, or `buckets/<name>` beside it. */
import { randomUUID } from 'node:crypto';
import { mkdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { isAbsolute, join, resolve, sep } from 'node:path';
import { isMissing } from './errors.ts';
import { withLock } from './locks.ts';

/** S3's rules for bucket names, so that no name leads out of the workspace. */
const BUCKET_NAME = /^(?!.*\.\.)[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/;

/**
 * Makes `directory` the folder of a bucket, for every store on this workspace, running or yet to come.
 * Throws RangeError for a bucket name that S3 would not take and for a directory that is not absolute.
 */
export async function registerBucket(workspace: string, bucket: string, directory: string): Promise<void> {
  checkBucketName(bucket);
  if (!isAbsolute(directory)) {
    throw new RangeError(`Expected an absolute path for directory but received ${JSON.stringify(directory)}`);
  }
  const registry = resolve(registryPath(workspace));
  await withLock(registry, async () => {
    const known = await readRegistry(registry);
    await mkdir(workspace, { recursive: true });
    const temporary = `${registry}.${randomUUID()}`;
    try {
      await writeFile(temporary, `${JSON.stringify({ ...known, [bucket]: resolve(directory) }, undefined, 2)}\n`);
      await rename(temporary, registry);
    } finally {
      await rm(temporary, { force: true });
      registrations += 1;
    }
  });
}

/** Of this process; those of others are noticed by looking. */
let registrations = 0;
/** How long what was seen of `buckets.json` is taken for true: every call of a store asks. Milliseconds. */
const LOOK_AGAIN_AFTER = 50;

/** A function from bucket names to absolute folders that notices when `buckets.json` changes, of other processes soon. */
export function bucketDirectories(workspace: string): (bucket: string) => Promise<string> {
  const registry = registryPath(workspace);
  let seen = '';
  let known: Readonly<Record<string, string>> = {};
  let looked = { at: -Infinity, registrations };
  const look = async (): Promise<void> => {
    const now = await fingerprint(registry);
    if (now === seen) return;
    known = await readRegistry(registry);
    seen = now;
  };
  return async (bucket) => {
    checkBucketName(bucket);
    const now = { at: performance.now(), registrations };
    if (now.at - looked.at > LOOK_AGAIN_AFTER || now.registrations !== looked.registrations) {
      await look();
      looked = now;
    }
    const registered = Object.hasOwn(known, bucket) ? known[bucket] : undefined;
    return registered ?? join(ownBuckets(workspace), bucket);
  };
}

/** The folder of the buckets that are nobody else's, with a separator at its end. */
export function ownBuckets(workspace: string): string {
  return resolve(workspace, 'buckets') + sep;
}

/** Throws RangeError for a bucket name that S3 would not take. */
export function checkBucketName(bucket: string): void {
  if (!BUCKET_NAME.test(bucket)) {
    throw new RangeError(
      `Expected 3 to 63 lower-case letters, digits, dots and hyphens for bucket but received ${JSON.stringify(bucket)}`,
    );
  }
}

function registryPath(workspace: string): string {
  return join(workspace, 'buckets.json');
}

async function fingerprint(path: string): Promise<string> {
  try {
    const { mtimeNs, size, ino } = await stat(path, { bigint: true });
    return `${mtimeNs} ${size} ${ino}`;
  } catch (error) {
    if (isMissing(error)) return 'missing';
    throw error;
  }
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

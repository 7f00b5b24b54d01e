/** Lists the keys of a folder in UTF-8 byte order. Memory is bounded by the largest directory. */
import type { Dirent } from 'node:fs';
import { readdir, realpath, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { hasCode, isMissing } from './errors.ts';
import { continuedPart, keyFromPath, componentFromName, TEMPORARY_PREFIX } from './key-paths.ts';

/**
 * A file or directory. `path` is relative to the root; `order`: sort key, the bytes of the
 * component.
 */
interface Entry {
  readonly path: string;
  readonly component: string;
  readonly isDirectory: boolean;
  readonly order: Buffer;
}

/** `below`: whether folders that begin after the prefix are opened. */
interface ListingOptions {
  readonly below: boolean;
}

/** Keys that start with `prefix`, with paths relative to `root`. A missing folder has no keys. */
export async function* listFolder(
  root: string,
  prefix: string,
  options: ListingOptions = { below: true },
): AsyncGenerator<{ key: string; path: string }> {
  yield* walk(root, { directory: '', keyPrefix: '' }, prefix, options);
}

async function* walk(
  root: string,
  { directory, keyPrefix }: { readonly directory: string; readonly keyPrefix: string },
  prefix: string,
  options: ListingOptions,
): AsyncGenerator<{ key: string; path: string }> {
  const entries = await readEntries(root, directory, '');
  entries.sort((a, b) => Buffer.compare(a.order, b.order));
  for (const entry of entries) {
    const key = keyPrefix + entry.component;
    if (entry.isDirectory) {
      const within = { directory: entry.path, keyPrefix: `${key}/` };
      if (isOpened(within.keyPrefix, prefix, options)) yield* walk(root, within, prefix, options);
    } else if (key.startsWith(prefix) && keyFromPath(entry.path) === key) {
      yield { key, path: entry.path };
    }
  }
}

function isOpened(directoryKey: string, prefix: string, { below }: ListingOptions): boolean {
  return prefix.startsWith(directoryKey) || (below && directoryKey.startsWith(prefix));
}

/** The entries of a directory, including those of its directories for long components. */
async function readEntries(root: string, directory: string, continued: string): Promise<Entry[]> {
  const entries: Entry[] = [];
  for (const dirent of await readDirectory(join(root, directory))) {
    if (dirent.name.startsWith(TEMPORARY_PREFIX)) continue;
    const path = directory === '' ? dirent.name : `${directory}/${dirent.name}`;
    const kind = await kindOf(root, directory, dirent);
    if (kind === 'other') continue;
    const more = continuedPart(dirent.name);
    if (more !== undefined) {
      if (kind === 'directory') entries.push(...(await readEntries(root, path, continued + more)));
      continue;
    }
    const component = componentFromName(dirent.name, continued);
    const isDirectory = kind === 'directory';
    entries.push({ path, component, isDirectory, order: Buffer.from(isDirectory ? `${component}/` : component) });
  }
  return entries;
}

/** Names in a directory; none if it is missing. */
export async function namesIn(path: string): Promise<string[]> {
  return (await readDirectory(path)).map(({ name }) => name);
}

async function readDirectory(path: string): Promise<Dirent[]> {
  try {
    return await readdir(path, { withFileTypes: true });
  } catch (error) {
    if (isMissing(error)) return [];
    throw error;
  }
}

async function kindOf(root: string, directory: string, dirent: Dirent): Promise<'file' | 'directory' | 'other'> {
  if (dirent.isFile()) return 'file';
  if (dirent.isDirectory()) return 'directory';
  return dirent.isSymbolicLink() ? kindBehindLink(join(root, directory), dirent.name) : 'other';
}

/** Ignores a link to a directory that contains the link, which would cause endless recursion. */
async function kindBehindLink(directory: string, name: string): Promise<'file' | 'directory' | 'other'> {
  try {
    const path = join(directory, name);
    const stats = await stat(path);
    if (stats.isFile()) return 'file';
    if (!stats.isDirectory()) return 'other';
    const [target, here] = [await realpath(path), await realpath(directory)];
    return target === here || here.startsWith(target === '/' ? '/' : `${target}/`) ? 'other' : 'directory';
  } catch (error) {
    if (isMissing(error) || hasCode(error, 'ELOOP')) return 'other';
    throw error;
  }
}

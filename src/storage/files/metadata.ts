/**
 * Content type, cache control and user metadata of objects in folders: one JSON file per object
 * state in `metadata/<bucket>/<hash of key>.<ETag>.json`, outside the bucket, whose files are not
 * modified. It is written before the object becomes visible, so readers of the object always find
 * it. An object without such a file has no metadata.
 */
import { createHash } from 'node:crypto';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { mkdir, readFile, stat, unlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { isMissing } from './errors.ts';
import { namesIn } from './listing.ts';
import type { ObjectInfo, ObjectRef, WriteOptions } from '../object-store.ts';

/** Content type, cache control and user metadata of an object. */
export type ObjectDescription = Pick<ObjectInfo, 'contentType' | 'cacheControl' | 'metadata'>;

/** The description requested by a write; keys are in lower case, as S3 returns them. */
export function describeWrite(options: WriteOptions): ObjectDescription {
  const entries = Object.entries(options.metadata ?? {}).map(([key, value]) => [key.toLowerCase(), value] as const);
  return {
    contentType: options.contentType,
    cacheControl: options.cacheControl,
    metadata: Object.fromEntries(entries),
  };
}

export class MetadataFiles {
  readonly #workspace: string;

  constructor(workspace: string) {
    this.#workspace = workspace;
  }

  async write(ref: ObjectRef, etag: string, description: ObjectDescription): Promise<void> {
    const text = textOf(ref, etag, description);
    if (text === undefined) return;
    const path = this.#path(ref, etag);
    try {
      await writeFile(path, text);
    } catch (error) {
      if (!isMissing(error)) throw error;
      await mkdir(dirname(path), { recursive: true });
      await writeFile(path, text);
    }
  }

  /** As `write`, without leaving the thread. */
  writeSync(ref: ObjectRef, etag: string, description: ObjectDescription): void {
    const text = textOf(ref, etag, description);
    if (text === undefined) return;
    const path = this.#path(ref, etag);
    try {
      writeFileSync(path, text);
    } catch (error) {
      if (!isMissing(error)) throw error;
      mkdirSync(dirname(path), { recursive: true });
      writeFileSync(path, text);
    }
  }

  removeSync(ref: ObjectRef, etag: string): void {
    rmSync(this.#path(ref, etag), { force: true });
  }

  async read(ref: ObjectRef, etag: string): Promise<ObjectDescription | undefined> {
    try {
      return parseDescription(JSON.parse(await readFile(this.#path(ref, etag), 'utf8')));
    } catch (error) {
      if (isMissing(error)) return undefined;
      throw error;
    }
  }

  async remove(ref: ObjectRef, etag: string): Promise<void> {
    try {
      await unlink(this.#path(ref, etag));
    } catch (error) {
      if (!isMissing(error)) throw error;
    }
  }

  #path(ref: ObjectRef, etag: string): string {
    const hash = createHash('sha256').update(ref.key).digest('hex');
    return join(this.#workspace, 'metadata', ref.bucket, `${hash}.${etag}.json`);
  }
}

/** The text of a metadata file; undefined for an object that needs none. */
function textOf({ key }: ObjectRef, etag: string, description: ObjectDescription): string | undefined {
  const { contentType, cacheControl, metadata } = description;
  const isEmpty = contentType === undefined && cacheControl === undefined && Object.keys(metadata).length === 0;
  return isEmpty ? undefined : `${JSON.stringify({ key, etag, ...description })}\n`;
}

/**
 * Removes metadata files of objects that are not there: of a write that did not become visible, and
 * of an object that it replaced. Reads only the files of keys that were written since `since`.
 * `etagOf` returns the ETag of an object.
 */
export async function removeStrayMetadata(
  workspace: string,
  since: Date,
  etagOf: (ref: ObjectRef) => Promise<string | undefined>,
): Promise<void> {
  const root = join(workspace, 'metadata');
  for (const bucket of await namesIn(root)) {
    for (const name of await writtenSince(join(root, bucket), since)) {
      const path = join(root, bucket, name);
      const { key, etag } = readIdentity(await readFile(path, 'utf8'));
      if (key === undefined || (await etagOf({ bucket, key })) !== etag) await unlink(path);
    }
  }
}

/** Names of the metadata files of every key of which one was written since then. */
async function writtenSince(folder: string, since: Date): Promise<string[]> {
  const names = await namesIn(folder);
  const hashes = new Set<string>();
  for (const name of names) {
    if ((await stat(join(folder, name))).mtime >= since) hashes.add(hashOf(name));
  }
  return names.filter((name) => hashes.has(hashOf(name)));
}

const hashOf = (name: string): string => name.split('.', 1)[0] ?? '';

/** Key and ETag in the text of a metadata file, which a killed process may have cut short. */
function readIdentity(text: string): { readonly key?: string; readonly etag?: string } {
  try {
    const { key, etag } = JSON.parse(text) as { key?: unknown; etag?: unknown };
    return typeof key === 'string' && typeof etag === 'string' ? { key, etag } : {};
  } catch {
    return {};
  }
}

function parseDescription(value: unknown): ObjectDescription {
  const { contentType, cacheControl, metadata } = value as Readonly<Record<string, unknown>>;
  const entries = Object.entries(metadata ?? {}).filter(
    (entry): entry is [string, string] => typeof entry[1] === 'string',
  );
  return {
    contentType: typeof contentType === 'string' ? contentType : undefined,
    cacheControl: typeof cacheControl === 'string' ? cacheControl : undefined,
    metadata: Object.fromEntries(entries),
  };
}

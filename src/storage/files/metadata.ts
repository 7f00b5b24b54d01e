/**
 * Content type and user metadata of objects in folders: a JSON file per object state in
 * `metadata/<bucket>/<hash of key>.<ETag>.json`, outside the bucket, whose files stay as they are. It is written before
 * the object appears, so whoever sees the object sees its metadata; an object without such a file has none.
 */
import { createHash } from 'node:crypto';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { isMissing } from './errors.ts';
import type { ObjectInfo, ObjectRef, WriteOptions } from '../object-store.ts';

/** What an object carries besides its bytes. */
export type Description = Pick<ObjectInfo, 'contentType' | 'metadata'>;

/** What a write asks for, keys in lower case as S3 gives them back. */
export function describeWrite(options: WriteOptions): Description {
  const entries = Object.entries(options.metadata ?? {}).map(([key, value]) => [key.toLowerCase(), value] as const);
  return { contentType: options.contentType, metadata: Object.fromEntries(entries) };
}

export class MetadataFiles {
  readonly #workspace: string;

  constructor(workspace: string) {
    this.#workspace = workspace;
  }

  async write(ref: ObjectRef, etag: string, description: Description): Promise<void> {
    if (description.contentType === undefined && Object.keys(description.metadata).length === 0) return;
    const path = this.#path(ref, etag);
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, `${JSON.stringify({ key: ref.key, etag, ...description })}\n`);
  }

  async read(ref: ObjectRef, etag: string): Promise<Description | undefined> {
    try {
      return parseDescription(JSON.parse(await readFile(this.#path(ref, etag), 'utf8')));
    } catch (error) {
      if (isMissing(error)) return undefined;
      throw error;
    }
  }

  async remove(ref: ObjectRef, etag: string): Promise<void> {
    await rm(this.#path(ref, etag), { force: true });
  }

  #path(ref: ObjectRef, etag: string): string {
    const hash = createHash('sha256').update(ref.key).digest('hex');
    return join(this.#workspace, 'metadata', ref.bucket, `${hash}.${etag}.json`);
  }
}

function parseDescription(value: unknown): Description {
  const { contentType, metadata } = value as { contentType?: unknown; metadata?: unknown };
  const entries = Object.entries(metadata ?? {}).filter(
    (entry): entry is [string, string] => typeof entry[1] === 'string',
  );
  return {
    contentType: typeof contentType === 'string' ? contentType : undefined,
    metadata: Object.fromEntries(entries),
  };
}

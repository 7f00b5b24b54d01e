/** Objects that are written only when they change, and only over the version that was seen. */
import { createHash } from 'node:crypto';
import { ObjectNotFoundError } from '../../errors.ts';
import type { ObjectInfo, ObjectRef, ObjectStore, WriteOptions } from '../../storage/object-store.ts';

/** User metadata that has the digest of the content, so that it need not be read. */
const DIGEST = 'stepwell-digest';

/** An object as it was before its new content was made; undefined if there was none. */
export type SeenObject = ObjectInfo | undefined;

export async function seenObject(store: ObjectStore, ref: ObjectRef): Promise<SeenObject> {
  try {
    return await store.head(ref);
  } catch (error) {
    if (error instanceof ObjectNotFoundError) return undefined;
    throw error;
  }
}

/**
 * Writes an object unless it has this content already. Throws PreconditionFailedError if it is no
 * longer the one that was seen. Returns whether it was written.
 */
export async function writeChanged(
  store: ObjectStore,
  ref: ObjectRef,
  seen: SeenObject,
  bytes: Uint8Array,
  { metadata, ...options }: Omit<WriteOptions, 'over'>,
): Promise<boolean> {
  const digest = createHash('sha256').update(bytes).digest('hex');
  if (seen && (await hasContent(store, ref, seen, bytes, digest))) return false;
  const over = seen ? { etag: seen.etag } : 'absent';
  await store.write(ref, bytes, { ...options, metadata: { ...metadata, [DIGEST]: digest }, over });
  return true;
}

async function hasContent(
  store: ObjectStore,
  ref: ObjectRef,
  { size, etag, metadata }: ObjectInfo,
  bytes: Uint8Array,
  digest: string,
): Promise<boolean> {
  if (size !== bytes.length) return false;
  const known = metadata[DIGEST];
  if (known !== undefined) return known === digest;
  return Buffer.compare(await store.read(ref, { ifMatch: etag }), bytes) === 0;
}

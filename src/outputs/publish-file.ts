/** Publishing of tiles and other small objects beside a pyramid. */
import { forEachParallel } from '../parallel.ts';
import type { ObjectStore } from '../storage/object-store.ts';
import type { Source } from '../work/execution-input.ts';
import { publishDerived, withdraw, withdrawOlder } from '../work/public-object.ts';
import type { PlanRef } from '../work/work-area.ts';
import { PIXELS_CACHE, type PlainFile } from './output.ts';

/** Number of objects written concurrently. */
export const WRITERS = 32;

/** Where the files of an upload go. */
export interface FileTarget {
  readonly store: ObjectStore;
  readonly bucket: string;
  readonly source: Source;
  readonly plan: PlanRef;
}

/** An encoded tile or image, and all of its keys. */
export interface EncodedFile {
  readonly keys: readonly string[];
  readonly bytes: Uint8Array;
  readonly format: 'jpg' | 'png';
}

const contentTypes = { jpg: 'image/jpeg', png: 'image/png' } as const;

/** Publishes tiles or images under each of their keys, side by side. Throws as `publishDerived`. */
export async function publishEncoded(target: FileTarget, files: readonly EncodedFile[]): Promise<void> {
  const single = files.flatMap(({ keys, bytes, format }) =>
    keys.map((key) => ({ key, bytes, contentType: contentTypes[format], cacheControl: PIXELS_CACHE })),
  );
  await forEachParallel(single, WRITERS, (file) => publishPlain(target, file));
}

/** Publishes one object. Throws as `publishDerived`. */
export function publishPlain({ store, bucket, source, plan }: FileTarget, file: PlainFile): Promise<void> {
  return publishDerived(store, source, plan, { bucket, ...file });
}

/** Removes objects that an earlier upload of the image published. */
export async function withdrawOlderFiles({ store, bucket, source }: FileTarget, keys: Iterable<string>): Promise<void> {
  await forEachParallel(keys, WRITERS, (key) => withdrawOlder(store, source, { bucket, key }));
}

/** Removes every object under the prefixes that this image published and that is not expected. */
export async function removeLeftOverFiles(
  { store, bucket, source }: FileTarget,
  prefixes: readonly string[],
  expected: ReadonlySet<string>,
): Promise<number> {
  let removed = 0;
  for (const prefix of prefixes) {
    const leftOver: string[] = [];
    for await (const { key } of store.list(bucket, prefix)) if (!expected.has(key)) leftOver.push(key);
    await forEachParallel(leftOver, WRITERS, (key) => withdraw(store, source, { bucket, key }));
    removed += leftOver.length;
  }
  return removed;
}

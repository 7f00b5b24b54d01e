import { z } from 'zod';
import { RejectedImageError } from '../errors.ts';
import { checksums, type Checksums, compareChecksums, sentAlgorithms, verifiedChecksums } from './checksums.ts';
import type { DigestAlgorithm, Recipe } from '../recipe/recipe.ts';
import type { ObjectInfo, ObjectStore } from '../storage/object-store.ts';
import type { RangeReader } from '../bytes/range-reader.ts';
import { readText, toJsonBytes, type WorkArea } from './work-area.ts';

/** What is known of the master's bytes. */
const RecordedChecksums = z.object({
  sha256: z.string().optional(),
  md5: z.string().optional(),
  /** Why there are none. */
  leftOut: z.string().optional(),
});
export type RecordedChecksums = z.infer<typeof RecordedChecksums>;

interface Checked {
  readonly info: ObjectInfo;
  readonly recipe: Pick<Recipe, 'digests'>;
  readonly content: RangeReader | AsyncIterable<Uint8Array>;
}

/**
 * Writes digests of the master to the work area: those of the recipe, and those that an uploader
 * sent to be compared with. A digest that the store verified on upload is recorded, not computed.
 * Throws RejectedImageError(CHECKSUM_MISMATCH) when one that was sent differs.
 */
export async function recordChecksums(
  store: ObjectStore,
  area: WorkArea,
  { info, recipe, content }: Checked,
): Promise<void> {
  const verified = verifiedChecksums(info);
  const wanted = new Set<DigestAlgorithm>([...recipe.digests, ...sentAlgorithms(info)]);
  const algorithms = [...wanted].filter((algorithm) => verified[algorithm] === undefined);
  const computed = algorithms.length === 0 ? {} : await checksums(content, algorithms);
  const found: Partial<Checksums> = { ...(wanted.has('sha256') ? verified : {}), ...computed };
  if (compareChecksums(found, info) === 'mismatch') {
    const digests = Object.entries(found).map(([algorithm, digest]) => `${algorithm} ${digest}`);
    throw new RejectedImageError(
      'CHECKSUM_MISMATCH',
      `the object has ${digests.join(', ')}, the uploader sent another: it was changed on its way; send it again`,
    );
  }
  await writeChecksums(store, area, found);
}

/** Whether the uploader sent a digest to compare with. */
export function isDigestSent(info: ObjectInfo): boolean {
  return sentAlgorithms(info).length > 0;
}

export async function writeChecksums(store: ObjectStore, area: WorkArea, recorded: RecordedChecksums): Promise<void> {
  await store.write(area.checksums, toJsonBytes(recorded));
}

/** Throws InconsistentWorkError when none were recorded. */
export async function readChecksums(store: ObjectStore, area: WorkArea): Promise<RecordedChecksums> {
  return RecordedChecksums.parse(JSON.parse(await readText(store, area.checksums)));
}

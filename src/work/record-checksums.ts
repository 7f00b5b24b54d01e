import { z } from 'zod';
import { RejectedImageError } from '../errors.ts';
import { checksums, type Checksums, compareChecksums, sentAlgorithms, type SentChecksums } from './checksums.ts';
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
 * Digests of the master, to the work area: those of the recipe, and those that an uploader sent to be compared with.
 * Throws RejectedImageError(CHECKSUM_MISMATCH) when they differ.
 */
export async function recordChecksums(
  store: ObjectStore,
  area: WorkArea,
  { info, recipe, content }: Checked,
): Promise<void> {
  const algorithms = algorithmsFor(info, recipe);
  const found: Partial<Checksums> = algorithms.length === 0 ? {} : await checksums(content, algorithms);
  if (compareChecksums(found, sentWith(info)) === 'mismatch') {
    const digests = Object.entries(found).map(([algorithm, digest]) => `${algorithm} ${digest}`);
    throw new RejectedImageError(
      'CHECKSUM_MISMATCH',
      `the object has ${digests.join(', ')}, the uploader sent another: it was changed on its way; send it again`,
    );
  }
  await writeChecksums(store, area, found);
}

/** The digests that the recipe lists, and those that an uploader sent. */
function algorithmsFor(info: ObjectInfo, recipe: Pick<Recipe, 'digests'>): DigestAlgorithm[] {
  return [...new Set([...recipe.digests, ...sentAlgorithms(sentWith(info))])];
}

/** Whether the uploader said what the object's digest is. */
export function isDigestSent(info: ObjectInfo): boolean {
  return sentAlgorithms(sentWith(info)).length > 0;
}

function sentWith({ checksumSha256, metadata }: ObjectInfo): SentChecksums {
  return { checksumSha256, metadata };
}

export async function writeChecksums(store: ObjectStore, area: WorkArea, recorded: RecordedChecksums): Promise<void> {
  await store.write(area.checksums, toJsonBytes(recorded));
}

/** Throws InconsistentWorkError when none were recorded. */
export async function readChecksums(store: ObjectStore, area: WorkArea): Promise<RecordedChecksums> {
  return RecordedChecksums.parse(JSON.parse(await readText(store, area.checksums)));
}

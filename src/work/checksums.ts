/**
 * The digests of the master as the pipeline records them, in `checksums.json` or in the execution
 * state.
 */
import { RejectedImageError } from '../errors.ts';
import type { RangeReader } from '../bytes/range-reader.ts';
import type { DigestAlgorithm, Recipe } from '../recipe/recipe.ts';
import type { ObjectInfo, ObjectStore } from '../storage/object-store.ts';
import { RecordedChecksums } from './execution-input.ts';
import { compareDigests, computeDigests, type Digests, sentAlgorithms, verifiedDigests } from './digests.ts';
import { readText, toJsonBytes, type WorkArea } from './work-area.ts';

interface ChecksumRequest {
  /** Of the master. Its user metadata has the digests that the uploader sent. */
  readonly info: ObjectInfo;
  readonly recipe: Pick<Recipe, 'digests'>;
  readonly content: RangeReader | AsyncIterable<Uint8Array>;
}

/**
 * Computes the digests that the recipe lists and those that the uploader sent. A digest that the
 * store verified on upload is recorded without being computed. Throws
 * RejectedImageError(CHECKSUM_MISMATCH) when a digest differs from that of the uploader.
 */
export async function computeChecksums({ info, recipe, content }: ChecksumRequest): Promise<RecordedChecksums> {
  const verified = verifiedDigests(info);
  const wanted = new Set<DigestAlgorithm>([...recipe.digests, ...sentAlgorithms(info)]);
  const algorithms = [...wanted].filter((algorithm) => verified[algorithm] === undefined);
  const computed = algorithms.length === 0 ? {} : await computeDigests(content, algorithms);
  const found: Partial<Digests> = { ...(wanted.has('sha256') ? verified : {}), ...computed };
  if (compareDigests(found, info) === 'mismatch') {
    const digests = Object.entries(found).map(([algorithm, digest]) => `${algorithm} ${digest}`);
    throw new RejectedImageError(
      'CHECKSUM_MISMATCH',
      `the object has ${digests.join(', ')}, the uploader sent another: the file was changed in transit; send it again`,
    );
  }
  return found;
}

/** Whether the uploader sent a digest of the master. */
export function isDigestSent(info: ObjectInfo): boolean {
  return sentAlgorithms(info).length > 0;
}

/** Writes checksums.json. */
export async function writeChecksums(store: ObjectStore, area: WorkArea, recorded: RecordedChecksums): Promise<void> {
  await store.write(area.checksums, toJsonBytes(recorded));
}

/** Reads checksums.json. Throws InconsistentWorkError when it is missing. */
export async function readChecksums(store: ObjectStore, area: WorkArea): Promise<RecordedChecksums> {
  return RecordedChecksums.parse(JSON.parse(await readText(store, area.checksums)));
}

import { RejectedImageError, SourceChangedError } from '../errors.ts';
import { type Call, lambdaHandler, type Ports } from '../runtime.ts';
import { openSource } from '../work/pinned-object.ts';
import { writeChecksums } from '../work/checksums.ts';
import { sourceLogFields, PlannedState } from '../work/execution-state.ts';
import { readMasterChecksums } from '../work/master-checksums.ts';
import { readPlan, workArea } from '../work/work-area.ts';

/**
 * Part of the invocation's time reserved for recording that the time was too short. Milliseconds.
 */
const RECORDING_TIME = 20_000;

/**
 * Computes the digests of a master that no other step reads as a whole. If the uploader sent a
 * digest, this runs before rendering, and a master that cannot be read is rejected. Otherwise only
 * PublishSidecar depends on it: if the master takes too long to read, was removed or was
 * overwritten, the sidecar has a warning instead of digests.
 */
export function makeChecksumSource({ store, config }: Pick<Ports, 'store' | 'config'>) {
  return async ({ source, plan }: PlannedState, { log, remainingMs }: Call): Promise<void> => {
    const area = workArea(config.workBucket, source);
    const { recipe } = await readPlan(store, config.workBucket, plan.ref);
    try {
      const master = await openSource(store, source);
      const checksums = await readMasterChecksums(master, recipe, () => remainingMs() - RECORDING_TIME);
      await writeChecksums(store, area, checksums);
      const { leftOut } = checksums;
      if (leftOut === undefined) log.info('source.checksummed', { bytes: master.info.size });
      else log.warn('source.not-checksummed', { reason: leftOut });
    } catch (error) {
      if (plan.digests === 'before' || !isGone(error)) throw error;
      const leftOut = 'checksums: left out, the master was removed or overwritten before it was read';
      await writeChecksums(store, area, { leftOut });
      log.warn('source.not-checksummed', { reason: leftOut });
    }
  };
}

function isGone(error: unknown): boolean {
  const isRemoved = error instanceof RejectedImageError && error.code === 'SOURCE_GONE';
  return isRemoved || error instanceof SourceChangedError;
}

export const handler = lambdaHandler(PlannedState, makeChecksumSource, sourceLogFields);

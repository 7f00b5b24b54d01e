import { DeadlineExceededError, RejectedImageError, SourceChangedError } from '../errors.ts';
import { type Call, lambdaHandler, type Ports } from '../runtime.ts';
import { openSource, type PinnedObject } from '../work/pinned-object.ts';
import { computeChecksums, writeChecksums } from '../work/checksums.ts';
import { sourceLogFields, PlannedState } from '../work/execution-state.ts';
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
      const { info, reader } = await openSource(store, source);
      const content = untilDeadline(reader, () => remainingMs() - RECORDING_TIME);
      await writeChecksums(store, area, await computeChecksums({ info, recipe, content }));
      log.info('source.checksummed', { bytes: info.size });
    } catch (error) {
      if (plan.digests === 'before') throw rejectUnreadable(error);
      const reason = reasonToLeaveOut(error);
      if (reason === undefined) throw error;
      await writeChecksums(store, area, { leftOut: `checksums: left out, ${reason}` });
      log.warn('source.not-checksummed', { reason });
    }
  };
}

/**
 * Rejects a master that takes longer to read than a function may run; a redrive would also time
 * out.
 */
function rejectUnreadable(error: unknown): unknown {
  if (!(error instanceof DeadlineExceededError)) return error;
  const detail = `${error.message}, and its uploader sent a digest to compare with; send it without`;
  return new RejectedImageError('OVER_BUDGET', detail, { cause: error });
}

function reasonToLeaveOut(error: unknown): string | undefined {
  if (error instanceof DeadlineExceededError) return error.message;
  const isGone = error instanceof RejectedImageError && error.code === 'SOURCE_GONE';
  return isGone || error instanceof SourceChangedError
    ? 'the master was removed or overwritten before it was read'
    : undefined;
}

/** A reader that throws DeadlineExceededError when no time is left. */
function untilDeadline(reader: PinnedObject['reader'], remainingMs: () => number): PinnedObject['reader'] {
  return {
    ...reader,
    async readInto(target, offset) {
      if (remainingMs() <= 0) {
        throw new DeadlineExceededError(`reading ${reader.size} bytes takes longer than a function may run`);
      }
      await reader.readInto(target, offset);
    },
  };
}

export const handler = lambdaHandler(PlannedState, makeChecksumSource, sourceLogFields);

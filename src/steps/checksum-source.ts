import { DeadlineExceededError, RejectedImageError, SourceChangedError } from '../errors.ts';
import { type Call, lambdaHandler, type Ports } from '../runtime.ts';
import { openSource, type PinnedObject } from '../work/pinned-source.ts';
import { recordChecksums, writeChecksums } from '../work/record-checksums.ts';
import { sourceLogFields, PlannedState } from '../work/state.ts';
import { readPlan, workArea } from '../work/work-area.ts';

/** Kept back of the invocation's time, for recording that it was not enough. Milliseconds. */
const RECORDING_TIME = 20_000;

/**
 * Digests of a master of which the blocks read parts only. Where they must agree with what the uploader sent, this comes
 * before the blocks, and fails as they would. Otherwise nothing waits for it but the sidecar, which says why there are none
 * when the master was too large for one function to read, or was gone before it was read.
 */
export function makeChecksumSource({ store, config }: Pick<Ports, 'store' | 'config'>) {
  return async ({ source, plan }: PlannedState, { log, remainingMs }: Call): Promise<void> => {
    const area = workArea(config.workBucket, source);
    const { recipe } = await readPlan(store, config.workBucket, plan.ref);
    try {
      const { info, reader } = await openSource(store, source);
      const content = untilDeadline(reader, () => remainingMs() - RECORDING_TIME);
      await recordChecksums(store, area, { info, recipe, content });
      log.info('source.checksummed', { bytes: info.size });
    } catch (error) {
      if (plan.digests === 'before') throw rejectUnreadable(error);
      const reason = reasonToGoOn(error);
      if (reason === undefined) throw error;
      await writeChecksums(store, area, { leftOut: `checksums: left out, ${reason}` });
      log.warn('source.not-checksummed', { reason });
    }
  };
}

/** A redrive would not be given more time. */
function rejectUnreadable(error: unknown): unknown {
  if (!(error instanceof DeadlineExceededError)) return error;
  const detail = `${error.message}, and its uploader sent a digest to compare with; send it without`;
  return new RejectedImageError('OVER_BUDGET', detail, { cause: error });
}

function reasonToGoOn(error: unknown): string | undefined {
  if (error instanceof DeadlineExceededError) return error.message;
  const isGone = error instanceof RejectedImageError && error.code === 'SOURCE_GONE';
  return isGone || error instanceof SourceChangedError ? 'the master was gone before all of it was read' : undefined;
}

/** A reader that gives up when there is no time left. */
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

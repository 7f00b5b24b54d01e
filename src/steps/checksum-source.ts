import { DeadlineExceededError } from '../errors.ts';
import { readRecipe } from '../recipes.ts';
import { type Call, lambdaHandler, type Ports } from '../runtime.ts';
import { openSource, type PinnedObject } from './pinned-source.ts';
import { recordChecksums, writeChecksums } from './record-checksums.ts';
import { aboutSource, PlannedState } from './state.ts';
import { workArea } from './work-area.ts';

/** Kept back of the invocation's time, for recording that it was not enough. Milliseconds. */
const RECORDING_TIME = 20_000;

/**
 * Digests of a master of which the blocks read parts only, in one pass beside them. One that is too large to be read by one
 * function is published without digests, and its sidecar says so.
 */
export function makeChecksumSource({ store, config }: Pick<Ports, 'store' | 'config'>) {
  return async ({ source, recipe: name }: PlannedState, { log, remainingMs }: Call): Promise<void> => {
    const area = workArea(config.workBucket, source);
    const recipe = await readRecipe(config.recipesDirectory, name);
    const { info, reader } = await openSource(store, source);
    try {
      const content = untilDeadline(reader, () => remainingMs() - RECORDING_TIME);
      await recordChecksums(store, area, { info, recipe, content });
      log.info('source.checksummed', { bytes: info.size });
    } catch (error) {
      if (!(error instanceof DeadlineExceededError)) throw error;
      const leftOut = `checksums: left out, reading ${info.size} bytes takes longer than a function may run`;
      await writeChecksums(store, area, { sent: 'none', leftOut });
      log.warn('source.not-checksummed', { bytes: info.size });
    }
  };
}

/** A reader that gives up when there is no time left. */
function untilDeadline(reader: PinnedObject['reader'], remainingMs: () => number): PinnedObject['reader'] {
  return {
    ...reader,
    async readInto(target, offset) {
      if (remainingMs() <= 0) throw new DeadlineExceededError(`Expected time to read ${reader.size} bytes`);
      await reader.readInto(target, offset);
    },
  };
}

export const handler = lambdaHandler(PlannedState, makeChecksumSource, aboutSource);

import { measureSamples } from '../imaging/measure-samples.ts';
import type { SourceImage } from '../pyramid/source-image.ts';
import { type Call, lambdaHandler, type Ports } from '../runtime.ts';
import { sourceLogFields, ValidatedState } from '../work/execution-state.ts';
import { openSource } from '../work/pinned-object.ts';

/** Part of the invocation's time that is reserved for returning the result. Milliseconds. */
const RETURNING_TIME = 10_000;

/**
 * Reads all pixels of a TIFF whose samples have a range that the file does not state, and returns
 * the image with that range, by which every block maps its samples.
 */
export function makeMeasureSamples({ store }: Pick<Ports, 'store'>) {
  return async ({ source, image }: ValidatedState, { log, remainingMs }: Call): Promise<SourceImage> => {
    const { reader } = await openSource(store, source);
    const mappedRange = await measureSamples(reader, image, () => remainingMs() - RETURNING_TIME);
    log.info('samples.measured', { ...mappedRange });
    return { ...image, unmeasured: undefined, mappedRange };
  };
}

export const handler = lambdaHandler(ValidatedState, makeMeasureSamples, sourceLogFields);

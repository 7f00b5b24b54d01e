import { ExecutionInput } from '../execution-input.ts';
import { identify } from '../imaging/identify.ts';
import type { SourceImage } from '../pyramid/source-image.ts';
import { type Call, lambdaHandler, type Ports } from '../runtime.ts';
import { openSource } from './pinned-source.ts';
import { aboutSource } from './state.ts';
import { toJsonBytes, workArea } from './work-area.ts';

/** What is it, by content, and may it pass? Reads the header only. */
export function makeValidateObject({ store, config }: Pick<Ports, 'store' | 'config'>) {
  return async ({ source }: ExecutionInput, { log }: Call): Promise<SourceImage> => {
    const { reader } = await openSource(store, source);
    const { image, description } = await identify(reader);
    await store.write(workArea(config.workBucket, source).header, toJsonBytes(description));
    log.info('object.validated', { ...image });
    return image;
  };
}

export const handler = lambdaHandler(ExecutionInput, makeValidateObject, aboutSource);

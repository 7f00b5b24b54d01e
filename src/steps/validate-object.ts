import { ExecutionInput } from '../work/execution-input.ts';
import { identify, recognise } from '../formats/identify.ts';
import { readEmbeddedMetadata } from '../formats/read-metadata.ts';
import type { SourceImage } from '../pyramid/source-image.ts';
import { readRecipe } from '../recipe/read.ts';
import { type Call, lambdaHandler, type Ports } from '../runtime.ts';
import { pagedReader } from '../bytes/range-reader.ts';
import { openSource } from '../work/pinned-source.ts';
import { sourceLogFields, type UnconvertedImage } from '../work/state.ts';
import { workArea } from '../work/work-area.ts';
import { writeHeader } from '../work/write-header.ts';

/** Enough for nearly every header, profile and metadata included. */
const HEAD_BYTES = 256 * 1024;

/** What is it, by content, and may it pass? Reads the header only. */
export function makeValidateObject({ store, config }: Pick<Ports, 'store' | 'config'>) {
  return async ({ source, recipe: name }: ExecutionInput, { log }: Call): Promise<SourceImage | UnconvertedImage> => {
    const { info, reader } = await openSource(store, source);
    // Format, header and metadata lie in the same bytes, mostly.
    const head = pagedReader(reader, HEAD_BYTES);
    const { kind, format } = await recognise(head);
    if (kind === 'converted') {
      log.info('object.recognised', { format, fileSize: reader.size });
      return { convertFrom: format, fileSize: reader.size };
    }
    const identified = await identify(head, format);
    const recipe = await readRecipe(config.recipesDirectory, name);
    const metadata = await readEmbeddedMetadata(head, format);
    await writeHeader(store, workArea(config.workBucket, source), { info, metadata, identified, recipe });
    log.info('object.validated', { ...identified.image });
    return identified.image;
  };
}

export const handler = lambdaHandler(ExecutionInput, makeValidateObject, sourceLogFields);

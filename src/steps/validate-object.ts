import { ExecutionInput } from '../work/execution-input.ts';
import { choosePicture, readerOfPicture } from '../formats/choose-picture.ts';
import { identify, recognise } from '../formats/identify.ts';
import { readEmbeddedMetadata, withFileMetadata } from '../formats/read-metadata.ts';
import type { SourceImage } from '../pyramid/source-image.ts';
import { readRecipe } from '../recipe/read.ts';
import { type Call, lambdaHandler, type Ports } from '../runtime.ts';
import { libraryVersions } from '../imaging/library-versions.ts';
import { pagedReader } from '../bytes/range-reader.ts';
import { openSource } from '../work/pinned-object.ts';
import { sourceLogFields, type UnconvertedImage } from '../work/execution-state.ts';
import { workArea } from '../work/work-area.ts';
import { writeHeader } from '../work/header.ts';

/** Size of the first read, which covers most headers with profile and metadata. Bytes. */
const PREFIX_BYTES = 256 * 1024;

/**
 * Identifies the format by content and rejects masters that the pipeline cannot process. Reads only
 * the header.
 */
export function makeValidateObject({ store, config }: Pick<Ports, 'store' | 'config'>) {
  return async ({ source, recipe: name }: ExecutionInput, { log }: Call): Promise<SourceImage | UnconvertedImage> => {
    const { info, reader } = await openSource(store, source);
    // One reader for format, header and metadata, which are usually in the same bytes.
    const prefix = pagedReader(reader, PREFIX_BYTES);
    const { kind, format } = await recognise(prefix);
    if (kind === 'converted') {
      log.info('object.recognised', { format, fileSize: reader.size });
      return { convertFrom: format, fileSize: reader.size };
    }
    const recipe = await readRecipe(config.recipesDirectory, name);
    const chosen = await choosePicture(prefix, format, recipe.pages ?? 'reject');
    const { directory } = chosen;
    const picture = await readerOfPicture(prefix, directory);
    const { image: described, description, warnings } = await identify(picture, format, recipe);
    const image = { ...described, ...(directory === undefined ? {} : { directory }) };
    const own = await readEmbeddedMetadata(picture, format);
    const metadata = directory === undefined ? own : withFileMetadata(own, await readEmbeddedMetadata(prefix, format));
    await writeHeader(store, workArea(config.workBucket, source), {
      info,
      metadata: { ...metadata, warnings: [...chosen.warnings, ...metadata.warnings] },
      identified: { image, description, warnings },
      recipe,
      libraries: libraryVersions(),
    });
    log.info('object.validated', { ...image });
    return image;
  };
}

export const handler = lambdaHandler(ExecutionInput, makeValidateObject, sourceLogFields);

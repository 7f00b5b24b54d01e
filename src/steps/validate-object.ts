import { ExecutionInput, type Source } from '../work/execution-input.ts';
import { choosePicture, readerOfPicture } from '../formats/choose-picture.ts';
import type { PictureChoice } from '../formats/format.ts';
import { identify, recognise } from '../formats/identify.ts';
import { withXmpOrientation } from '../formats/orientation.ts';
import { readEmbeddedMetadata, withFileMetadata } from '../formats/read-metadata.ts';
import type { SourceFormat, SourceImage } from '../pyramid/source-image.ts';
import { readRecipe } from '../recipe/read.ts';
import type { Recipe } from '../recipe/recipe.ts';
import { type Call, lambdaHandler, type Ports } from '../runtime.ts';
import { libraryVersions } from '../imaging/library-versions.ts';
import { pagedReader, type RangeReader } from '../bytes/range-reader.ts';
import { openSource } from '../work/pinned-object.ts';
import { type Document, sourceLogFields, type UnconvertedImage } from '../work/execution-state.ts';
import { workArea } from '../work/work-area.ts';
import { writeHeader } from '../work/header.ts';

/** Size of the first read, which covers most headers with profile and metadata. Bytes. */
const PREFIX_BYTES = 256 * 1024;

type ValidatedObject = SourceImage | UnconvertedImage | Document;

/**
 * Identifies the format by content and rejects masters that the pipeline cannot process. Finds
 * the pages of a TIFF. Reads only headers.
 */
export function makeValidateObject({ store, config }: Pick<Ports, 'store' | 'config'>) {
  return async ({ source, recipe: name }: ExecutionInput, { log }: Call): Promise<ValidatedObject> => {
    const { info, reader } = await openSource(store, source);
    // One reader for format, header and metadata, which are usually in the same bytes.
    const prefix = pagedReader(reader, PREFIX_BYTES);
    const { kind, format } = await recognise(prefix);
    if (kind === 'converted') {
      log.info('object.recognised', { format, fileSize: reader.size });
      return { convertFrom: format, fileSize: reader.size };
    }
    const recipe = await readRecipe(config.recipesDirectory, name);
    const choice = await chooseOf(source, prefix, format, recipe);
    if (choice.kind === 'several') {
      const { directories } = choice;
      log.info('document.recognised', { format, pages: directories.length });
      return { pages: { count: directories.length, directories: [...directories] } };
    }
    const { directory } = choice;
    const picture = await readerOfPicture(prefix, directory);
    const identified = await identify(picture, format, recipe);
    const own = await readEmbeddedMetadata(picture, format);
    const isWholeFile = directory === undefined || source.page !== undefined;
    const metadata = isWholeFile ? own : withFileMetadata(own, await readEmbeddedMetadata(prefix, format));
    const described = withXmpOrientation(identified, metadata);
    const image = { ...described, ...(directory === undefined ? {} : { directory }) };
    await writeHeader(store, workArea(config.workBucket, source), {
      info,
      metadata: { ...metadata, warnings: [...choice.warnings, ...metadata.warnings] },
      identified,
      recipe,
      libraries: libraryVersions(),
    });
    log.info('object.validated', { ...image });
    return image;
  };
}

/** The picture of a page is known since its document was read. */
async function chooseOf(
  { page }: Source,
  reader: RangeReader,
  format: SourceFormat,
  { pages = 'reject' }: Pick<Recipe, 'pages'>,
): Promise<PictureChoice> {
  if (!page) return choosePicture(reader, format, pages);
  const { directory } = page;
  return { kind: 'one', ...(directory === undefined ? {} : { directory }), warnings: [] };
}

export const handler = lambdaHandler(ExecutionInput, makeValidateObject, sourceLogFields);

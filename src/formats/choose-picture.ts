import type { RangeReader } from '../bytes/range-reader.ts';
import { withFirstDirectory } from '../tiff/first-directory.ts';
import type { SourceFormat } from '../pyramid/source-image.ts';
import type { PagePolicy } from '../recipe/recipe.ts';
import type { PictureChoice } from './format.ts';
import { type Registry, registry as defaultRegistry } from './registry.ts';

/**
 * Chooses the pictures of a master that are published; formats other than TIFF have one. Throws
 * RejectedImageError, MULTI_PAGE for several pages that `policy` does not accept.
 */
export async function choosePicture(
  reader: RangeReader,
  format: SourceFormat,
  policy: PagePolicy,
  { direct }: Registry = defaultRegistry,
): Promise<PictureChoice> {
  return (await direct[format].choosePicture?.(reader, policy)) ?? { kind: 'one', warnings: [] };
}

/** A reader to which the picture at this directory is the first one of the file. */
export async function readerOfPicture(reader: RangeReader, directory: number | undefined): Promise<RangeReader> {
  return directory === undefined ? reader : withFirstDirectory(reader, directory);
}

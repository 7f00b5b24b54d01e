import { pagedReader } from '../bytes/range-reader.ts';
import { RejectedImageError } from '../errors.ts';
import type { SourceImage } from '../pyramid/source-image.ts';
import { withFirstDirectory } from '../tiff/first-directory.ts';
import { withCurrentJpeg } from '../tiff/old-jpeg.ts';
import { type Directory, readTiff, type TiffFile } from '../tiff/read.ts';
import type { SliceReader } from './read-slice.ts';

export interface SourceDirectory<Reader> {
  readonly file: TiffFile;
  readonly directory: Directory;
  /** Has the chunks of the directory; of old-style JPEG it is not the file of the master. */
  readonly reader: Reader;
}

/** Reads the directory of a TIFF that has the pixels of the image, as the first of its chain. */
export async function openSourceDirectory(
  master: SliceReader,
  { directory: at }: Pick<SourceImage, 'directory'>,
): Promise<SourceDirectory<SliceReader>> {
  const first = at === undefined ? master : { ...master, ...(await withFirstDirectory(master, at)) };
  const reader = await withCurrentJpeg(first);
  const file = await readTiff(pagedReader(reader), 1);
  const [directory] = file.directories;
  if (!directory) throw new RejectedImageError('CORRUPT_HEADER', 'the TIFF has no directory');
  return { file, directory, reader };
}

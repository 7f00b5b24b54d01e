import { pagedReader, type RangeReader } from '../bytes/range-reader.ts';
import { RejectedImageError } from '../errors.ts';
import type { SourceImage } from '../pyramid/source-image.ts';
import { withFirstDirectory } from '../tiff/first-directory.ts';
import { type Directory, readTiff, type TiffFile } from '../tiff/read.ts';

/** Reads the directory of a TIFF that has the pixels of the image, as the first of its chain. */
export async function openSourceDirectory(
  reader: RangeReader,
  { directory: at }: Pick<SourceImage, 'directory'>,
): Promise<{ readonly file: TiffFile; readonly directory: Directory }> {
  const header = pagedReader(reader);
  const file = await readTiff(at === undefined ? header : await withFirstDirectory(header, at), 1);
  const [directory] = file.directories;
  if (!directory) throw new RejectedImageError('CORRUPT_HEADER', 'the TIFF has no directory');
  return { file, directory };
}

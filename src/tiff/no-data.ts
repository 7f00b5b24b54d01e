import { latin1 } from '../bytes/views.ts';
import { type Directory, readBytes, type TiffFile } from './read.ts';
import { Tag } from './tags.ts';

/** Longest text of a number that is read. Bytes. */
const MAX_TEXT_BYTES = 64;

/**
 * GDAL's nodata tag, which holds a number as text (GDAL, GTiff driver): the value of samples that
 * hold none. Undefined where the file has no such tag, or another text.
 */
export async function readNoData(file: TiffFile, directory: Directory): Promise<number | undefined> {
  const entry = directory.get(Tag.GdalNoData);
  if (!entry || entry.bytes > MAX_TEXT_BYTES) return undefined;
  const text = latin1((await readBytes(file, directory, Tag.GdalNoData)) ?? new Uint8Array())
    .replace(/\0.*$/su, '')
    .trim();
  if (/^[-+]?nan$/iu.test(text)) return NaN;
  const value = Number(text);
  return text !== '' && Number.isFinite(value) ? value : undefined;
}

import { latin1 } from '../bytes/views.ts';
import { type Directory, readBytes, type TiffFile } from './read.ts';
import { Tag } from './tags.ts';

/** Longest text of a number that is read. Bytes. */
const MAX_TEXT_BYTES = 64;

/**
 * The value of the samples of a hole, as stored: that of GDAL's nodata tag, which holds a number as
 * text, within the range of `bits` bits; else 0 (GDAL, GTiff driver, sparse files).
 */
export async function readFillValue(file: TiffFile, directory: Directory, bits: number): Promise<number> {
  const entry = directory.get(Tag.GdalNoData);
  if (!entry || entry.bytes > MAX_TEXT_BYTES) return 0;
  const text = latin1((await readBytes(file, directory, Tag.GdalNoData)) ?? new Uint8Array());
  const value = Math.round(Number(text.replace(/\0.*$/su, '')));
  return Number.isFinite(value) ? Math.min(2 ** bits - 1, Math.max(0, value)) : 0;
}

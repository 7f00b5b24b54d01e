import { latin1 } from '../bytes/views.ts';
import type { DirectoryInfo } from './directory-info.ts';
import { mappedSample } from './sample-mapping.ts';
import { type Directory, readBytes, type TiffFile } from './read.ts';
import { Tag } from './tags.ts';

/** Longest text of a number that is read. Bytes. */
const MAX_TEXT_BYTES = 64;

/**
 * The value of the samples of a hole once they are decoded: that of GDAL's nodata tag, which holds
 * a number as text, within the range of the samples; else 0 (GDAL, GTiff driver, sparse files).
 */
export async function readFillValue(
  file: TiffFile,
  directory: Directory,
  { bitsPerSample: [bits = 8], mapping }: Pick<DirectoryInfo, 'bitsPerSample' | 'mapping'>,
): Promise<number> {
  const value = await readNoData(file, directory);
  return mapping ? mappedSample(mapping, value) : Math.min(2 ** bits - 1, Math.max(0, Math.round(value)));
}

async function readNoData(file: TiffFile, directory: Directory): Promise<number> {
  const entry = directory.get(Tag.GdalNoData);
  if (!entry || entry.bytes > MAX_TEXT_BYTES) return 0;
  const text = latin1((await readBytes(file, directory, Tag.GdalNoData)) ?? new Uint8Array());
  const value = Number(text.replace(/\0.*$/su, ''));
  return Number.isFinite(value) ? value : 0;
}

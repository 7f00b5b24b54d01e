import type { DirectoryInfo } from './directory-info.ts';
import { readNoData } from './no-data.ts';
import { mappedSample } from './sample-mapping.ts';
import type { Directory, TiffFile } from './read.ts';

/**
 * The value of the samples of a hole once they are decoded: that of GDAL's nodata tag, within the
 * range of the samples; else 0 (GDAL, GTiff driver, sparse files).
 */
export async function readFillValue(
  file: TiffFile,
  directory: Directory,
  { bitsPerSample: [bits = 8], mapping }: Pick<DirectoryInfo, 'bitsPerSample' | 'mapping'>,
): Promise<number> {
  // While a range is measured, only stored values are read.
  if (mapping?.range === 'unknown') return 0;
  const value = (await readNoData(file, directory)) ?? 0;
  if (mapping) return mappedSample(mapping, value);
  return Number.isNaN(value) ? 0 : Math.min(2 ** bits - 1, Math.max(0, Math.round(value)));
}

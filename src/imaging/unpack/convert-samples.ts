/** Decompressed samples that are not published as they are stored. */
import type { ChunkCoding } from '../../tiff/packed-chunks.ts';
import { yccBytes } from '../../tiff/ycc-layout.ts';
import { mapSamples, storedRowBytes } from './map-samples.ts';
import { yccToRgbRows } from './ycc.ts';

export function needsConversion({ mapping, ycc }: ChunkCoding): boolean {
  return mapping !== undefined || ycc !== undefined;
}

/** Bytes of decompressed samples that become `length` bytes. */
export function unconvertedBytes(length: number, { mapping, ycc, samples, width }: ChunkCoding): number {
  if (ycc) return yccBytes(ycc, width, length / (3 * width));
  if (!mapping) return length;
  const rows = length / (samples * width * (mapping.to / 8));
  return rows * storedRowBytes({ samples: samples * width, mapping });
}

/** Converts whole rows of a chunk. */
export function convertSamples(stored: Uint8Array, target: Uint8Array, coding: ChunkCoding): void {
  const { mapping, ycc, samples, width, littleEndian } = coding;
  if (ycc) yccToRgbRows(stored, target, width, ycc);
  else if (mapping) mapSamples(stored, target, { samples: samples * width, littleEndian, mapping });
}

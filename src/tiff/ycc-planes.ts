/**
 * A slice of YCbCr samples in separate planes (TIFF 6.0, section 21): the chunks of the three
 * planes become chunks of interleaved RGB.
 */
import type { NumberedChunk } from './chunk-ranges.ts';
import type { DirectoryInfo } from './directory-info.ts';
import { describePacking, type PackedChunks, unpackedFields, unpackedRanges } from './packed-chunks.ts';
import type { Directory, TiffFile } from './read.ts';
import { sliceFields, type StoredRect, withDecodedSamples, withNumber, writeSliceHeader } from './slice-header.ts';
import { Tag } from './tags.ts';

const PLANES = [0, 1, 2] as const;

export function hasYccPlanes({ ycc, planar }: Pick<DirectoryInfo, 'ycc' | 'planar'>): boolean {
  return ycc !== undefined && planar;
}

/** Header and packing of the slice of `rect`; `ranges` are the chunks plane after plane. */
export async function packYccPlanes(
  file: TiffFile,
  directory: Directory,
  info: DirectoryInfo,
  rect: StoredRect,
  ranges: readonly NumberedChunk[],
): Promise<{ readonly header: Uint8Array; readonly size: number; readonly packed: PackedChunks }> {
  const interleaved = { ...info, planar: false };
  const count = ranges.length / PLANES.length;
  const luma = ranges.slice(0, count);
  const own = withDecodedSamples(file, await sliceFields(file, directory, rect, count), interleaved);
  const fields = unpackedFields(file, withNumber(file, own, Tag.PlanarConfiguration, 1));
  const { bytes: header, size } = writeSliceHeader(file, fields, unpackedRanges(interleaved, luma));
  const packed = await describePacking(file, directory, interleaved, luma, header.length);
  const chunks = packed.chunks.flatMap(({ at, length }, position) =>
    PLANES.flatMap((plane) => {
      const range = ranges[plane * count + position];
      return range ? [{ ...range, at, length, plane }] : [];
    }),
  );
  return { header, size, packed: { ...packed, chunks } };
}

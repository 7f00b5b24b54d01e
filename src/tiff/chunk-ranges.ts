/** Byte ranges of the chunks of a TIFF, including holes and chunks without a stated length. */
import { MalformedTiffError } from '../errors.ts';
import type { DirectoryInfo } from './directory-info.ts';
import { type Directory, readNumbersAt, type TiffFile } from './read.ts';
import type { ChunkRange } from './slice-header.ts';
import { Compression, Tag } from './tags.ts';
import { yccBytes, yccPlaneSize } from './ycc-layout.ts';

/** A chunk of the master; a hole has no bytes. */
export interface NumberedChunk extends ChunkRange {
  /** Position in the master's chunk table. */
  readonly index: number;
}

/** Chunks of one plane, or of the image where samples are interleaved. */
function chunksPerPlane({ chunks }: Pick<DirectoryInfo, 'chunks'>): number {
  return chunks.across * chunks.down;
}

/** All chunks of the image, in all planes. */
export function chunkCount(info: DirectoryInfo): number {
  return chunksPerPlane(info) * (info.planar ? info.samplesPerPixel : 1);
}

/** Rows of the chunk: a tile is always complete, the last strip ends with the image. */
export function rowsOfChunk({ chunks, height }: DirectoryInfo, index: number): number {
  if (chunks.kind === 'tiles') return chunks.height;
  return Math.min(chunks.height, height - (index % chunks.down) * chunks.height);
}

/** Bytes of one uncompressed row of a chunk. */
export function bytesPerRow({ chunks, bitsPerSample, planar }: DirectoryInfo): number {
  const bits = planar ? (bitsPerSample[0] ?? 0) : bitsPerSample.reduce((sum, each) => sum + each, 0);
  return Math.ceil((chunks.width * bits) / 8);
}

/** Bytes of a chunk without compression. */
function storedBytes(info: DirectoryInfo, index: number): number {
  const rows = rowsOfChunk(info, index);
  const { ycc, planar, chunks } = info;
  if (!ycc) return bytesPerRow(info) * rows;
  if (!planar) return yccBytes(ycc, chunks.width, rows);
  const size = yccPlaneSize(ycc, Math.floor(index / chunksPerPlane(info)), chunks.width, rows);
  return size.width * size.height;
}

/** Bytes of one row of a chunk once its samples are decoded. */
export function decodedBytesPerRow(info: DirectoryInfo): number {
  const { mapping, chunks, planar, samplesPerPixel } = info;
  return mapping ? chunks.width * (planar ? 1 : samplesPerPixel) * (mapping.to / 8) : bytesPerRow(info);
}

/**
 * Byte ranges of chunks `first` to `first + count - 1`. Throws MalformedTiffError when the table
 * has fewer entries, and for a chunk whose place or length is not determined.
 */
export async function readChunkRanges(
  file: TiffFile,
  directory: Directory,
  info: DirectoryInfo,
  first: number,
  count: number,
): Promise<NumberedChunk[]> {
  const isTiled = info.chunks.kind === 'tiles' && directory.has(Tag.TileOffsets);
  const offsetTag = isTiled ? Tag.TileOffsets : Tag.StripOffsets;
  const countTag = isTiled ? Tag.TileByteCounts : Tag.StripByteCounts;
  const offsets = await readNumbersAt(file, directory, offsetTag, first, count);
  const byteCounts = directory.has(countTag) ? await readNumbersAt(file, directory, countTag, first, count) : [];
  return offsets.map((offset, at) => {
    return storedChunk(info, file.reader.size, { index: first + at, offset, byteCount: byteCounts[at] ?? 0 });
  });
}

/**
 * The bytes of a chunk as its table states them, or as they follow from it. A chunk without offset
 * and length is a hole (GDAL, SPARSE_OK). One that has only an offset is as long as its rows if it
 * is uncompressed; as in libtiff, a single compressed one extends to the end of the file. Throws
 * MalformedTiffError for any other chunk that lacks one of both.
 */
export function storedChunk(info: DirectoryInfo, fileSize: number, chunk: NumberedChunk): NumberedChunk {
  const { index, offset, byteCount } = chunk;
  if ((byteCount > 0 && offset > 0) || (byteCount === 0 && offset === 0)) return chunk;
  if (offset === 0) throw undetermined(info, index, 'a length but no place');
  if (info.compression === Compression.none) {
    return { index, offset, byteCount: storedBytes(info, index) };
  }
  if (chunkCount(info) > 1) throw undetermined(info, index, 'a place but no length');
  return { index, offset, byteCount: Math.max(0, fileSize - offset) };
}

function undetermined({ chunks }: DirectoryInfo, index: number, received: string): MalformedTiffError {
  const chunk = `${chunks.kind.slice(0, -1)} ${index}`;
  return new MalformedTiffError(`Expected a place and a length for ${chunk} but received ${received}`);
}

/**
 * A slice: a small TIFF around the chunks (strips or tiles) that cover a window of a large TIFF.
 * Nothing is decoded. All fields except size and offsets are the master's, in its byte order, so a
 * decoder that reads the master reads the slice. Tiles of planar masters are rearranged: see
 * `PlaneStack`.
 */
import { type ChunkColumn, columnFields, describeColumn, needsColumn } from './chunk-column.ts';
import { bytesPerRow, decodedBytesPerRow, type NumberedChunk } from './chunk-ranges.ts';
import type { DirectoryInfo } from './directory-info.ts';
import {
  describePacking,
  isUnpackable,
  needsUnpacking,
  packChunks,
  type PackedChunks,
  unpackedFields,
  unpackedRanges,
} from './packed-chunks.ts';
import { describeStack, hasPlanarTiles, type PlaneStack, stackFields } from './plane-stack.ts';
import type { Directory, TiffFile } from './read.ts';
import { gridOf, readGrid, type SliceGrid } from './slice-grid.ts';
import {
  type ChunkRange,
  type RawField,
  sliceFields,
  type StoredRect,
  withDecodedSamples,
  withNumber,
  writeSliceHeader,
} from './slice-header.ts';
import { Compression, Photometric, Tag } from './tags.ts';
import { hasYccPlanes, packYccPlanes } from './ycc-planes.ts';

/** A byte range of the master and its offset `at` in the slice. */
export interface SliceRead {
  readonly offset: number;
  readonly length: number;
  readonly at: number;
}

export interface Slice {
  /**
   * The part of the stored image that the slice holds: the window, widened to whole chunks. Tiles
   * may extend beyond the image.
   */
  readonly rect: StoredRect;
  /** Bytes of the slice. */
  readonly size: number;
  /** Header and directory: the first bytes of the slice. */
  readonly header: Uint8Array;
  /**
   * The chunks by offset in the slice, coalesced where adjacent both in the master and in the
   * slice.
   */
  readonly reads: readonly SliceRead[];
  /** Present when the slice decodes to stacked planes, which still have to be interleaved. */
  readonly stack?: PlaneStack;
  /** Present when the slice decodes to a column of chunks, which still have to be arranged. */
  readonly column?: ChunkColumn;
  /** Present when the slice is uncompressed and its chunks still have to be decoded into it. */
  readonly packed?: PackedChunks;
}

/** How chunks get into the slice: as stored, or decoded by our own decoders. */
export type SliceForm = 'stored' | 'unpacked';

/**
 * Plans the slice that covers a window of the stored image. Holes need chunks to be decoded, so a
 * slice that has some is unpacked, or a column where the compression has no decoder of our own.
 * Throws MalformedTiffError when a chunk has no entry in the chunk table or ends past the file.
 */
export async function planSlice(
  file: TiffFile,
  directory: Directory,
  info: DirectoryInfo,
  window: StoredRect,
  form: SliceForm = 'stored',
): Promise<Slice> {
  const isMapped = info.mapping !== undefined;
  const rows = form === 'stored' || isMapped ? await sliceUncompressedStrips(file, directory, info, window) : undefined;
  if (rows) return rows;
  const grid = gridOf(info, window);
  const ranges = await readGrid(file, directory, info, grid);
  const hasHoles = ranges.some(({ byteCount }) => byteCount === 0);
  if (hasYccPlanes(info)) {
    return { rect: grid.rect, reads: [], ...(await packYccPlanes(file, directory, info, grid.rect, ranges)) };
  }
  if (isUnpackable(info.compression) && (hasHoles || form === 'unpacked' || needsUnpacking(info))) {
    return unpackedSlice(file, directory, info, grid, ranges);
  }
  if (hasHoles || needsColumn(info)) return columnSlice(file, directory, info, grid, ranges);
  return storedSlice(file, directory, info, grid, ranges);
}

async function storedSlice(
  file: TiffFile,
  directory: Directory,
  info: DirectoryInfo,
  { rect }: SliceGrid,
  ranges: readonly NumberedChunk[],
): Promise<Slice> {
  const header = writeSliceHeader(file, await fieldsOf(file, directory, info, rect, ranges), ranges);
  return {
    rect,
    header: header.bytes,
    size: header.size,
    reads: coalesce(ranges, header.bytes.length),
    ...(await stackOf(file, directory, info, rect)),
  };
}

async function unpackedSlice(
  file: TiffFile,
  directory: Directory,
  info: DirectoryInfo,
  { rect }: SliceGrid,
  ranges: readonly NumberedChunk[],
): Promise<Slice> {
  const fields = unpackedFields(file, await fieldsOf(file, directory, info, rect, ranges));
  const header = writeSliceHeader(file, fields, unpackedRanges(info, ranges));
  return {
    rect,
    header: header.bytes,
    size: header.size,
    reads: [],
    packed: await describePacking(file, directory, info, ranges, header.bytes.length),
    ...(await stackOf(file, directory, info, rect)),
  };
}

async function columnSlice(
  file: TiffFile,
  directory: Directory,
  info: DirectoryInfo,
  grid: SliceGrid,
  ranges: readonly NumberedChunk[],
): Promise<Slice> {
  const stored = ranges.filter(({ byteCount }) => byteCount > 0);
  const header = writeSliceHeader(file, await columnFields(file, directory, info, stored), stored);
  return {
    rect: grid.rect,
    header: header.bytes,
    size: header.size,
    reads: coalesce(stored, header.bytes.length),
    column: await describeColumn(file, directory, info, grid, ranges),
  };
}

/** The fields of a slice that has the chunks of the master in their order. */
function fieldsOf(
  file: TiffFile,
  directory: Directory,
  info: DirectoryInfo,
  rect: StoredRect,
  ranges: readonly ChunkRange[],
): Promise<readonly RawField[]> {
  if (hasPlanarTiles(info)) return stackFields(file, directory, info, rect, ranges);
  return pictureFields(file, directory, info, rect, ranges.length);
}

async function stackOf(
  file: TiffFile,
  directory: Directory,
  info: DirectoryInfo,
  rect: StoredRect,
): Promise<Pick<Slice, 'stack'>> {
  return hasPlanarTiles(info) ? { stack: await describeStack(file, directory, info, rect) } : {};
}

/** libvips refuses tiles of PlanarConfiguration 2 even if there is only one plane. */
async function pictureFields(
  file: TiffFile,
  directory: Directory,
  info: DirectoryInfo,
  rect: StoredRect,
  chunkCount: number,
): Promise<RawField[]> {
  const fields = withDecodedSamples(file, await sliceFields(file, directory, rect, chunkCount), info);
  return info.samplesPerPixel === 1 ? withNumber(file, fields, Tag.PlanarConfiguration, 1) : fields;
}

/**
 * A slice of uncompressed strips, which can be cut at any row: one strip with exactly the rows of
 * the window. This reads images that are stored as a single strip block by block, too. Undefined
 * when the strips are compressed, planar, subsampled or padded.
 */
async function sliceUncompressedStrips(
  file: TiffFile,
  directory: Directory,
  info: DirectoryInfo,
  window: StoredRect,
): Promise<Slice | undefined> {
  const isUncompressed = info.compression === Compression.none && info.chunks.kind === 'strips' && !info.planar;
  // Rows of subsampled YCbCr are not stored one by one.
  if (!isUncompressed || info.photometric === Photometric.yCbCr) return undefined;
  return sliceRows(file, directory, info, window, bytesPerRow(info));
}

async function sliceRows(
  file: TiffFile,
  directory: Directory,
  info: DirectoryInfo,
  window: StoredRect,
  rowBytes: number,
): Promise<Slice | undefined> {
  const { height } = info.chunks;
  const strips = [Math.floor(window.top / height), Math.ceil(window.bottom / height)] as const;
  const ranges = await readGrid(file, directory, info, { columns: [0, 1], rows: strips });
  const parts: NumberedChunk[] = [];
  const lengths: number[] = [];
  for (const [index, range] of ranges.entries()) {
    const first = (strips[0] + index) * height;
    const end = Math.min(first + height, info.height);
    if (range.byteCount !== (end - first) * rowBytes) return undefined;
    const top = Math.max(first, window.top);
    const offset = range.offset + (top - first) * rowBytes;
    const count = Math.min(end, window.bottom) - top;
    parts.push({ index: range.index, offset, byteCount: count * rowBytes });
    lengths.push(count * decodedBytesPerRow(info));
  }
  const rect = { left: 0, right: info.width, top: window.top, bottom: window.bottom };
  const whole = { offset: 0, byteCount: lengths.reduce((sum, length) => sum + length, 0) };
  const fields = withDecodedSamples(file, await sliceFields(file, directory, rect, 1), info);
  const header = writeSliceHeader(file, withNumber(file, fields, Tag.RowsPerStrip, rect.bottom - rect.top), [whole]);
  const slice = { rect, header: header.bytes, size: header.size };
  const dataAt = header.bytes.length;
  if (!info.mapping) return { ...slice, reads: coalesce(parts, dataAt) };
  return { ...slice, reads: [], packed: await packChunks(file, directory, info, parts, lengths, dataAt) };
}

function coalesce(ranges: readonly ChunkRange[], dataAt: number): SliceRead[] {
  const reads: { offset: number; length: number; at: number }[] = [];
  let at = dataAt;
  for (const { offset, byteCount } of ranges) {
    const last = reads.at(-1);
    if (byteCount > 0 && last && last.offset + last.length === offset) last.length += byteCount;
    else if (byteCount > 0) reads.push({ offset, length: byteCount, at });
    at += byteCount;
  }
  return reads;
}

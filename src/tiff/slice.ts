/**
 * A slice: a small TIFF around the chunks (strips or tiles) that cover a window of a large TIFF.
 * Nothing is decoded. All fields except size and offsets are the master's, in its byte order, so a
 * decoder that reads the master reads the slice. Tiles of planar masters are rearranged: see
 * `PlaneStack`.
 */
import { MalformedTiffError } from '../errors.ts';
import type { DirectoryInfo } from './directory-info.ts';
import { describeStack, hasPlanarTiles, type PlaneStack, stackFields } from './plane-stack.ts';
import { type Directory, readNumbersAt, type TiffFile } from './read.ts';
import {
  type ChunkRange,
  type RawField,
  sliceFields,
  type StoredRect,
  withExtraSamples,
  withNumber,
  writeSliceHeader,
} from './slice-header.ts';
import { Compression, Photometric, Tag } from './tags.ts';

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
}

/**
 * Plans the slice that covers a window of the stored image.
 * Throws MalformedTiffError when a chunk has no entry in the chunk table or ends past the file.
 */
export async function planSlice(
  file: TiffFile,
  directory: Directory,
  info: DirectoryInfo,
  window: StoredRect,
): Promise<Slice> {
  const rows = await sliceUncompressedStrips(file, directory, info, window);
  return rows ?? sliceChunks(file, directory, info, window);
}

async function sliceChunks(
  file: TiffFile,
  directory: Directory,
  info: DirectoryInfo,
  window: StoredRect,
): Promise<Slice> {
  const { chunks } = info;
  const columns = [Math.floor(window.left / chunks.width), Math.ceil(window.right / chunks.width)] as const;
  const rows = [Math.floor(window.top / chunks.height), Math.ceil(window.bottom / chunks.height)] as const;
  const whole: StoredRect = {
    left: columns[0] * chunks.width,
    right: columns[1] * chunks.width,
    top: rows[0] * chunks.height,
    bottom: rows[1] * chunks.height,
  };
  const rect = chunks.kind === 'tiles' ? whole : withinImage(whole, info);
  const ranges = await readChunkRanges(file, directory, info, columns, rows);
  const isStack = hasPlanarTiles(info);
  const fields = await (isStack
    ? stackFields(file, directory, info, rect, ranges)
    : pictureFields(file, directory, info, rect, ranges.length));
  const header = writeSliceHeader(file, fields, ranges);
  return {
    rect,
    header: header.bytes,
    size: header.size,
    reads: coalesce(ranges, header.bytes.length),
    ...(isStack ? { stack: await describeStack(file, directory, info, rect) } : {}),
  };
}

/**
 * Clips strips to the image. Tiles are not clipped: libvips refuses an image much smaller than its
 * tiles.
 */
function withinImage(rect: StoredRect, { width, height }: DirectoryInfo): StoredRect {
  return { ...rect, right: Math.min(rect.right, width), bottom: Math.min(rect.bottom, height) };
}

/** libvips refuses tiles of PlanarConfiguration 2 even if there is only one plane. */
async function pictureFields(
  file: TiffFile,
  directory: Directory,
  info: DirectoryInfo,
  rect: StoredRect,
  chunkCount: number,
): Promise<RawField[]> {
  const fields = withExtraSamples(file, await sliceFields(file, directory, rect, chunkCount), info);
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
  const rowBits = info.width * info.bitsPerSample.reduce((sum, bits) => sum + bits, 0);
  return sliceRows(file, directory, info, window, Math.ceil(rowBits / 8));
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
  const ranges = await readChunkRanges(file, directory, info, [0, 1], strips);
  const parts: ChunkRange[] = [];
  for (const [index, range] of ranges.entries()) {
    const first = (strips[0] + index) * height;
    const end = Math.min(first + height, info.height);
    if (range.byteCount !== (end - first) * rowBytes) return undefined;
    const top = Math.max(first, window.top);
    const offset = range.offset + (top - first) * rowBytes;
    parts.push({ offset, byteCount: (Math.min(end, window.bottom) - top) * rowBytes });
  }
  const rect = { left: 0, right: info.width, top: window.top, bottom: window.bottom };
  const whole = { offset: 0, byteCount: parts.reduce((sum, { byteCount }) => sum + byteCount, 0) };
  const fields = withExtraSamples(file, await sliceFields(file, directory, rect, 1), info);
  const header = writeSliceHeader(file, withNumber(file, fields, Tag.RowsPerStrip, rect.bottom - rect.top), [whole]);
  return { rect, header: header.bytes, size: header.size, reads: coalesce(parts, header.bytes.length) };
}

/**
 * Ranges of the chunks, plane after plane, row after row: the order of the slice's own chunk table.
 */
async function readChunkRanges(
  file: TiffFile,
  directory: Directory,
  info: DirectoryInfo,
  columns: readonly [number, number],
  rows: readonly [number, number],
): Promise<ChunkRange[]> {
  const { kind, across, down } = info.chunks;
  const tiled = kind === 'tiles' && directory.has(Tag.TileOffsets);
  const offsetTag = tiled ? Tag.TileOffsets : Tag.StripOffsets;
  const countTag = tiled ? Tag.TileByteCounts : Tag.StripByteCounts;
  const ranges: ChunkRange[] = [];
  const run = columns[1] - columns[0];
  // The entries of whole rows of chunks are adjacent in the table and are read together.
  const rowsAtOnce = run === across ? rows[1] - rows[0] : 1;
  for (let plane = 0; plane < (info.planar ? info.samplesPerPixel : 1); plane++) {
    for (let row = rows[0]; row < rows[1]; row += rowsAtOnce) {
      const first = plane * across * down + row * across + columns[0];
      const count = run * rowsAtOnce;
      const offsets = await readNumbersAt(file, directory, offsetTag, first, count);
      const byteCounts = directory.has(countTag)
        ? await readNumbersAt(file, directory, countTag, first, count)
        : offsets.map((offset) => file.reader.size - offset);
      offsets.forEach((offset, index) => ranges.push(rangeOf(file, first + index, offset, byteCounts[index] ?? 0)));
    }
  }
  return ranges;
}

function rangeOf(file: TiffFile, chunk: number, offset: number, byteCount: number): ChunkRange {
  if (offset + byteCount > file.reader.size) {
    throw new MalformedTiffError(
      `Expected an end within ${file.reader.size} bytes for chunk ${chunk} but received 0x${(offset + byteCount).toString(16)}`,
    );
  }
  return { offset, byteCount };
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

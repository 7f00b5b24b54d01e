/**
 * A small TIFF around the strips or tiles that cover a rectangle of a large one. Nothing is decoded: the fields are the
 * master's own but for size and offsets, in its own byte order, so any decoder of the master decodes the slice. Only tiles
 * of one plane each are put into another form: see `PlaneStack`.
 */
import { MalformedTiffError } from '../errors.ts';
import type { DirectoryInfo } from './directory-info.ts';
import { describeStack, isInPlanesOfTiles, type PlaneStack, stackFields } from './plane-stack.ts';
import { type Directory, readNumbersAt, type TiffFile } from './read.ts';
import { type Place, type RawField, sliceFields, type StoredRect, withNumber, writeHead } from './slice-head.ts';
import { Compression, Photometric, Tag } from './tags.ts';

/** A run of bytes of the master and where it goes in the slice. */
export interface SliceRead {
  readonly offset: number;
  readonly length: number;
  readonly at: number;
}

export interface Slice {
  /**
   * What the slice holds of the master, in pixels: the rectangle asked for, widened to whole strips or tiles, of which the
   * last ones reach beyond the image.
   */
  readonly rect: StoredRect;
  /** Bytes of the slice. */
  readonly size: number;
  /** Header and directory, to stand at the start of the slice. */
  readonly head: Uint8Array;
  /** The strips or tiles, coalesced where they lie together both in the master and in the slice; by offset in the slice. */
  readonly reads: readonly SliceRead[];
  /** The slice holds planes one below the other, to be interleaved: not the picture itself. */
  readonly stack?: PlaneStack;
}

/**
 * Plans the slice that covers a rectangle of the stored image.
 * Throws MalformedTiffError when a strip or tile has no place in the file.
 */
export async function planSlice(
  file: TiffFile,
  directory: Directory,
  info: DirectoryInfo,
  wanted: StoredRect,
): Promise<Slice> {
  const rows = rowsOfUncompressedStrips(file, directory, info, wanted);
  const uncompressed = rows && (await rows);
  return uncompressed ?? planChunks(file, directory, info, wanted);
}

async function planChunks(
  file: TiffFile,
  directory: Directory,
  info: DirectoryInfo,
  wanted: StoredRect,
): Promise<Slice> {
  const { chunks } = info;
  const columns = [Math.floor(wanted.left / chunks.width), Math.ceil(wanted.right / chunks.width)] as const;
  const rows = [Math.floor(wanted.top / chunks.height), Math.ceil(wanted.bottom / chunks.height)] as const;
  const whole: StoredRect = {
    left: columns[0] * chunks.width,
    right: columns[1] * chunks.width,
    top: rows[0] * chunks.height,
    bottom: rows[1] * chunks.height,
  };
  const rect = chunks.kind === 'tiles' ? whole : withinImage(whole, info);
  const places = await readPlaces(file, directory, info, columns, rows);
  const isStack = isInPlanesOfTiles(info);
  const fields = await (isStack
    ? stackFields(file, directory, info, rect, places)
    : pictureFields(file, directory, info, rect, places.length));
  const head = writeHead(file, fields, places);
  return {
    rect,
    head: head.bytes,
    size: head.size,
    reads: coalesce(places, head.bytes.length),
    ...(isStack ? { stack: await describeStack(file, directory, info, rect) } : {}),
  };
}

/** The last strip ends with the image. Tiles are whole, and libvips refuses pictures that are small for their tiles. */
function withinImage(rect: StoredRect, { width, height }: DirectoryInfo): StoredRect {
  return { ...rect, right: Math.min(rect.right, width), bottom: Math.min(rect.bottom, height) };
}

/** libvips refuses tiles of separate planes even where there is one plane only. */
async function pictureFields(
  file: TiffFile,
  directory: Directory,
  info: DirectoryInfo,
  rect: StoredRect,
  chunks: number,
): Promise<RawField[]> {
  const fields = await sliceFields(file, directory, rect, chunks);
  return info.samplesPerPixel === 1 ? withNumber(file, fields, Tag.PlanarConfiguration, 1) : fields;
}

/**
 * Uncompressed strips can be cut at any row: the slice is one strip of exactly the rows wanted. Some programs write a
 * whole image as a single strip; even that is read by blocks. Undefined where strips are compressed, planar or padded.
 */
function rowsOfUncompressedStrips(
  file: TiffFile,
  directory: Directory,
  info: DirectoryInfo,
  wanted: StoredRect,
): Promise<Slice | undefined> | undefined {
  const { chunks } = info;
  const isUncompressed = info.compression === Compression.none && chunks.kind === 'strips' && !info.planar;
  // YCbCr samples are subsampled; its rows are not all alike.
  if (!isUncompressed || info.photometric === Photometric.yCbCr) return undefined;
  const rowBits = info.width * info.bitsPerSample.reduce((sum, bits) => sum + bits, 0);
  return sliceRows(file, directory, info, wanted, Math.ceil(rowBits / 8));
}

async function sliceRows(
  file: TiffFile,
  directory: Directory,
  info: DirectoryInfo,
  wanted: StoredRect,
  rowBytes: number,
): Promise<Slice | undefined> {
  const { height } = info.chunks;
  const strips = [Math.floor(wanted.top / height), Math.ceil(wanted.bottom / height)] as const;
  const places = await readPlaces(file, directory, info, [0, 1], strips);
  const parts: Place[] = [];
  for (const [index, place] of places.entries()) {
    const first = (strips[0] + index) * height;
    const end = Math.min(first + height, info.height);
    if (place.byteCount !== (end - first) * rowBytes) return undefined;
    const top = Math.max(first, wanted.top);
    const offset = place.offset + (top - first) * rowBytes;
    parts.push({ offset, byteCount: (Math.min(end, wanted.bottom) - top) * rowBytes });
  }
  const rect = { left: 0, right: info.width, top: wanted.top, bottom: wanted.bottom };
  const whole = { offset: 0, byteCount: parts.reduce((sum, { byteCount }) => sum + byteCount, 0) };
  const fields = await sliceFields(file, directory, rect, 1);
  const head = writeHead(file, withNumber(file, fields, Tag.RowsPerStrip, rect.bottom - rect.top), [whole]);
  return { rect, head: head.bytes, size: head.size, reads: coalesce(parts, head.bytes.length) };
}

/** Where the chunks lie, plane after plane, row after row: the order in which the slice's own table names them. */
async function readPlaces(
  file: TiffFile,
  directory: Directory,
  info: DirectoryInfo,
  columns: readonly [number, number],
  rows: readonly [number, number],
): Promise<Place[]> {
  const { kind, across, down } = info.chunks;
  const tiled = kind === 'tiles' && directory.has(Tag.TileOffsets);
  const offsetTag = tiled ? Tag.TileOffsets : Tag.StripOffsets;
  const countTag = tiled ? Tag.TileByteCounts : Tag.StripByteCounts;
  const places: Place[] = [];
  const run = columns[1] - columns[0];
  // Whole rows of chunks lie together in the table and are read at once.
  const rowsAtOnce = run === across ? rows[1] - rows[0] : 1;
  for (let plane = 0; plane < (info.planar ? info.samplesPerPixel : 1); plane++) {
    for (let row = rows[0]; row < rows[1]; row += rowsAtOnce) {
      const first = plane * across * down + row * across + columns[0];
      const count = run * rowsAtOnce;
      const offsets = await readNumbersAt(file, directory, offsetTag, first, count);
      const byteCounts = directory.has(countTag)
        ? await readNumbersAt(file, directory, countTag, first, count)
        : offsets.map((offset) => file.reader.size - offset);
      offsets.forEach((offset, index) => places.push(placeOf(file, first + index, offset, byteCounts[index] ?? 0)));
    }
  }
  return places;
}

function placeOf(file: TiffFile, chunk: number, offset: number, byteCount: number): Place {
  if (offset + byteCount > file.reader.size) {
    throw new MalformedTiffError(
      `Expected chunk ${chunk} within ${file.reader.size} bytes but it ends at 0x${(offset + byteCount).toString(16)}`,
    );
  }
  return { offset, byteCount };
}

function coalesce(places: readonly Place[], dataAt: number): SliceRead[] {
  const reads: { offset: number; length: number; at: number }[] = [];
  let at = dataAt;
  for (const { offset, byteCount } of places) {
    const last = reads.at(-1);
    if (byteCount > 0 && last && last.offset + last.length === offset) last.length += byteCount;
    else if (byteCount > 0) reads.push({ offset, length: byteCount, at });
    at += byteCount;
  }
  return reads;
}

/**
 * A slice of a tiled master with PlanarConfiguration 2 (one plane per sample). libvips reads such
 * strips but not such tiles, so the slice is written as an image of one sample per pixel in which
 * the planes are stacked vertically. The tiles and their order are the master's; the last tile row
 * of every plane but the last is complete.
 *
 * After decoding, the planes are interleaved and written after a second header, which has the
 * master's fields about pixels.
 */
import { MalformedTiffError } from '../errors.ts';
import type { DirectoryInfo } from './directory-info.ts';
import type { Directory, TiffFile } from './read.ts';
import {
  type ChunkRange,
  type RawField,
  type StoredRect,
  sliceFields,
  withDecodedSamples,
  withNumbers,
  writeSliceHeader,
} from './slice-header.ts';
import { Compression, Photometric, Tag } from './tags.ts';

/** Parameters for interleaving a decoded slice of stacked planes. */
export interface PlaneStack {
  readonly planes: number;
  /** Distance between the first rows of two consecutive planes. Rows. */
  readonly rowsApart: number;
  readonly bitDepth: 8 | 16;
  /** Byte order of the samples after `header`. */
  readonly littleEndian: boolean;
  /** Header and directory of an uncompressed TIFF; interleaved samples follow, without padding. */
  readonly header: Uint8Array;
}

/** Fields that decoding of a single plane's tile depends on. All others describe whole pixels. */
const tileDecodingTags: ReadonlySet<number> = new Set([
  Tag.Compression,
  Tag.FillOrder,
  Tag.Predictor,
  Tag.TileWidth,
  Tag.TileLength,
  Tag.JpegTables,
]);

/**
 * Fields about tiles and their compression, which the uncompressed interleaved image does not have.
 */
const tileTags: ReadonlySet<number> = new Set([
  ...tileDecodingTags,
  Tag.TileOffsets,
  Tag.TileByteCounts,
  Tag.StripOffsets,
  Tag.StripByteCounts,
  Tag.RowsPerStrip,
]);

/** True for a tiled master with one plane per sample. */
export function hasPlanarTiles({ planar, chunks }: Pick<DirectoryInfo, 'planar' | 'chunks'>): boolean {
  return planar && chunks.kind === 'tiles';
}

/**
 * The fields of a slice that holds the planes of `rect` stacked vertically in the tiles `ranges`.
 */
export async function stackFields(
  file: TiffFile,
  directory: Directory,
  info: DirectoryInfo,
  rect: StoredRect,
  ranges: readonly ChunkRange[],
): Promise<readonly RawField[]> {
  const { planes, rowsApart, bitDepth } = shapeOf(info, rect);
  const bottom = (planes - 1) * rowsApart + rect.bottom - rect.top;
  const tileFields = new Map([...directory].filter(([tag]) => tileDecodingTags.has(tag)));
  const fields = await sliceFields(
    file,
    tileFields,
    { left: rect.left, right: rect.right, top: 0, bottom },
    ranges.length,
  );
  const grey = { [Tag.BitsPerSample]: bitDepth, [Tag.PhotometricInterpretation]: Photometric.blackIsZero };
  return withNumbers(file, fields, grey);
}

/**
 * The parameters for interleaving the decoded stack.
 * Throws MalformedTiffError unless all samples have 8 or all have 16 bits.
 */
export async function describeStack(
  file: TiffFile,
  directory: Directory,
  info: DirectoryInfo,
  rect: StoredRect,
): Promise<PlaneStack> {
  const shape = shapeOf(info, rect);
  const [width, height] = [rect.right - rect.left, rect.bottom - rect.top];
  const pixelFields = new Map([...directory].filter(([tag]) => !tileTags.has(tag)));
  const own = withDecodedSamples(file, await sliceFields(file, pixelFields, rect, 1), info);
  const fields = withNumbers(file, own, {
    [Tag.Compression]: Compression.none,
    [Tag.PlanarConfiguration]: 1,
    [Tag.RowsPerStrip]: height,
  });
  const samples = { offset: 0, byteCount: width * height * shape.planes * (shape.bitDepth / 8) };
  return { ...shape, littleEndian: file.littleEndian, header: writeSliceHeader(file, fields, [samples]).bytes };
}

function shapeOf(
  { bitsPerSample, mapping, samplesPerPixel, chunks }: DirectoryInfo,
  rect: StoredRect,
): Pick<PlaneStack, 'planes' | 'rowsApart' | 'bitDepth'> {
  const bitDepth = mapping?.to ?? bitsPerSample[0];
  const isEven = mapping !== undefined || bitsPerSample.every((bits) => bits === bitDepth);
  if ((bitDepth !== 8 && bitDepth !== 16) || !isEven) {
    throw new MalformedTiffError(
      `Expected 8 or 16 bits for all samples of planar tiles but received ${bitsPerSample.join(', ')}`,
    );
  }
  const rowsApart = Math.ceil((rect.bottom - rect.top) / chunks.height) * chunks.height;
  return { planes: samplesPerPixel, rowsApart, bitDepth };
}

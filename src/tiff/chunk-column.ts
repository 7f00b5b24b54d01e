/**
 * A slice whose chunks form one column of strips, which libtiff decodes whatever their samples
 * mean. libvips decodes JPEG tiles itself, in the usual colour models without alpha only, and a
 * hole cannot be written in JPEG or WebP. After decoding, the chunks are arranged and written after
 * a second header, which has the master's fields about pixels.
 */
import { type NumberedChunk, rowsOfChunk } from './chunk-ranges.ts';
import type { DirectoryInfo } from './directory-info.ts';
import { readFillValue } from './fill-value.ts';
import type { Directory, TiffFile } from './read.ts';
import type { SliceGrid } from './slice-grid.ts';
import {
  type RawField,
  sliceFields,
  type StoredRect,
  withDecodedSamples,
  withNumbers,
  writeSliceHeader,
} from './slice-header.ts';
import { Compression, FieldType, Photometric, Tag } from './tags.ts';

/** A chunk of the column, or a hole, and its place in the arranged picture. */
export interface PlacedChunk {
  /** Column and row of its first pixel in the picture. */
  readonly left: number;
  readonly top: number;
  readonly rows: number;
  /** First of its samples within a pixel of the picture. */
  readonly sample: number;
  readonly isHole: boolean;
}

/** Parameters for arranging a decoded column. */
export interface ChunkColumn {
  /** Pixels of a row of the column. */
  readonly width: number;
  /** Rows of all chunks of the column. */
  readonly height: number;
  /** Samples of 8 bits of a decoded pixel. */
  readonly samples: number;
  /** Samples of a pixel of the arranged picture: more where planes are stored separately. */
  readonly pictureSamples: number;
  readonly chunks: readonly PlacedChunk[];
  /** Value of every sample of a hole. */
  readonly fill: number;
  /** Header and directory of an uncompressed TIFF; arranged samples follow, without padding. */
  readonly header: Uint8Array;
}

/** JPEG tiles that libvips decodes: samples of a pixel by colour model. */
const decodableTiles: Readonly<Record<number, number>> = {
  [Photometric.whiteIsZero]: 1,
  [Photometric.blackIsZero]: 1,
  [Photometric.rgb]: 3,
  [Photometric.yCbCr]: 3,
  [Photometric.cmyk]: 4,
};

/** Whether the chunks cannot be decoded where they are. */
export function needsColumn({ compression, chunks, planar, photometric, samplesPerPixel }: DirectoryInfo): boolean {
  const isJpegTile = compression === Compression.jpeg && chunks.kind === 'tiles' && !planar;
  return isJpegTile && decodableTiles[photometric] !== samplesPerPixel;
}

/** Fields that decoding of a chunk depends on, whatever its samples mean. */
const chunkTags: ReadonlySet<number> = new Set([
  Tag.Compression,
  Tag.FillOrder,
  Tag.JpegTables,
  Tag.YCbCrCoefficients,
  Tag.YCbCrSubSampling,
  Tag.YCbCrPositioning,
  Tag.ReferenceBlackWhite,
]);

/** Of chunks that are decoded, fields that no longer apply. */
const decodedTags: ReadonlySet<number> = new Set([
  ...chunkTags,
  Tag.TileWidth,
  Tag.TileLength,
  Tag.TileOffsets,
  Tag.TileByteCounts,
  Tag.StripOffsets,
  Tag.StripByteCounts,
  Tag.RowsPerStrip,
  Tag.Predictor,
]);

const UNASSOCIATED_ALPHA = 2;

/** The fields of the column of these chunks. */
export async function columnFields(
  file: TiffFile,
  directory: Directory,
  info: DirectoryInfo,
  stored: readonly NumberedChunk[],
): Promise<readonly RawField[]> {
  const bottom = heightOf(info, stored);
  const rect = { left: 0, right: info.chunks.width, top: 0, bottom };
  const tags = new Map([...directory].filter(([tag]) => chunkTags.has(tag)));
  const samples = columnSamples(info);
  const bits = shorts(file, Tag.BitsPerSample, new Array<number>(samples).fill(8));
  const numbers = {
    [Tag.PhotometricInterpretation]: samples === 3 && isYcc(info) ? Photometric.yCbCr : plainModel(samples),
    [Tag.SamplesPerPixel]: samples,
    [Tag.RowsPerStrip]: info.chunks.height,
    // Alpha is not applied: the decoded samples are those that are stored.
    ...(samples % 2 === 0 ? { [Tag.ExtraSamples]: UNASSOCIATED_ALPHA } : {}),
  };
  const fields = [...(await sliceFields(file, tags, rect, stored.length)), bits];
  return withNumbers(file, fields, numbers);
}

/** The parameters for arranging the decoded column in the rectangle of the slice. */
export async function describeColumn(
  file: TiffFile,
  directory: Directory,
  info: DirectoryInfo,
  { columns, rows, rect }: SliceGrid,
  ranges: readonly NumberedChunk[],
): Promise<ChunkColumn> {
  const across = columns[1] - columns[0];
  const perPlane = across * (rows[1] - rows[0]);
  const chunks = ranges.map(({ index, byteCount }, position) => ({
    left: (position % across) * info.chunks.width,
    top: Math.floor((position % perPlane) / across) * info.chunks.height,
    rows: rowsOfChunk(info, index),
    sample: Math.floor(position / perPlane),
    isHole: byteCount === 0,
  }));
  return {
    width: info.chunks.width,
    height: heightOf(
      info,
      ranges.filter(({ byteCount }) => byteCount > 0),
    ),
    samples: columnSamples(info),
    pictureSamples: info.samplesPerPixel,
    chunks,
    fill: await readFillValue(file, directory, { bitsPerSample: [8] }),
    header: await pictureHeader(file, directory, info, rect),
  };
}

/** Header of the arranged picture: the master's fields, with YCbCr decoded to RGB. */
async function pictureHeader(
  file: TiffFile,
  directory: Directory,
  info: DirectoryInfo,
  rect: StoredRect,
): Promise<Uint8Array> {
  const [width, height] = [rect.right - rect.left, rect.bottom - rect.top];
  const pixelFields = new Map([...directory].filter(([tag]) => !decodedTags.has(tag)));
  const own = withDecodedSamples(file, await sliceFields(file, pixelFields, rect, 1), info);
  const fields = withNumbers(file, own, {
    [Tag.Compression]: Compression.none,
    [Tag.PlanarConfiguration]: 1,
    [Tag.RowsPerStrip]: height,
    ...(isYcc(info) ? { [Tag.PhotometricInterpretation]: Photometric.rgb } : {}),
  });
  return writeSliceHeader(file, fields, [{ offset: 0, byteCount: width * height * info.samplesPerPixel }]).bytes;
}

function isYcc({ photometric, compression }: DirectoryInfo): boolean {
  return photometric === Photometric.yCbCr && compression === Compression.jpeg;
}

function columnSamples({ planar, samplesPerPixel }: DirectoryInfo): number {
  return planar ? 1 : samplesPerPixel;
}

/** A colour model whose samples decoders return as they are stored. */
function plainModel(samples: number): number {
  return samples <= 2 ? Photometric.blackIsZero : Photometric.rgb;
}

function heightOf(info: DirectoryInfo, chunks: readonly NumberedChunk[]): number {
  return chunks.reduce((sum, { index }) => sum + rowsOfChunk(info, index), 0);
}

function shorts(file: TiffFile, tag: number, values: readonly number[]): RawField {
  const bytes = new Uint8Array(2 * values.length);
  values.forEach((value, index) => {
    new DataView(bytes.buffer).setUint16(2 * index, value, file.littleEndian);
  });
  return { tag, type: FieldType.SHORT, count: values.length, bytes };
}

/** Slices whose chunks our own decoders decode into an uncompressed TIFF of the same grid. */
import { decodedBytesPerRow, type NumberedChunk, rowsOfChunk } from './chunk-ranges.ts';
import type { DirectoryInfo } from './directory-info.ts';
import { readFillValue } from './fill-value.ts';
import { type Directory, readNumber, type TiffFile } from './read.ts';
import type { SampleMapping } from './sample-mapping.ts';
import { type ChunkRange, type RawField, withNumber } from './slice-header.ts';
import { Compression, Tag } from './tags.ts';
import type { YccLayout } from './ycc-layout.ts';

/** How the samples of a chunk are coded. */
export interface ChunkCoding {
  readonly compression: number;
  readonly t4Options: number;
  /** 2: the bits of every byte are in reverse order. */
  readonly fillOrder: number;
  /** 2: horizontal differencing (TIFF 6.0, section 14). */
  readonly predictor: number;
  /** Bits of a stored sample. */
  readonly bits: number;
  /** Present where samples change when they are decoded. */
  readonly mapping?: SampleMapping;
  /** Present where data units of YCbCr become RGB. */
  readonly ycc?: YccLayout;
  /** Samples of a pixel within the chunk. */
  readonly samples: number;
  readonly littleEndian: boolean;
  /** Pixels of a row of the chunk. */
  readonly width: number;
}

/** Compressions that src/imaging/unpack decodes. */
const unpackable: ReadonlySet<number> = new Set([
  Compression.none,
  Compression.ccittRle,
  Compression.ccittT4,
  Compression.ccittT6,
  Compression.lzw,
  Compression.deflate,
  Compression.adobeDeflate,
  Compression.packbits,
  Compression.zstd,
  Compression.lzma,
]);

export function isUnpackable(compression: number): boolean {
  return unpackable.has(compression);
}

/** Whether libvips does not decode the compression, or the samples. */
export function needsUnpacking({
  compression,
  mapping,
  ycc,
}: Pick<DirectoryInfo, 'compression' | 'mapping' | 'ycc'>): boolean {
  const isOwn = compression === Compression.zstd || compression === Compression.lzma;
  return isOwn || mapping !== undefined || ycc !== undefined;
}

/** A chunk of the master, and its place among the decoded chunks. */
export interface PackedChunk extends NumberedChunk {
  /** 0 luma, 1 Cb, 2 Cr; the three chunks of one place follow each other. */
  readonly plane?: 0 | 1 | 2;
  /** Offset of its decoded rows in the slice, and their length. Bytes. */
  readonly at: number;
  readonly length: number;
}

export interface PackedChunks {
  readonly coding: ChunkCoding;
  /** In the order of the slice. */
  readonly chunks: readonly PackedChunk[];
  /** Value of every sample of a hole, once it is decoded. */
  readonly fill: number;
  /** The name of a chunk in messages: strip or tile. */
  readonly kind: string;
}

/** Fields about compression, which an uncompressed slice does not have. */
const packingTags: ReadonlySet<number> = new Set([
  Tag.Compression,
  Tag.FillOrder,
  Tag.Predictor,
  Tag.T4Options,
  Tag.T6Options,
]);

/** The fields of a slice for the same chunks without compression. */
export function unpackedFields(file: TiffFile, fields: readonly RawField[]): readonly RawField[] {
  const others = fields.filter(({ tag }) => !packingTags.has(tag));
  return withNumber(file, others, Tag.Compression, Compression.none);
}

/** Byte counts of the chunks once they are decoded. */
export function unpackedRanges(info: DirectoryInfo, ranges: readonly NumberedChunk[]): ChunkRange[] {
  const rowBytes = decodedBytesPerRow(info);
  return ranges.map(({ index }) => ({ offset: 0, byteCount: rowBytes * rowsOfChunk(info, index) }));
}

/** Describes how the chunks are decoded into the slice, from offset `dataAt` of it on. */
export async function describePacking(
  file: TiffFile,
  directory: Directory,
  info: DirectoryInfo,
  ranges: readonly NumberedChunk[],
  dataAt: number,
): Promise<PackedChunks> {
  const lengths = unpackedRanges(info, ranges).map(({ byteCount }) => byteCount);
  return packChunks(file, directory, info, ranges, lengths, dataAt);
}

/** As `describePacking`, for chunks that decode to the given lengths. Bytes. */
export async function packChunks(
  file: TiffFile,
  directory: Directory,
  info: DirectoryInfo,
  ranges: readonly NumberedChunk[],
  lengths: readonly number[],
  dataAt: number,
): Promise<PackedChunks> {
  let at = dataAt;
  const chunks = ranges.map((range, position) => {
    const length = lengths[position] ?? 0;
    at += length;
    return { ...range, at: at - length, length };
  });
  const { mapping, ycc, bitsPerSample } = info;
  const [bits = 8] = bitsPerSample;
  return {
    coding: {
      compression: info.compression,
      t4Options: await readNumber(file, directory, Tag.T4Options, 0),
      fillOrder: info.fillOrder,
      predictor: await readNumber(file, directory, Tag.Predictor, 1),
      bits,
      ...(mapping ? { mapping } : {}),
      ...(ycc ? { ycc } : {}),
      samples: info.planar ? 1 : info.samplesPerPixel,
      littleEndian: file.littleEndian,
      width: info.chunks.width,
    },
    chunks,
    fill: await readFillValue(file, directory, info),
    kind: info.chunks.kind.slice(0, -1),
  };
}

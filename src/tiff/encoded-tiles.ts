import { MalformedTiffError } from '../errors.ts';
import { describeDirectory, type DirectoryInfo, readChunkTable } from './directory-info.ts';
import type { TileEncoding } from './pyramid-fields.ts';
import { memoryReader } from '../bytes/range-reader.ts';
import { type Directory, readBytes, readNumbers, readTiff, type TiffFile } from './read.ts';
import { Tag } from './tags.ts';

/** The tiles of one level as written by an encoder. */
export interface EncodedTiles {
  readonly across: number;
  readonly down: number;
  /** Row by row; the arrays are views into the encoder's file. */
  readonly tiles: readonly Uint8Array[];
  readonly encoding: TileEncoding;
}

/** Extracts the encoded tiles of every directory, in order, from a tiled TIFF in memory. */
export async function takeTiles(bytes: Uint8Array): Promise<EncodedTiles[]> {
  const file = await readTiff(memoryReader(bytes));
  return Promise.all(file.directories.map((directory) => tilesOf(bytes, file, directory)));
}

async function tilesOf(bytes: Uint8Array, file: TiffFile, directory: Directory): Promise<EncodedTiles> {
  const info = await describeDirectory(file, directory);
  if (info.chunks.kind !== 'tiles' || info.planar) {
    const received = info.planar ? `planar ${info.chunks.kind}` : info.chunks.kind;
    throw new MalformedTiffError(
      `Expected tiles of interleaved samples for the encoded level but received ${received}`,
    );
  }
  const table = await readChunkTable(file, directory, info);
  return {
    across: info.chunks.across,
    down: info.chunks.down,
    tiles: table.offsets.map((offset, index) => bytes.subarray(offset, offset + (table.byteCounts[index] ?? 0))),
    encoding: await readTileEncoding(file, directory, info),
  };
}

/** The fields of a directory that decoding of its tiles depends on. */
export async function readTileEncoding(
  file: TiffFile,
  directory: Directory,
  info: DirectoryInfo,
): Promise<TileEncoding> {
  const tables = await readBytes(file, directory, Tag.JpegTables);
  return {
    compression: info.compression,
    photometric: info.photometric,
    bitsPerSample: info.bitsPerSample,
    sampleFormat: info.sampleFormat,
    extraSamples: info.extraSamples,
    predictor: (await readNumbers(file, directory, Tag.Predictor))?.[0],
    subsampling: await readNumbers(file, directory, Tag.YCbCrSubSampling),
    referenceBlackWhite: await readNumbers(file, directory, Tag.ReferenceBlackWhite),
    jpegTables: tables && btoa(String.fromCharCode(...tables)),
  };
}

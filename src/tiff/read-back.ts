/**
 * Reads a pyramid back with a third-party reader, `@cogeotiff/core`, which shares no code with the
 * writer.
 */
import { Tiff, type TiffImage, TiffTag } from '@cogeotiff/core';
import { MalformedTiffError } from '../errors.ts';
import type { TileEncoding } from './pyramid-fields.ts';
import type { RangeReader } from '../bytes/range-reader.ts';
import { readTiff } from './read.ts';

export interface ReadBackLevel {
  readonly width: number;
  readonly height: number;
  readonly tilesAcross: number;
  readonly tilesDown: number;
  readonly offsets: ArrayLike<number>;
  readonly byteCounts: ArrayLike<number>;
  readonly encoding: TileEncoding;
}

/**
 * Reads all levels, full size first, with their tile tables. Throws MalformedTiffError when the
 * file cannot be parsed; errors of `reader` are passed on unchanged.
 */
export async function readBack(reader: RangeReader): Promise<ReadBackLevel[]> {
  // readTiff refuses a looping IFD chain, which the library would follow until memory is exhausted.
  await readTiff(reader);
  let readerFailure: { readonly error: unknown } | undefined;
  const source = {
    url: new URL('stepwell:assembled'),
    metadata: { size: reader.size },
    fetch: async (offset: number, length = reader.size - offset): Promise<ArrayBuffer> => {
      try {
        return Uint8Array.from(await reader.read(offset, Math.min(length, reader.size - offset))).buffer;
      } catch (error) {
        readerFailure = { error };
        throw error;
      }
    },
  };
  try {
    const tiff = await Tiff.create(source);
    return await Promise.all(tiff.images.map(readLevel));
  } catch (error) {
    if (readerFailure) throw readerFailure.error;
    if (error instanceof MalformedTiffError) throw error;
    throw new MalformedTiffError(`Expected a TIFF that @cogeotiff/core can parse but received: ${String(error)}`, {
      cause: error,
    });
  }
}

async function readLevel(image: TiffImage): Promise<ReadBackLevel> {
  const { width, height } = image.size;
  const encoding = await readEncoding(image);
  return {
    width,
    height,
    tilesAcross: image.tileCount.x,
    tilesDown: image.tileCount.y,
    offsets: (await image.fetch(TiffTag.TileOffsets)) ?? [],
    byteCounts: (await image.fetch(TiffTag.TileByteCounts)) ?? [],
    encoding,
  };
}

async function readEncoding(image: TiffImage): Promise<TileEncoding> {
  const compression = await image.fetch(TiffTag.Compression);
  const photometric = await image.fetch(TiffTag.Photometric);
  const bitsPerSample = await image.fetch(TiffTag.BitsPerSample);
  if (compression === null || photometric === null || bitsPerSample === null) {
    throw new MalformedTiffError(
      'Expected compression, photometric interpretation and bits per sample for every level but received none',
    );
  }
  const jpegTables: unknown = await image.fetch(TiffTag.JpegTables);
  const predictor = await image.fetch(TiffTag.Predictor);
  return {
    compression,
    photometric,
    bitsPerSample: Array.from(bitsPerSample, Number),
    sampleFormat: Array.from((await image.fetch(TiffTag.SampleFormat)) ?? [1], Number),
    extraSamples: [],
    ...(predictor === null ? {} : { predictor }),
    ...(Array.isArray(jpegTables) ? { jpegTables: btoa(String.fromCharCode(...(jpegTables as number[]))) } : {}),
  };
}

/**
 * Compares the tables of a pyramid with the expected sizes. Throws MalformedTiffError, with the
 * level, when a size or a tile count differs, and when a tile is empty, ends past the file or
 * overlaps another.
 */
export function checkTables(
  levels: readonly ReadBackLevel[],
  expected: readonly { readonly width: number; readonly height: number }[],
  tileSize: number,
  fileSize: number,
): void {
  if (levels.length !== expected.length) {
    throw new MalformedTiffError(`Expected ${expected.length} levels but received ${levels.length}`);
  }
  for (const [index, level] of levels.entries()) {
    const { width = 0, height = 0 } = expected[index] ?? {};
    const tiles = Math.ceil(width / tileSize) * Math.ceil(height / tileSize);
    if (level.width !== width || level.height !== height) {
      throw new MalformedTiffError(
        `Expected ${width} × ${height} for level ${index} but received ${level.width} × ${level.height}`,
      );
    }
    if (level.offsets.length !== tiles || level.byteCounts.length !== tiles) {
      throw new MalformedTiffError(`Expected ${tiles} tiles for level ${index} but received ${level.offsets.length}`);
    }
  }
  assertDisjoint(levels, fileSize);
}

function assertDisjoint(levels: readonly ReadBackLevel[], fileSize: number): void {
  const count = levels.reduce((sum, level) => sum + level.offsets.length, 0);
  const starts = new Float64Array(count);
  const ends = new Float64Array(count);
  let at = 0;
  for (const [index, level] of levels.entries()) {
    for (let tile = 0; tile < level.offsets.length; tile++, at++) {
      const start = level.offsets[tile] ?? 0;
      const bytes = level.byteCounts[tile] ?? 0;
      if (bytes <= 0 || start + bytes > fileSize) {
        throw new MalformedTiffError(
          `Expected bytes within ${fileSize} for tile ${tile} of level ${index} but received ${bytes} bytes that end at ${start + bytes}`,
        );
      }
      starts[at] = start;
      ends[at] = start + bytes;
    }
  }
  // With starts and ends both sorted, intervals are disjoint if and only if starts[i] >= ends[i -
  // 1].
  starts.sort();
  ends.sort();
  for (let tile = 1; tile < count; tile++) {
    if ((starts[tile] ?? 0) < (ends[tile - 1] ?? 0)) {
      throw new MalformedTiffError(
        `Expected tiles that do not overlap but received one that overlaps another at 0x${starts[tile]?.toString(16)}`,
      );
    }
  }
}

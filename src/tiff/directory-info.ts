import { MalformedTiffError } from '../errors.ts';
import { type Directory, readNumber, readNumbers, type TiffFile } from './read.ts';
import { Compression, Photometric, Tag } from './tags.ts';

/** How the pixels of one directory are stored. */
export interface DirectoryInfo {
  readonly width: number;
  readonly height: number;
  readonly samplesPerPixel: number;
  /** One number a sample. */
  readonly bitsPerSample: readonly number[];
  /** 1 unsigned, 2 signed, 3 float, per TIFF 6.0 section 19. One number a sample. */
  readonly sampleFormat: readonly number[];
  readonly compression: number;
  readonly photometric: number;
  readonly extraSamples: readonly number[];
  /** Samples of a pixel lie together (chunky) or each sample has a plane of its own (planar). */
  readonly planar: boolean;
  /** 2: the bits of every byte stand in reverse, whatever it holds. */
  readonly fillOrder: number;
  readonly orientation: number;
  /** Bit 0: a reduced version of another image; bit 1: one page of many; bit 2: a mask. */
  readonly subfileType: number;
  /** The pieces that are compressed on their own. A strip is as wide as the image. */
  readonly chunks: ChunkGrid;
}

/** The strips or tiles of an image: the size of one in pixels, and their number in each direction. */
export interface ChunkGrid {
  readonly kind: 'strips' | 'tiles';
  readonly width: number;
  readonly height: number;
  readonly across: number;
  readonly down: number;
}

/** Samples of a pixel that are described one by one; no master that is accepted has more than four. */
const MAX_SAMPLES = 64;

/**
 * What a directory says of its pixels, with the defaults of TIFF 6.0.
 * Throws MalformedTiffError where it says too little, or what cannot be.
 */
export async function describeDirectory(file: TiffFile, directory: Directory): Promise<DirectoryInfo> {
  const number = (tag: number, fallback: number): Promise<number> => readNumber(file, directory, tag, fallback);
  const width = await number(Tag.ImageWidth, 0);
  const height = await number(Tag.ImageLength, 0);
  if (!isCount(width) || !isCount(height)) {
    throw new MalformedTiffError(`Expected a size but received ${width} × ${height}`);
  }
  const samplesPerPixel = await number(Tag.SamplesPerPixel, 1);
  const perSample = async (tag: number, fallback: number): Promise<number[]> => {
    const values = (await readNumbers(file, directory, tag, MAX_SAMPLES)) ?? [fallback];
    return Array.from(
      { length: Math.min(samplesPerPixel, MAX_SAMPLES) },
      (_, index) => values[index] ?? values[0] ?? fallback,
    );
  };
  const compression = await number(Tag.Compression, Compression.none);
  return {
    width,
    height,
    samplesPerPixel,
    bitsPerSample: await perSample(Tag.BitsPerSample, 1),
    sampleFormat: await perSample(Tag.SampleFormat, 1),
    compression,
    photometric: await number(Tag.PhotometricInterpretation, defaultPhotometric(compression)),
    extraSamples: (await readNumbers(file, directory, Tag.ExtraSamples, MAX_SAMPLES)) ?? [],
    planar: (await number(Tag.PlanarConfiguration, 1)) === 2 && samplesPerPixel > 1,
    fillOrder: await number(Tag.FillOrder, 1),
    orientation: await number(Tag.Orientation, 1),
    subfileType: await number(Tag.NewSubfileType, 0),
    chunks: await describeChunks(file, directory, { width, height }),
  };
}

/** Fields may be of any type: a size may come as a fraction, or infinite. */
function isCount(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 1;
}

async function describeChunks(
  file: TiffFile,
  directory: Directory,
  image: { width: number; height: number },
): Promise<ChunkGrid> {
  const grid = (kind: ChunkGrid['kind'], width: number, height: number): ChunkGrid => {
    if (!isCount(width) || !isCount(height)) {
      throw new MalformedTiffError(`Expected a size for its ${kind} but received ${width} × ${height}`);
    }
    return { kind, width, height, across: Math.ceil(image.width / width), down: Math.ceil(image.height / height) };
  };
  if (directory.has(Tag.TileWidth)) {
    const width = await readNumber(file, directory, Tag.TileWidth, 0);
    return grid('tiles', width, await readNumber(file, directory, Tag.TileLength, 0));
  }
  const rows = await readNumber(file, directory, Tag.RowsPerStrip, image.height);
  return grid('strips', image.width, Math.min(rows, image.height));
}

function defaultPhotometric(compression: number): number {
  const isFax =
    compression === Compression.ccittRle || compression === Compression.ccittT4 || compression === Compression.ccittT6;
  return isFax ? Photometric.whiteIsZero : Photometric.blackIsZero;
}

/** Offsets and byte counts of every strip or tile: planes one after the other, each row by row. */
export interface ChunkTable {
  readonly offsets: readonly number[];
  readonly byteCounts: readonly number[];
}

/**
 * Reads the chunk table. A single strip without byte counts runs to the end of the file, as libtiff takes it.
 * Throws MalformedTiffError when there are fewer entries than the image needs.
 */
export async function readChunkTable(file: TiffFile, directory: Directory, info: DirectoryInfo): Promise<ChunkTable> {
  const tiled = info.chunks.kind === 'tiles';
  const expected = info.chunks.across * info.chunks.down * (info.planar ? info.samplesPerPixel : 1);
  const offsetTag = tiled && directory.has(Tag.TileOffsets) ? Tag.TileOffsets : Tag.StripOffsets;
  const countTag = tiled && directory.has(Tag.TileByteCounts) ? Tag.TileByteCounts : Tag.StripByteCounts;
  const entries = directory.get(offsetTag)?.count ?? 0;
  if (entries < expected) {
    throw new MalformedTiffError(`Expected ${expected} ${info.chunks.kind} for its size but received ${entries}`);
  }
  const offsets = (await readNumbers(file, directory, offsetTag, expected)) ?? [];
  const byteCounts = await readNumbers(file, directory, countTag, expected);
  assertPlaces(offsets, 'offset', info);
  assertPlaces(byteCounts ?? [], 'byte count', info);
  if (byteCounts && byteCounts.length >= expected) return { offsets, byteCounts };
  const only = offsets[0];
  if (expected === 1 && only !== undefined) return { offsets, byteCounts: [Math.max(0, file.reader.size - only)] };
  throw new MalformedTiffError(`Expected ${expected} byte counts but received ${byteCounts?.length ?? 0}`);
}

/** Fields may be of any type: an offset may come negative, or as no number at all. */
function assertPlaces(values: readonly number[], what: string, { chunks }: DirectoryInfo): void {
  const wrong = values.findIndex((value) => !Number.isSafeInteger(value) || value < 0);
  if (wrong < 0) return;
  throw new MalformedTiffError(
    `Expected ${what} ${wrong} of its ${chunks.kind} from 0 up but received ${values[wrong] ?? NaN}`,
  );
}

import { MalformedTiffError, RejectedImageError } from '../errors.ts';
import { MAX_CHUNKS, MAX_SHARED_BYTES_FACTOR } from '../limits.ts';
import { type Directory, readNumber, readNumbers, type TiffFile } from './read.ts';
import { readSampleMapping, type SampleMapping } from './sample-mapping.ts';
import { Compression, Photometric, Tag } from './tags.ts';
import { readYccLayout, type YccLayout } from './ycc-layout.ts';

/** Storage of the pixels of one directory. */
export interface DirectoryInfo {
  readonly width: number;
  readonly height: number;
  readonly samplesPerPixel: number;
  /** One value per sample. */
  readonly bitsPerSample: readonly number[];
  /** 1 unsigned, 2 signed, 3 floating point (TIFF 6.0, section 19). One value per sample. */
  readonly sampleFormat: readonly number[];
  readonly compression: number;
  readonly photometric: number;
  /**
   * One value per sample beside the colours: 0 unspecified, 1 associated alpha, 2 unassociated
   * alpha (TIFF 6.0, section 18). Values that the file lacks are 0.
   */
  readonly extraSamples: readonly number[];
  /** Present where samples change when they are decoded. */
  readonly mapping?: SampleMapping;
  /** Present where samples are YCbCr that becomes RGB when chunks are unpacked. */
  readonly ycc?: YccLayout;
  /** PlanarConfiguration 2 and several samples: each sample is stored in a plane of its own. */
  readonly planar: boolean;
  /** 2: the bits of every byte of pixel data are in reverse order. */
  readonly fillOrder: number;
  readonly orientation: number;
  /**
   * Bit 0: reduced-resolution version of another image; bit 1: one page of several; bit 2: mask.
   */
  readonly subfileType: number;
  readonly chunks: ChunkGrid;
}

/** The chunks of an image: its strips or tiles, each of which is compressed by itself. */
export interface ChunkGrid {
  readonly kind: 'strips' | 'tiles';
  /** Pixels; a strip is as wide as the image. */
  readonly width: number;
  readonly height: number;
  /** Chunks per row and per column of one plane. */
  readonly across: number;
  readonly down: number;
}

/** Number of samples described individually; accepted masters have at most four. */
const MAX_SAMPLES = 64;

/**
 * Reads how a directory stores its pixels; absent fields take the defaults of TIFF 6.0.
 * Throws MalformedTiffError when a required field is absent or a size is impossible.
 */
export async function describeDirectory(file: TiffFile, directory: Directory): Promise<DirectoryInfo> {
  const number = (tag: number, fallback: number): Promise<number> => readNumber(file, directory, tag, fallback);
  const width = await number(Tag.ImageWidth, 0);
  const height = await number(Tag.ImageLength, 0);
  if (!isCount(width) || !isCount(height)) {
    throw new MalformedTiffError(`Expected positive integers for the image size but received ${width} × ${height}`);
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
  const photometric = await number(Tag.PhotometricInterpretation, defaultPhotometric(compression));
  const extra = Math.min(Math.max(0, samplesPerPixel - coloursOf(photometric)), MAX_SAMPLES);
  const declared = (await readNumbers(file, directory, Tag.ExtraSamples, MAX_SAMPLES)) ?? [];
  const samples = {
    samplesPerPixel,
    bitsPerSample: await perSample(Tag.BitsPerSample, 1),
    sampleFormat: await perSample(Tag.SampleFormat, 1),
    photometric,
    extraSamples: Array.from({ length: extra }, (_, index) => declared[index] ?? 0),
  };
  const planar = (await number(Tag.PlanarConfiguration, 1)) === 2 && samplesPerPixel > 1;
  const mapping = await readSampleMapping(file, directory, samples);
  const ycc = await readYccLayout(file, directory, { ...samples, compression });
  return {
    width,
    height,
    ...samples,
    ...(mapping ? { mapping } : {}),
    ...(ycc ? { ycc } : {}),
    compression,
    planar,
    fillOrder: await number(Tag.FillOrder, 1),
    orientation: await number(Tag.Orientation, 1),
    subfileType: await number(Tag.NewSubfileType, 0),
    chunks: await describeChunks(file, directory, { width, height }),
  };
}

/** A field may have any type, so the value of a size field may be a fraction or infinite. */
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
      throw new MalformedTiffError(
        `Expected positive integers for the size of ${kind} but received ${width} × ${height}`,
      );
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

/** Colour samples a pixel. */
function coloursOf(photometric: number): number {
  if (photometric === Photometric.cmyk) return 4;
  const three: readonly number[] = [Photometric.rgb, Photometric.yCbCr, Photometric.cieLab, Photometric.iccLab];
  return three.includes(photometric) ? 3 : 1;
}

function defaultPhotometric(compression: number): number {
  const isFax =
    compression === Compression.ccittRle || compression === Compression.ccittT4 || compression === Compression.ccittT6;
  return isFax ? Photometric.whiteIsZero : Photometric.blackIsZero;
}

/** Offsets and byte counts of all chunks, plane after plane, each plane row by row. */
export interface ChunkTable {
  readonly offsets: readonly number[];
  readonly byteCounts: readonly number[];
}

/**
 * Reads the offsets and byte counts of all chunks. As in libtiff, a single strip without byte
 * counts extends to the end of the file.
 * Throws MalformedTiffError when the table has fewer entries than the image has chunks, and
 * RejectedImageError(OVER_BUDGET) for too many chunks and for chunks of which most share bytes.
 */
export async function readChunkTable(file: TiffFile, directory: Directory, info: DirectoryInfo): Promise<ChunkTable> {
  const tiled = info.chunks.kind === 'tiles';
  const expected = info.chunks.across * info.chunks.down * (info.planar ? info.samplesPerPixel : 1);
  const offsetTag = tiled && directory.has(Tag.TileOffsets) ? Tag.TileOffsets : Tag.StripOffsets;
  const countTag = tiled && directory.has(Tag.TileByteCounts) ? Tag.TileByteCounts : Tag.StripByteCounts;
  const entries = directory.get(offsetTag)?.count ?? 0;
  if (entries < expected) {
    throw new MalformedTiffError(`Expected ${expected} ${info.chunks.kind} for the image size but received ${entries}`);
  }
  if (expected > MAX_CHUNKS) {
    throw new RejectedImageError('OVER_BUDGET', `${expected} ${info.chunks.kind} are more than ${MAX_CHUNKS}`);
  }
  const offsets = (await readNumbers(file, directory, offsetTag, expected)) ?? [];
  const byteCounts = await readNumbers(file, directory, countTag, expected);
  assertFileNumbers(offsets, 'offset', info);
  assertFileNumbers(byteCounts ?? [], 'byte count', info);
  assertAffordable(byteCounts ?? [], file.reader.size, info);
  if (byteCounts && byteCounts.length >= expected) return { offsets, byteCounts };
  const only = offsets[0];
  if (expected === 1 && only !== undefined) return { offsets, byteCounts: [Math.max(0, file.reader.size - only)] };
  throw new MalformedTiffError(
    `Expected ${expected} byte counts for the ${info.chunks.kind} but received ${byteCounts?.length ?? 0}`,
  );
}

/** Chunks may share their bytes, but decoders read them for every one. */
function assertAffordable(byteCounts: readonly number[], fileSize: number, { chunks }: DirectoryInfo): void {
  // A chunk beyond the end of the file is one of a file that was cut short.
  const inFile = byteCounts.filter((bytes) => bytes <= fileSize);
  const total = inFile.reduce((sum, bytes) => sum + bytes, 0);
  if (total <= MAX_SHARED_BYTES_FACTOR * fileSize) return;
  const detail = `its ${chunks.kind} share bytes: they have ${total} in all, the file has ${fileSize}`;
  throw new RejectedImageError('OVER_BUDGET', detail);
}

/** A field may have any type, so an offset or byte count may be negative or NaN. */
function assertFileNumbers(values: readonly number[], name: string, { chunks }: DirectoryInfo): void {
  const wrong = values.findIndex((value) => !Number.isSafeInteger(value) || value < 0);
  if (wrong < 0) return;
  throw new MalformedTiffError(
    `Expected a non-negative integer for ${name} ${wrong} of the ${chunks.kind} but received ${values[wrong] ?? NaN}`,
  );
}

/** The range of the samples of a TIFF that does not state it, from a pass over all its pixels. */
import { DeadlineExceededError, MalformedTiffError, RejectedImageError } from '../errors.ts';
import { MEASURED_CHUNK_BYTES, MEASURING_TIME } from '../limits.ts';
import { NETWORK } from '../pyramid/cost-figures.ts';
import type { MappedRange } from '../pyramid/mapped-range.ts';
import type { SourceImage } from '../pyramid/source-image.ts';
import { bytesPerRow, decodedBytesPerRow } from '../tiff/chunk-ranges.ts';
import { describeDirectory, type DirectoryInfo } from '../tiff/directory-info.ts';
import type { ChunkCoding, PackedChunk } from '../tiff/packed-chunks.ts';
import { isWithoutValue, type SampleMapping } from '../tiff/sample-mapping.ts';
import { planSlice } from '../tiff/slice.ts';
import { malformed } from './decode-errors.ts';
import type { SliceReader } from './read-slice.ts';
import { openSourceDirectory } from './source-directory.ts';
import { sampleReader, storedRowBytes } from './unpack/map-samples.ts';
import { forEachStoredChunk } from './unpack-slice.ts';

/** Stored samples of the rows that are read at a time, unless the chunks are larger. Bytes. */
const WINDOW_BYTES = 16 * 2 ** 20;
/** Decoding a sample and comparing it, on one core. Nanoseconds. */
const MEASURING = 20;

/**
 * Reads all chunks once, in parts of 16 MiB or one chunk, whichever is larger, and returns the
 * least and the greatest finite sample of the colours. Throws RejectedImageError for pixels that
 * cannot be decoded, for an image without a finite sample, and OVER_BUDGET for one that would take
 * longer than MEASURING_TIME or has too large chunks; DeadlineExceededError when no time remains.
 */
export async function measureSamples(
  master: SliceReader,
  image: SourceImage,
  remainingMs: () => number,
): Promise<MappedRange> {
  const { file, directory, reader } = await openSourceDirectory(master, image);
  const info = await describeDirectory(file, directory);
  const { mapping, width, height } = info;
  if (!mapping) throw new Error('Expected samples with a range but received others');
  assertMeasurable(info, image);
  const measure = new Measure(mapping);
  const rows = Math.max(1, Math.floor(WINDOW_BYTES / (bytesPerRow(info) * info.chunks.across)));
  for (let top = 0; top < height;) {
    if (remainingMs() <= 0) throw new DeadlineExceededError('the range of the samples was not found in time');
    const window = { left: 0, right: width, top, bottom: Math.min(height, top + rows) };
    const { rect, packed } = await planSlice(file, directory, info, window, 'unpacked').catch(rethrow);
    if (!packed) throw new Error('Expected chunks with a decoder of their own but received others');
    for (const { length } of packed.chunks) assertHeldChunk(info, length);
    const colours = image.bands;
    await forEachStoredChunk(
      reader,
      packed,
      (chunk) => partOf(chunk, info).plane < colours,
      (chunk, samples) => {
        measure.add(partOf(chunk, info), samples, packed.coding, colours);
      },
    );
    top = rect.bottom;
  }
  return measure.result();
}

function rethrow(error: unknown): never {
  throw error instanceof MalformedTiffError ? malformed(error) : error;
}

/** The pass reads the whole file, and decodes every sample. */
function assertMeasurable({ width, height, samplesPerPixel, mapping }: DirectoryInfo, { fileSize }: SourceImage): void {
  const milliseconds = fileSize / NETWORK + (width * height * samplesPerPixel * MEASURING) / 1e6;
  if (milliseconds <= MEASURING_TIME) return;
  const what = `finding the range of ${width} × ${height} pixels of ${mapping?.bits ?? 0} bits`;
  throw new RejectedImageError(
    'OVER_BUDGET',
    `${what} takes ${Math.ceil(milliseconds / 1000)} s, more than ${MEASURING_TIME / 1000} s; ` +
      'state it in SMinSampleValue and SMaxSampleValue',
  );
}

function assertHeldChunk(info: DirectoryInfo, decoded: number): void {
  const stored = (decoded / decodedBytesPerRow(info)) * bytesPerRow(info);
  if (stored <= MEASURED_CHUNK_BYTES) return;
  const { kind } = info.chunks;
  throw new RejectedImageError(
    'OVER_BUDGET',
    `its ${kind} have ${stored} bytes of samples whose range is unknown; save it with smaller ${kind}, or state ` +
      'the range in SMinSampleValue and SMaxSampleValue',
  );
}

/** The part of a chunk that lies within the image: tiles may extend beyond it. */
interface ChunkPart {
  readonly plane: number;
  /** Pixels. */
  readonly columns: number;
  readonly rows: number;
}

function partOf({ index, length }: PackedChunk, info: DirectoryInfo): ChunkPart {
  const { chunks, width, height } = info;
  const place = index % (chunks.across * chunks.down);
  const rows = length / decodedBytesPerRow(info);
  const below = height - Math.floor(place / chunks.across) * chunks.height;
  return {
    plane: Math.floor(index / (chunks.across * chunks.down)),
    columns: Math.min(chunks.width, width - (place % chunks.across) * chunks.width),
    rows: chunks.kind === 'tiles' ? Math.min(rows, below) : rows,
  };
}

class Measure {
  readonly #mapping: SampleMapping;
  #min = Infinity;
  #max = -Infinity;
  #withoutValue = 0;

  constructor(mapping: SampleMapping) {
    this.#mapping = mapping;
  }

  /** Adds the samples of the colours in a part of a chunk; a hole has none stored. */
  add(part: ChunkPart, stored: Uint8Array | undefined, coding: ChunkCoding, colours: number): void {
    const { columns, rows } = part;
    const counted = Math.min(colours, coding.samples);
    if (!stored) {
      this.#addHole(columns * rows * counted);
      return;
    }
    const mapping = this.#mapping;
    const rowBytes = storedRowBytes({ samples: coding.samples * coding.width, mapping });
    for (let row = 0; row < rows; row++) {
      const line = stored.subarray(row * rowBytes, (row + 1) * rowBytes);
      this.#addRow(sampleReader(line, mapping, coding.littleEndian), columns, counted, coding.samples - counted);
    }
  }

  #addRow(next: () => number, columns: number, counted: number, skipped: number): void {
    const mapping = this.#mapping;
    for (let column = 0; column < columns; column++) {
      for (let sample = 0; sample < counted; sample++) {
        const value = next();
        if (isWithoutValue(mapping, value)) this.#withoutValue++;
        else if (Number.isFinite(value)) {
          if (value < this.#min) this.#min = value;
          if (value > this.#max) this.#max = value;
        }
      }
      for (let sample = 0; sample < skipped; sample++) next();
    }
  }

  /** Samples of a hole are 0, or GDAL's value for no data. */
  #addHole(count: number): void {
    if (this.#mapping.noData !== undefined) {
      this.#withoutValue += count;
      return;
    }
    this.#min = Math.min(this.#min, 0);
    this.#max = Math.max(this.#max, 0);
  }

  result(): MappedRange {
    if (this.#min > this.#max) {
      throw new RejectedImageError('UNSUPPORTED_PIXELS', 'none of its samples is a finite number with a meaning');
    }
    const { format, bits } = this.#mapping;
    // Without the sign of zero, which JSON does not have.
    const [min, max] = [this.#min + 0, this.#max + 0];
    return { format, bits, min, max, from: 'pixels', withoutValue: this.#withoutValue };
  }
}

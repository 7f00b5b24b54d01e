/** Converts a column of decoded chunks to the picture that they are parts of. */
import { RejectedImageError } from '../errors.ts';
import type { ChunkColumn, PlacedChunk } from '../tiff/chunk-column.ts';
import type { Arena } from './arena.ts';
import { decodeFailure } from './decode-errors.ts';
import { sharp } from './sharp.ts';

/** Size of the picture in pixels, and the time that decoding may take. */
interface ArrangeOptions {
  readonly width: number;
  readonly height: number;
  readonly timeoutSeconds: number;
}

/**
 * Returns an uncompressed TIFF of the picture, in memory of the arena; samples of holes have the
 * fill value. `slice` is a TIFF of the column. Throws RejectedImageError when a chunk cannot be
 * decoded, DeadlineExceededError when the timeout expires.
 */
export async function arrangeChunks(
  slice: Uint8Array,
  column: ChunkColumn,
  { width, height, timeoutSeconds }: ArrangeOptions,
  arena: Arena,
): Promise<Uint8Array> {
  const decoded = column.height > 0 ? await decodeColumn(slice, column, timeoutSeconds, arena) : new Uint8Array();
  const { header, pictureSamples } = column;
  const picture = arena.take(header.length + width * height * pictureSamples);
  picture.set(header);
  const samples = picture.subarray(header.length);
  let row = 0;
  for (const chunk of column.chunks) {
    if (chunk.isHole) fillHole(samples, column, chunk, width);
    else {
      placeChunk(decoded, row, samples, column, chunk, width);
      row += chunk.rows;
    }
  }
  return picture;
}

/** Bands of a decoded pixel. sharp returns grey with alpha as one band unless it becomes RGB. */
function decodedBands(samples: number): number {
  return samples === 2 ? 4 : samples;
}

async function decodeColumn(
  slice: Uint8Array,
  { width, height, samples }: ChunkColumn,
  timeoutSeconds: number,
  arena: Arena,
): Promise<Uint8Array> {
  // libvips reports a chunk that cannot be decoded as a warning and leaves it black.
  const pipeline = sharp(slice, { failOn: 'warning', ignoreIcc: true, limitInputPixels: width * height })
    .timeout({ seconds: Math.min(3600, Math.max(1, Math.floor(timeoutSeconds))) })
    .toColourspace(samples === 1 ? 'b-w' : 'srgb')
    .raw({ depth: 'uchar' });
  const decoded = arena.adopt(
    await pipeline.toBuffer().catch((error: unknown) => {
      throw decodeFailure(error);
    }),
  );
  if (decoded.length !== width * height * decodedBands(samples)) {
    throw new RejectedImageError(
      'CORRUPT_HEADER',
      `expected ${samples} samples a pixel in chunks ${width} pixels wide`,
    );
  }
  return decoded;
}

function placeChunk(
  decoded: Uint8Array,
  firstRow: number,
  picture: Uint8Array,
  { width: chunkWidth, samples, pictureSamples }: ChunkColumn,
  { left, top, rows, sample }: PlacedChunk,
  width: number,
): void {
  const bands = decodedBands(samples);
  // Of grey with alpha, decoded to RGB with alpha, the first and the last.
  const kept = samples === 2 ? [0, 3] : Array.from({ length: samples }, (_, band) => band);
  for (let y = 0; y < rows; y++) {
    let from = (firstRow + y) * chunkWidth * bands;
    let to = ((top + y) * width + left) * pictureSamples + sample;
    for (let x = 0; x < chunkWidth; x++, from += bands, to += pictureSamples) {
      for (const [index, band] of kept.entries()) picture[to + index] = decoded[from + band] ?? 0;
    }
  }
}

function fillHole(
  picture: Uint8Array,
  { width: chunkWidth, samples, pictureSamples, fill }: ChunkColumn,
  { left, top, rows, sample }: PlacedChunk,
  width: number,
): void {
  for (let y = 0; y < rows; y++) {
    let to = ((top + y) * width + left) * pictureSamples + sample;
    for (let x = 0; x < chunkWidth; x++, to += pictureSamples) picture.fill(fill, to, to + samples);
  }
}

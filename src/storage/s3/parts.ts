/**
 * Divides an object into the parts of an S3 multipart upload. Pure.
 *
 * S3 requires parts of 5 MiB (except the last) to 5 GiB and at most 10,000 of them. It copies
 * ranges only from objects larger than 5 MiB
 * (https://docs.aws.amazon.com/AmazonS3/latest/userguide/qfacts.html,
 * .../API/API_UploadPartCopy.html).
 */
import { MAX_PART_BYTES, MAX_PARTS, MIN_PART_BYTES } from '../../limits.ts';
import type { Piece, RangePiece } from '../object-store.ts';
import { isRange, mergePieces, slicePiece, sliceRange } from '../pieces.ts';

/** One part: copied within the store, or assembled in memory from `pieces` and uploaded. */
export type Part =
  | { readonly kind: 'copy'; readonly range: RangePiece }
  | { readonly kind: 'upload'; readonly pieces: readonly Piece[]; readonly length: number };

/** Limits in bytes, except `maxParts`. */
export interface PartLimits {
  readonly minPartBytes: number;
  readonly maxPartBytes: number;
  readonly maxParts: number;
  /**
   * Preferred size of an uploaded part, which is held in memory. Exceeded to stay within
   * `maxParts`.
   */
  readonly uploadBytes: number;
  /**
   * Preferred maximum of a copied part; parts are copied concurrently. Exceeded to stay within
   * `maxParts`.
   */
  readonly copyBytes: number;
}

export const S3_PART_LIMITS: PartLimits = {
  minPartBytes: MIN_PART_BYTES,
  maxPartBytes: MAX_PART_BYTES,
  maxParts: MAX_PARTS,
  uploadBytes: 8 * 2 ** 20,
  // S3 copies one part at about the speed of one connection, and several parts concurrently.
  copyBytes: 64 * 2 ** 20,
};

/**
 * Plans parts whose concatenation is the concatenation of the pieces. Large ranges are copied.
 * Pieces too small for a part are joined with their neighbours and, if still too small, with the
 * first bytes of the large range after them.
 * Throws RangeError when the pieces exceed the size of an object.
 */
export function planParts(pieces: Iterable<Piece>, limits: PartLimits = S3_PART_LIMITS): Part[] {
  const merged = [...mergePieces(pieces)];
  const total = merged.reduce((sum, piece) => sum + piece.length, 0);
  // With this minimum size the number of parts cannot exceed the limit.
  const always = Math.max(limits.minPartBytes, Math.ceil(total / Math.max(1, limits.maxParts - 1)));
  for (let least = limits.minPartBytes; ; least = Math.min(2 * least, always)) {
    const parts = cutParts(merged, least, limits);
    if (parts.length <= limits.maxParts) return parts;
    if (least >= always) {
      throw new RangeError(`Expected at most ${limits.maxParts} parts for the pieces but received ${total} bytes`);
    }
  }
}

function cutParts(pieces: readonly Piece[], least: number, limits: PartLimits): Part[] {
  const parts: Part[] = [];
  const buffer = new PartBuffer(Math.min(limits.maxPartBytes, Math.max(limits.uploadBytes, least)), parts);
  const copyBytes = Math.min(limits.maxPartBytes, Math.max(limits.copyBytes, 2 * least));
  for (const piece of pieces) {
    const missing = buffer.size === 0 ? 0 : Math.max(0, least - buffer.size);
    if (!isRange(piece) || !mayCopy(piece, missing, least, limits)) {
      buffer.add(piece);
      continue;
    }
    if (missing > 0) buffer.add(sliceRange(piece, 0, missing));
    buffer.flush();
    for (const range of splitEvenly(sliceRange(piece, missing, piece.length), copyBytes)) {
      parts.push({ kind: 'copy', range });
    }
  }
  buffer.flush();
  return parts;
}

/** True if a range without its first `missing` bytes can be a copied part. */
function mayCopy(range: RangePiece, missing: number, least: number, limits: PartLimits): boolean {
  const largeEnough = range.length - missing >= least;
  const sourceLargeEnough = range.offset + range.length > limits.minPartBytes;
  return largeEnough && sourceLargeEnough;
}

/** Splits a range into ranges of at most `bytes` whose lengths differ by at most one byte. */
function splitEvenly(range: RangePiece, bytes: number): RangePiece[] {
  const count = Math.ceil(range.length / bytes);
  const shorter = Math.floor(range.length / count);
  const longer = range.length % count;
  const ranges: RangePiece[] = [];
  for (let index = 0, start = 0; index < count; index++) {
    const end = start + shorter + (index < longer ? 1 : 0);
    ranges.push(sliceRange(range, start, end));
    start = end;
  }
  return ranges;
}

/** Collects pieces into uploaded parts of exactly `capacity` bytes; `flush` ends a part early. */
class PartBuffer {
  size = 0;
  readonly #capacity: number;
  readonly #parts: Part[];
  #pieces: Piece[] = [];

  constructor(capacity: number, parts: Part[]) {
    this.#capacity = capacity;
    this.#parts = parts;
  }

  add(piece: Piece): void {
    for (let start = 0; start < piece.length;) {
      if (this.size === this.#capacity) this.flush();
      const end = Math.min(piece.length, start + this.#capacity - this.size);
      this.#pieces.push(slicePiece(piece, start, end));
      this.size += end - start;
      start = end;
    }
  }

  flush(): void {
    if (this.size > 0) this.#parts.push({ kind: 'upload', pieces: this.#pieces, length: this.size });
    this.#pieces = [];
    this.size = 0;
  }
}

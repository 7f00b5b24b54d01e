/**
 * How an object is cut into the parts of an S3 multipart upload. Pure.
 *
 * S3 wants every part but the last to hold at least 5 MiB and none more than 5 GiB, at most 10,000 of them, and copies a
 * range only from an object larger than 5 MiB
 * (https://docs.aws.amazon.com/AmazonS3/latest/userguide/qfacts.html, .../API/API_UploadPartCopy.html).
 */
import { MAX_PART_BYTES, MAX_PARTS, MIN_PART_BYTES } from '../../limits.ts';
import type { Piece, RangePiece } from '../object-store.ts';
import { isRange, mergePieces, slicePiece, sliceRange } from '../pieces.ts';

/** One part: copied inside the store, or put together in memory from `pieces` and uploaded. */
export type Part =
  | { readonly kind: 'copy'; readonly range: RangePiece }
  | { readonly kind: 'upload'; readonly pieces: readonly Piece[]; readonly length: number };

/** Bytes, but for `maxParts`. */
export interface PartLimits {
  readonly minPartBytes: number;
  readonly maxPartBytes: number;
  readonly maxParts: number;
  /** What an uploaded part should hold: the memory one worker needs. Grows when there would be too many parts. */
  readonly uploadBytes: number;
  /** What a copied part should hold at most; smaller ones are copied side by side. Grows likewise. */
  readonly copyBytes: number;
}

export const S3_PART_LIMITS: PartLimits = {
  minPartBytes: MIN_PART_BYTES,
  maxPartBytes: MAX_PART_BYTES,
  maxParts: MAX_PARTS,
  uploadBytes: 8 * 2 ** 20,
  // S3 copies within itself at about the speed of one connection, and parts at once.
  copyBytes: 64 * 2 ** 20,
};

/**
 * The parts that, one after the other, are the pieces. Large ranges are copied; what is too small to be a part is joined
 * with its neighbours, where needed with the head of the large range behind it. No pieces, no parts.
 * Throws RangeError when the pieces are more than an object can hold.
 */
export function planParts(pieces: Iterable<Piece>, limits: PartLimits = S3_PART_LIMITS): Part[] {
  const merged = [...mergePieces(pieces)];
  const total = merged.reduce((sum, piece) => sum + piece.length, 0);
  // Parts that hold at least this much, all but the last, cannot be too many.
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

/** Whether a range, less its first `missing` bytes, makes a part of its own. */
function mayCopy(range: RangePiece, missing: number, least: number, limits: PartLimits): boolean {
  const largeEnough = range.length - missing >= least;
  const sourceLargeEnough = range.offset + range.length > limits.minPartBytes;
  return largeEnough && sourceLargeEnough;
}

/** Ranges of at most `bytes` that differ by one byte at most, so that none is too small. */
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

/** Gathers pieces and hands them on as uploaded parts of exactly `capacity` bytes, but for a flush. */
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

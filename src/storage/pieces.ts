/** Operations on the pieces of a composed object. Pure. */
import type { MadePiece, Piece, RangePiece } from './object-store.ts';

export function isRange(piece: Piece): piece is RangePiece {
  return 'ref' in piece;
}

function isMade(piece: Piece): piece is MadePiece {
  return 'make' in piece;
}

/**
 * The bytes of a piece that is not a range. Throws RangeError when `make` does not return `length`
 * bytes.
 */
export async function bytesOf(piece: Uint8Array | MadePiece): Promise<Uint8Array> {
  if (!isMade(piece)) return piece;
  const bytes = await piece.make();
  if (bytes.length === piece.length) return bytes;
  throw new RangeError(`Expected ${piece.length} bytes for a generated piece but received ${bytes.length}`);
}

/**
 * The bytes `start` (inclusive) to `end` (exclusive) of a piece, without copying. Reading a part of
 * a generated piece generates the whole piece each time.
 */
export function slicePiece(piece: Piece, start: number, end: number): Piece {
  if (isRange(piece)) return sliceRange(piece, start, end);
  if (!isMade(piece)) return piece.subarray(start, end);
  if (start === 0 && end === piece.length) return piece;
  return { length: end - start, make: async () => (await bytesOf(piece)).subarray(start, end) };
}

/** `slicePiece` for a range. */
export function sliceRange(range: RangePiece, start: number, end: number): RangePiece {
  return { ...range, offset: range.offset + start, length: end - start };
}

/**
 * The same bytes in fewer pieces: empty pieces are dropped and adjacent ranges of one object are
 * merged.
 * Throws RangeError for an offset or a length that is not a non-negative integer.
 */
export function* mergePieces(pieces: Iterable<Piece>): Generator<Piece> {
  let open: RangePiece | undefined;
  for (const piece of pieces) {
    checkPiece(piece);
    if (piece.length === 0) continue;
    if (open && isRange(piece) && continues(open, piece)) {
      open = { ...open, length: open.length + piece.length };
      continue;
    }
    if (open) yield open;
    open = isRange(piece) ? piece : undefined;
    if (!open) yield piece;
  }
  if (open) yield open;
}

function checkPiece(piece: Piece): void {
  if (isRange(piece)) checkRange(piece);
  else if (isMade(piece)) checkRange({ offset: 0, length: piece.length });
}

function continues(first: RangePiece, second: RangePiece): boolean {
  return isSameObject(first, second) && first.offset + first.length === second.offset;
}

function isSameObject(first: RangePiece, second: RangePiece): boolean {
  return (
    first.ref.bucket === second.ref.bucket &&
    first.ref.key === second.ref.key &&
    first.ref.versionId === second.ref.versionId &&
    first.etag === second.etag
  );
}

/** Throws RangeError unless `offset` and `length` are non-negative safe integers. Bytes. */
export function checkRange({ offset, length }: { readonly offset: number; readonly length: number }): void {
  for (const [name, value] of Object.entries({ offset, length })) {
    if (!Number.isSafeInteger(value) || value < 0) {
      throw new RangeError(`Expected a non-negative integer for ${name} but received ${value}`);
    }
  }
}

/** Throws RangeError when the buffer `into` is shorter than `bytes`. */
export function checkBuffer(into: Uint8Array, bytes: number): void {
  if (into.length < bytes)
    throw new RangeError(`Expected at least ${bytes} bytes for the buffer but received ${into.length}`);
}

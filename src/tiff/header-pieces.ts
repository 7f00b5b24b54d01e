/**
 * The header of a large file in pieces, each of which is made on request, so that at most one of
 * them has to be in memory at a time.
 */

/** A part of the header that can be written any number of times, with the same result. */
export interface HeaderSection {
  /** Bytes. */
  readonly length: number;
  /** Writes the section at offset `at` of `view`, which must be zero there. */
  write(view: DataView, at: number): void;
}

/** Consecutive bytes of the header; every call of `make` returns the same bytes. */
export interface HeaderPiece {
  readonly length: number;
  make(): Uint8Array;
}

/** Largest size of a piece of several sections; a larger section is a piece by itself. Bytes. */
export const HEADER_PIECE_BYTES = 2 ** 20;

/** Groups consecutive sections into pieces. */
export function headerPiecesOf(sections: readonly HeaderSection[]): HeaderPiece[] {
  const pieces: HeaderPiece[] = [];
  let open: HeaderSection[] = [];
  let length = 0;
  for (const section of sections) {
    if (length > 0 && length + section.length > HEADER_PIECE_BYTES) {
      pieces.push(pieceOf(open, length));
      open = [];
      length = 0;
    }
    open.push(section);
    length += section.length;
  }
  if (length > 0) pieces.push(pieceOf(open, length));
  return pieces;
}

/** Concatenates all pieces in memory. Intended for headers that are known to be small. */
export function joinPieces(pieces: readonly HeaderPiece[]): Uint8Array {
  const [only] = pieces;
  if (only && pieces.length === 1) return only.make();
  const bytes = new Uint8Array(pieces.reduce((sum, { length }) => sum + length, 0));
  let end = 0;
  for (const piece of pieces) {
    bytes.set(piece.make(), end);
    end += piece.length;
  }
  return bytes;
}

function pieceOf(sections: readonly HeaderSection[], length: number): HeaderPiece {
  return {
    length,
    make() {
      const bytes = new Uint8Array(length);
      const view = new DataView(bytes.buffer);
      let at = 0;
      for (const section of sections) {
        section.write(view, at);
        at += section.length;
      }
      return bytes;
    },
  };
}

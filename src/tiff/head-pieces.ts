/** The head of a file in pieces that are made when they are wanted, so that no more than one need be in memory. */

/** A stretch of the head that can write itself, as often as it is wanted. */
export interface Section {
  /** Bytes. */
  readonly length: number;
  /** Into memory that is zero. */
  write(view: DataView, at: number): void;
}

/** Bytes of the head, the same ones whenever they are made. */
export interface HeadPiece {
  readonly length: number;
  make(): Uint8Array;
}

/** What a piece should hold at most; a section that is larger is a piece by itself. Bytes. */
export const PIECE_BYTES = 2 ** 20;

/** The sections, one after the other, in pieces. */
export function piecesOf(sections: readonly Section[]): HeadPiece[] {
  const pieces: HeadPiece[] = [];
  let open: Section[] = [];
  let length = 0;
  for (const section of sections) {
    if (length > 0 && length + section.length > PIECE_BYTES) {
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

/** The pieces put together: for heads of which it is known that they are small. */
export function joinPieces(pieces: readonly HeadPiece[]): Uint8Array {
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

function pieceOf(sections: readonly Section[], length: number): HeadPiece {
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

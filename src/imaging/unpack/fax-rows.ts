/** Rows of fax data: their codes, and the columns at which the colour changes. */
import type { BitReader } from './bit-reader.ts';
import { blackRuns, MODE_BITS, modes, RUN_BITS, whiteRuns } from './fax-codes.ts';

/** Zeros of an end-of-line code, at least; a one follows. */
export const EOL_ZEROS = 11;

/** Skips an end-of-line code and the fill before it; false where none follows. */
export function takeEol(bits: BitReader): boolean {
  const zeros = bits.zeros();
  const hasCode = zeros >= EOL_ZEROS;
  if (hasCode || bits.isAtEnd()) bits.skip(zeros + 1);
  return hasCode && !bits.isPastEnd();
}

export interface FaxLine {
  /** Columns at which the colour changes, white first; ascending. */
  readonly changes: readonly number[];
  /** An end-of-line code came before the right edge; the rest of the row is white. */
  readonly isShort: boolean;
}

/** A row of alternating runs; undefined when it has a code of no meaning or is too long. */
export function oneDimensional(bits: BitReader, width: number, hasEol: boolean): FaxLine | undefined {
  const changes: number[] = [];
  let column = 0;
  for (let isBlack = false; column < width; isBlack = !isBlack) {
    if (hasEol && bits.zeros() >= EOL_ZEROS) return { changes: endedAt(changes, column), isShort: true };
    const run = takeRun(bits, isBlack);
    if (run === undefined || column + run > width) return undefined;
    column += run;
    changes.push(column);
  }
  return { changes, isShort: false };
}

/** The changes of a row that is white from `column` on. */
function endedAt(changes: readonly number[], column: number): readonly number[] {
  return changes.length % 2 === 1 ? [...changes, column] : changes;
}

/** Length of the next run: make-up codes, then a terminating code. Undefined for other bits. */
function takeRun(bits: BitReader, isBlack: boolean): number | undefined {
  const table = isBlack ? blackRuns : whiteRuns;
  for (let run = 0; ;) {
    const code = table[bits.peek(RUN_BITS)];
    if (code === undefined || bits.isAtEnd()) return undefined;
    bits.skip(code.bits);
    run += code.meaning;
    if (code.meaning < 64) return run;
  }
}

/**
 * A row described by its differences from the row above (T.4, section 4.2). An early end in the
 * middle of a black run is not accepted, because readers differ in what they make of it.
 */
export function twoDimensional(
  bits: BitReader,
  above: readonly number[],
  width: number,
  hasEol: boolean,
): FaxLine | undefined {
  const changes: number[] = [];
  // Before the first pixel; only the first change may be at column 0.
  let column = -1;
  let reference = 0;
  while (column < width) {
    const isBlack = changes.length % 2 === 1;
    if (hasEol && !isBlack && bits.zeros() >= EOL_ZEROS) return { changes, isShort: true };
    const mode = modes[bits.peek(MODE_BITS)];
    if (mode === undefined || bits.isAtEnd()) return undefined;
    bits.skip(mode.bits);
    reference = changeAfter(above, column, isBlack, reference);
    if (mode.meaning === 'pass') {
      column = above[reference + 1] ?? width;
      continue;
    }
    const next = mode.meaning === 'horizontal' ? takeRuns(bits, Math.max(0, column), isBlack) : [];
    if (mode.meaning !== 'horizontal') next?.push((above[reference] ?? width) + mode.meaning.offset);
    const end = next?.at(-1);
    if (!next || end === undefined || end > width || end < Math.max(0, column)) return undefined;
    changes.push(...next);
    column = end;
  }
  return { changes, isShort: false };
}

/** The ends of two runs from `column` on; undefined for other bits. */
function takeRuns(bits: BitReader, column: number, isBlack: boolean): number[] | undefined {
  const first = takeRun(bits, isBlack);
  const second = first === undefined ? undefined : takeRun(bits, !isBlack);
  return first === undefined || second === undefined ? undefined : [column + first, column + first + second];
}

/**
 * Index of the first change of the row above, right of `column`, to the colour that is not the
 * current one. `last` is the index returned for an earlier column.
 */
function changeAfter(above: readonly number[], column: number, isBlack: boolean, last: number): number {
  const parity = isBlack ? 1 : 0;
  let index = Math.max(0, last - 2);
  if (index % 2 !== parity) index++;
  while (index < above.length && (above[index] ?? 0) <= column) index += 2;
  return index;
}

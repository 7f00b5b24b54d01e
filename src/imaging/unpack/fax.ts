/** Decompression of fax data: T.4 in one and two dimensions, T.6, and TIFF's own variant of T.4. */
import { MalformedTiffError } from '../../errors.ts';
import { Compression } from '../../tiff/tags.ts';
import { BitReader } from './bit-reader.ts';
import { EOL_ZEROS, oneDimensional, takeEol, twoDimensional } from './fax-rows.ts';

/** Deviations from T.4 that leave no pixel in doubt. */
export type FaxOddity = 'short rows' | 'no end-of-line codes';

export interface FaxOptions {
  /** Compression of the directory. */
  readonly compression: number;
  /** T4Options: bit 0 means that rows may be coded in two dimensions. */
  readonly t4Options: number;
  /** Pixels of a row. */
  readonly width: number;
}

/** End-of-line codes that end a page (T.4, section 4.1.4). */
const END_OF_PAGE = 6;
/** The same in two dimensions (T.6, section 2.4.1.1). */
const END_OF_BLOCK = 2;

/**
 * Decodes rows into `target` until it is full: one bit a pixel, black is 1, rows padded to bytes.
 * Rows after that are ignored. Throws MalformedTiffError for a row that is not coded correctly and
 * when the rows end before.
 */
export function unpackFax(packed: Uint8Array, target: Uint8Array, options: FaxOptions): ReadonlySet<FaxOddity> {
  const { compression, t4Options } = options;
  if (compression === Compression.ccittT6) return decodeRows(packed, target, options, { coding: 'two', align: false });
  if (compression === Compression.ccittRle) return decodeRows(packed, target, options, { coding: 'one', align: true });
  const isMixed = (t4Options & 1) === 1;
  if (startsWithEol(packed)) {
    return decodeRows(packed, target, options, { coding: isMixed ? 'tagged' : 'one', align: false, hasEol: true });
  }
  // Without end-of-line codes nothing states the dimensions of a row.
  if (isMixed) throw new MalformedTiffError('Expected an end-of-line code before the first row but received none');
  return withoutEol(packed, target, options);
}

/** Rows follow each other bit by bit or from byte to byte; only one of both decodes. */
function withoutEol(packed: Uint8Array, target: Uint8Array, options: FaxOptions): ReadonlySet<FaxOddity> {
  try {
    decodeRows(packed, target, options, { coding: 'one', align: false });
  } catch (error) {
    if (!(error instanceof MalformedTiffError)) throw error;
    target.fill(0);
    decodeRows(packed, target, options, { coding: 'one', align: true });
  }
  return new Set(['no end-of-line codes']);
}

function startsWithEol(packed: Uint8Array): boolean {
  return new BitReader(packed).zeros() >= EOL_ZEROS;
}

interface RowFormat {
  /** `tagged`: a bit after every end-of-line code states the dimensions of the row. */
  readonly coding: 'one' | 'two' | 'tagged';
  /** Each row starts at a byte. */
  readonly align: boolean;
  /** An end-of-line code precedes each row. */
  readonly hasEol?: boolean;
}

function decodeRows(
  packed: Uint8Array,
  target: Uint8Array,
  { width }: FaxOptions,
  { coding, align, hasEol = false }: RowFormat,
): ReadonlySet<FaxOddity> {
  const bits = new BitReader(packed);
  const rowBytes = Math.ceil(width / 8);
  const rows = target.length / rowBytes;
  const oddities = new Set<FaxOddity>();
  let changes: readonly number[] = [];
  for (let row = 0; row < rows; row++) {
    if (isEndOfData(bits, coding)) throw endsBefore(row, rows);
    if (hasEol && !takeEol(bits)) throw misplaced(row, 'an end-of-line code');
    const isTwo = coding === 'two' || (coding === 'tagged' && bits.take(1) === 0);
    const line = isTwo ? twoDimensional(bits, changes, width, hasEol) : oneDimensional(bits, width, hasEol);
    if (line === undefined) throw misplaced(row, 'codes for as many pixels as a row has');
    if (line.isShort) oddities.add('short rows');
    changes = withoutEmptyRuns(line.changes);
    paint(target, row * rowBytes, changes, width);
    if (align) bits.align();
  }
  return oddities;
}

function misplaced(row: number, expected: string): MalformedTiffError {
  return new MalformedTiffError(`Expected ${expected} in fax row ${row} but received others`);
}

function endsBefore(row: number, rows: number): MalformedTiffError {
  return new MalformedTiffError(`Expected ${rows} rows of fax data but received ${row}`);
}

/** Whether no rows follow: the bytes end, or so many end-of-line codes follow as end a page. */
function isEndOfData(bits: BitReader, coding: RowFormat['coding']): boolean {
  const ahead = bits.copy();
  const codes = coding === 'two' ? END_OF_BLOCK : END_OF_PAGE;
  for (let code = 0; code < codes; code++) {
    if (!takeEol(ahead)) return ahead.isBlankToEnd();
    if (coding === 'tagged') ahead.skip(1);
  }
  return true;
}

/** Two changes at one column are none. */
function withoutEmptyRuns(changes: readonly number[]): readonly number[] {
  const kept: number[] = [];
  for (const column of changes) {
    if (kept.at(-1) === column) kept.pop();
    else kept.push(column);
  }
  return kept;
}

/** Sets the bits of the black runs of a row that is all white. */
function paint(target: Uint8Array, start: number, changes: readonly number[], width: number): void {
  for (let index = 0; index < changes.length; index += 2) {
    const end = Math.min(width, changes[index + 1] ?? width);
    for (let x = changes[index] ?? width; x < end; x++) {
      const at = start + (x >> 3);
      target[at] = (target[at] ?? 0) | (0x80 >> (x & 7));
    }
  }
}

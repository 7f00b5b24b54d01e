/**
 * TIFFs that deviate from the specification and leave no pixel in doubt, written without any of the
 * project's own code.
 */
import { greyFields, handTiff, type HandField, long, short, withFields } from './tiff-bytes.ts';

/** Chunks behind the header, and the offset of each. */
export function joined(chunks: readonly Uint8Array[]): { data: Uint8Array; offsets: number[] } {
  let at = 8;
  const offsets = chunks.map(({ length }) => {
    at += length;
    return at - length;
  });
  return { data: Uint8Array.from(Buffer.concat(chunks)), offsets };
}

interface Strips {
  readonly width: number;
  readonly height: number;
  readonly rows: number;
  readonly compression: number;
  readonly chunks: readonly Uint8Array[];
}

/** A grey image of 8 bits in strips; `fields` replace others. */
export function strips(image: Strips, ...fields: readonly HandField[]): Uint8Array {
  const { width, height, rows, compression, chunks } = image;
  const { data, offsets } = joined(chunks);
  const directory = withFields(
    greyFields(width, height, 8),
    short(259, compression),
    long(273, ...offsets),
    long(278, rows),
    long(279, ...chunks.map(({ length }) => length)),
  );
  return handTiff({ data, directories: [withFields(directory, ...fields)] });
}

/**
 * LZW as libtiff wrote it before version 3.5: codes from the lowest bit on, each width used until
 * the table is full. The code of every byte is its value.
 */
export function oldStyleLzw(bytes: Uint8Array): Uint8Array {
  const out: number[] = [];
  let buffer = 0;
  let held = 0;
  const put = (code: number, width: number): void => {
    buffer |= code << held;
    held += width;
    for (; held >= 8; held -= 8, buffer >>>= 8) out.push(buffer & 0xff);
  };
  let table = new Map<string, number>();
  let width = 9;
  let free = 258;
  const clear = (): void => {
    put(256, width);
    table = new Map();
    width = 9;
    free = 258;
  };
  const codeOf = (text: string): number | undefined => (text.length === 1 ? text.charCodeAt(0) : table.get(text));
  clear();
  let text = '';
  for (const byte of bytes) {
    const longer = text + String.fromCharCode(byte);
    if (codeOf(longer) !== undefined) {
      text = longer;
      continue;
    }
    put(codeOf(text) ?? 0, width);
    table.set(longer, free++);
    // The reader has each entry one code later than the writer.
    if (free - 1 === 2 ** width) width++;
    if (free >= 4093) clear();
    text = String.fromCharCode(byte);
  }
  put(codeOf(text) ?? 0, width);
  if (free === 2 ** width) width++;
  put(257, width);
  return Uint8Array.from([...out, buffer & 0xff, 0]);
}

/** Literal runs of PackBits; the last one has `surplus` bytes more than the rows. */
export function packBits(bytes: Uint8Array, surplus = 0): Uint8Array {
  const all = Buffer.concat([bytes, Buffer.alloc(surplus, 0xee)]);
  const runs: Buffer[] = [];
  for (let at = 0; at < all.length; at += 97) {
    const run = all.subarray(at, at + 97);
    runs.push(Buffer.of(run.length - 1), run);
  }
  return Uint8Array.from(Buffer.concat(runs));
}

/** Codes of 0 to 15 pixels (ITU-T T.4, table 2), and of 64. */
const white = '00110101 000111 0111 1000 1011 1100 1110 1111 10011 10100 00111 01000 001000 000011 110100 110101'.split(
  ' ',
);
const black =
  '0000110111 010 11 10 011 0011 0010 00011 000101 000100 0000100 0000101 0000111 00000100 00000111 000011000'.split(
    ' ',
  );
const MAKE_UP_64 = { white: '11011', black: '0000001111' };
const EOL = '000000000001';

/** Codes of alternating runs, white first; each shorter than 80 pixels. */
function faxRow(runs: readonly number[]): string {
  return runs
    .map((run, index) => {
      const [codes, makeUp] = index % 2 === 0 ? [white, MAKE_UP_64.white] : [black, MAKE_UP_64.black];
      return (run >= 64 ? makeUp : '') + (codes[run % 64] ?? '');
    })
    .join('');
}

export interface FaxForm {
  /** Before every row. */
  readonly eol?: boolean;
  /** Rows start at bytes. */
  readonly align?: boolean;
}

/** Fax data of one dimension. */
export function faxData(rows: readonly (readonly number[])[], { eol = true, align = false }: FaxForm = {}): Uint8Array {
  let bits = '';
  for (const runs of rows) {
    bits += (eol ? EOL : '') + faxRow(runs);
    if (align) bits = bits.padEnd(Math.ceil(bits.length / 8) * 8, '0');
  }
  const bytes = bits.padEnd(Math.ceil(bits.length / 8) * 8, '0').match(/.{8}/gu) ?? [];
  return Uint8Array.from(bytes, (byte) => parseInt(byte, 2));
}

/** The samples of these rows: 255 is white. */
export function faxSamples(rows: readonly (readonly number[])[], width: number): number[] {
  return rows.flatMap((runs) => {
    const row = runs.flatMap((run, index) => new Array<number>(run).fill(index % 2 === 0 ? 255 : 0));
    return [...row, ...new Array<number>(width - row.length).fill(255)];
  });
}

/** A bilevel image of fax strips (Compression 3 unless stated), white is 0. */
export function faxTiff(
  {
    width,
    height,
    rows = height,
    compression = 3,
  }: { width: number; height: number; rows?: number; compression?: number },
  chunks: readonly Uint8Array[],
  ...fields: readonly HandField[]
): Uint8Array {
  return strips({ width, height, rows, compression, chunks }, short(258, 1), short(262, 0), ...fields);
}

/** A field of a little-endian classic TIFF: position of its entry, and of its values. */
function entryOf(view: DataView, tag: number): { at: number; type: number; values: number } {
  const directory = view.getUint32(4, true);
  for (let at = directory + 2; at < directory + 2 + 12 * view.getUint16(directory, true); at += 12) {
    if (view.getUint16(at, true) !== tag) continue;
    const type = view.getUint16(at + 2, true);
    const isInline = view.getUint32(at + 4, true) * (type === 3 ? 2 : 4) <= 4;
    return { at, type, values: isInline ? at + 8 : view.getUint32(at + 8, true) };
  }
  throw new Error(`Expected tag ${tag}`);
}

/** A copy of a TIFF of sharp without these tiles or strips: GDAL's sparse files. */
export function withHoles(tiff: Uint8Array, holes: readonly number[]): Uint8Array {
  const copy = Uint8Array.from(tiff);
  const view = new DataView(copy.buffer);
  const isTiled = Buffer.from(tiff).includes(Buffer.of(0x44, 0x01, 0x04, 0x00));
  for (const tag of isTiled ? [324, 325] : [273, 279]) {
    const { type, values } = entryOf(view, tag);
    for (const hole of holes) {
      if (type === 3) view.setUint16(values + 2 * hole, 0, true);
      else view.setUint32(values + 4 * hole, 0, true);
    }
  }
  return copy;
}

/** A copy of a TIFF of sharp with another value in a field of one SHORT. */
export function withShort(tiff: Uint8Array, tag: number, value: number): Uint8Array {
  const copy = Uint8Array.from(tiff);
  const view = new DataView(copy.buffer);
  view.setUint16(entryOf(view, tag).values, value, true);
  return copy;
}

/** The same with a field renamed: its tag becomes another one, which must not change the order. */
export function withTag(tiff: Uint8Array, tag: number, renamed: number): Uint8Array {
  const copy = Uint8Array.from(tiff);
  const view = new DataView(copy.buffer);
  view.setUint16(entryOf(view, tag).at, renamed, true);
  return copy;
}

/** LZW decompression (TIFF 6.0, section 13), in both orders of bits that writers have used. */
import { MalformedTiffError } from '../../errors.ts';

const CLEAR = 256;
const END = 257;
const FIRST_FREE = 258;
const MAX_CODES = 4096;

/**
 * Whether a chunk has the order of bits that writers used before TIFF 6.0. The first code is Clear,
 * which starts with 0x80 in the order of the specification and with 0x00 in the other one.
 */
export function isOldStyleLzw(packed: Uint8Array): boolean {
  return packed[0] === 0 && ((packed[1] ?? 0) & 1) === 1;
}

/**
 * Decodes a chunk until `target` is full; codes after that are ignored. Throws MalformedTiffError
 * for a code that is not in the table, and when the codes end before.
 */
export function unpackLzw(packed: Uint8Array, target: Uint8Array): void {
  const isOld = isOldStyleLzw(packed);
  const nextCode = isOld ? lowBitsFirst(packed) : highBitsFirst(packed);
  // In the order of the specification codes widen one entry before they have to.
  const early = isOld ? 0 : 1;
  const prefixes = new Uint16Array(MAX_CODES);
  const suffixes = new Uint8Array(MAX_CODES);
  const lengths = new Uint16Array(MAX_CODES).fill(1, 0, CLEAR);
  for (let byte = 0; byte < CLEAR; byte++) suffixes[byte] = byte;
  let free = FIRST_FREE;
  let width = 9;
  let previous = -1;
  let at = 0;
  while (at < target.length) {
    const code = nextCode(width);
    if (code === undefined || code === END) {
      throw new MalformedTiffError(`Expected ${target.length} bytes of LZW data but received ${at}`);
    }
    if (code === CLEAR) {
      free = FIRST_FREE;
      width = 9;
      previous = -1;
      continue;
    }
    const isNew = code === free && previous >= 0;
    if (!isNew && code >= (previous < 0 ? CLEAR : free)) {
      throw new MalformedTiffError(
        `Expected an LZW code below ${free} at byte ${at} of the decoded data but received ${code}`,
      );
    }
    const end = at + (isNew ? (lengths[previous] ?? 0) + 1 : (lengths[code] ?? 0));
    const first = writeText(isNew ? previous : code, isNew ? end - 1 : end);
    if (isNew && end <= target.length) target[end - 1] = first;
    if (previous >= 0 && free < MAX_CODES) {
      prefixes[free] = previous;
      suffixes[free] = first;
      lengths[free] = (lengths[previous] ?? 0) + 1;
      free++;
      if (free + early >= 2 ** width && width < 12) width++;
    }
    previous = code;
    at = end;
  }

  /** Writes the text of a code so that it ends at `end`; returns its first byte. */
  function writeText(code: number, end: number): number {
    let current = code;
    for (let position = end - 1; ; position--) {
      const byte = suffixes[current] ?? 0;
      if (position < target.length) target[position] = byte;
      if (current < CLEAR) return byte;
      current = prefixes[current] ?? 0;
    }
  }
}

type CodeReader = (bits: number) => number | undefined;

function highBitsFirst(packed: Uint8Array): CodeReader {
  let buffer = 0;
  let held = 0;
  let at = 0;
  return (bits) => {
    while (held < bits) {
      const byte = packed[at++];
      if (byte === undefined) return undefined;
      buffer = ((buffer << 8) | byte) & 0xffffff;
      held += 8;
    }
    held -= bits;
    return (buffer >> held) & (2 ** bits - 1);
  };
}

function lowBitsFirst(packed: Uint8Array): CodeReader {
  let buffer = 0;
  let held = 0;
  let at = 0;
  return (bits) => {
    while (held < bits) {
      const byte = packed[at++];
      if (byte === undefined) return undefined;
      buffer |= byte << held;
      held += 8;
    }
    const code = buffer & (2 ** bits - 1);
    buffer >>>= bits;
    held -= bits;
    return code;
  };
}

/** Boxes of the ISO base media file format (ISO/IEC 14496-12, section 4.2), which JP2 and HEIF files are made of. */
import { RejectedImageError } from '../errors.ts';
import type { RangeReader } from '../bytes/range-reader.ts';

export interface Box {
  /** Four characters. */
  readonly type: string;
  /** Of the content: its first byte, and the byte after its last. */
  readonly start: number;
  readonly end: number;
}

/** Far more than any image has on one level. */
const MAX_BOXES = 4_096;
/** A description of an image is not longer. Bytes. */
const MAX_CONTENT_BYTES = 16 * 2 ** 20;

/**
 * The boxes that lie between two offsets, in order. Throws RejectedImageError: TRUNCATED when one ends behind the file's
 * end, CORRUPT_HEADER when it ends behind `end`.
 */
export async function readBoxes(reader: RangeReader, start: number, end: number): Promise<Box[]> {
  const boxes: Box[] = [];
  for (let at = start; at + 8 <= end;) {
    const head = viewOf(await reader.read(at, Math.min(16, end - at)));
    const type = textOf(head, 4);
    const { length, headBytes } = boxLength(head, at, end);
    if (length < headBytes) throw corrupt(`Expected a length for box ${type} at 0x${at.toString(16)}`, length);
    const box = { type, start: at + headBytes, end: at + length };
    if (box.end > reader.size) {
      throw new RejectedImageError('TRUNCATED', `box ${type} ends at byte ${box.end}, the file has ${reader.size}`);
    }
    if (box.end > end) throw corrupt(`Expected box ${type} to end by 0x${end.toString(16)}`, box.end);
    boxes.push(box);
    if (boxes.length > MAX_BOXES) throw corrupt(`Expected at most ${MAX_BOXES} boxes`, 'more');
    at = box.end;
  }
  return boxes;
}

function boxLength(head: DataView, at: number, end: number): { length: number; headBytes: number } {
  const length = head.getUint32(0);
  // A length of zero reaches to the end of the file.
  if (length === 0) return { length: end - at, headBytes: 8 };
  if (length !== 1) return { length, headBytes: 8 };
  if (head.byteLength < 16) throw corrupt('Expected 16 bytes of box header', head.byteLength);
  return { length: Number(head.getBigUint64(8)), headBytes: 16 };
}

/** The content of a box, at least `least` bytes of it. */
export async function readContent(reader: RangeReader, box: Box, least: number): Promise<DataView> {
  const length = box.end - box.start;
  if (length < least) throw corrupt(`Expected ${least} bytes in box ${box.type}`, length);
  if (length > MAX_CONTENT_BYTES)
    throw corrupt(`Expected at most ${MAX_CONTENT_BYTES} bytes in box ${box.type}`, length);
  const bytes = await reader.read(box.start, length);
  if (bytes.length < length) throw new RejectedImageError('TRUNCATED', `box ${box.type} is cut short`);
  return viewOf(bytes);
}

export function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** Four characters. */
export function textOf(view: DataView, at: number): string {
  return String.fromCharCode(view.getUint8(at), view.getUint8(at + 1), view.getUint8(at + 2), view.getUint8(at + 3));
}

export function corrupt(expected: string, received: number | string): RejectedImageError {
  return new RejectedImageError('CORRUPT_HEADER', `${expected} but received ${received}`);
}

/** What a decoder cannot or must not interpret, by name. */
export function unsupported(what: string): RejectedImageError {
  return new RejectedImageError('UNSUPPORTED_PIXELS', `${what}; send grey or RGB of 8 or 16 bits`);
}

/**
 * Runs a parser over bytes that may end anywhere. Reading past their end is a corrupt header, or a file that was cut short
 * when it is the file that ends there.
 */
export function withinBytes<Result>(what: string, parse: () => Result, isEndOfFile = false): Result {
  try {
    return parse();
  } catch (error) {
    if (!isRangeError(error)) throw error;
    if (isEndOfFile) throw new RejectedImageError('TRUNCATED', `the file ends within ${what}`);
    throw corrupt(`Expected all of ${what}`, 'fewer bytes');
  }
}

/** By name: the error may come from another realm than this module. */
export function isRangeError(error: unknown): boolean {
  return typeof error === 'object' && error !== null && 'name' in error && error.name === 'RangeError';
}

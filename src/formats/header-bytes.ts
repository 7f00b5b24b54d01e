/** Parsing of binary headers, and the rejections of those that cannot be parsed or decoded. */
import { RejectedImageError } from '../errors.ts';

/** Four characters, one a byte. */
export function textOf(view: DataView, at: number): string {
  return String.fromCharCode(view.getUint8(at), view.getUint8(at + 1), view.getUint8(at + 2), view.getUint8(at + 3));
}

export function corrupt(expected: string, received: number | string): RejectedImageError {
  return new RejectedImageError('CORRUPT_HEADER', `${expected} but received ${received}`);
}

/**
 * The rejection of an image that has no decoder here, or whose samples have no defined meaning;
 * `what` names it.
 */
export function unsupported(what: string): RejectedImageError {
  return new RejectedImageError('UNSUPPORTED_PIXELS', `${what}; send grey or RGB of 8 or 16 bits`);
}

/**
 * Runs a parser of bytes that may end anywhere. When it reads past their end, throws
 * RejectedImageError: TRUNCATED if the file ends there, else CORRUPT_HEADER.
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

/** Compares names: the error may come from another realm, where `instanceof` fails. */
export function isRangeError(error: unknown): boolean {
  return typeof error === 'object' && error !== null && 'name' in error && error.name === 'RangeError';
}

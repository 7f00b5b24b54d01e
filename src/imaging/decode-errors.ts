/** Errors of libvips and of TIFF directories as rejections. */
import { DeadlineExceededError, type MalformedTiffError, RejectedImageError } from '../errors.ts';

/** The rejection of decoded pixels with another number of bands than the header promised. */
export function unexpectedBands(received: number, expected: number): RejectedImageError {
  return new RejectedImageError('CORRUPT_HEADER', `expected ${expected} bands but the pixels have ${received}`);
}

const machineFailure = /memory|no space left|too many open files|input file is missing/iu;

/** Names of loaders, and of a setting of sharp, in messages of libvips. */
const internals =
  /\b(?:VipsJpeg|vipspng|vips2\w+|\w+2vips|\w+load(?:_\w+)?|Input (?:file|buffer) has corrupt header): |Warning treated as error due to failOn setting/gu;

/**
 * Classifies an error of libvips: errors of the machine are returned unchanged, errors of the image
 * become RejectedImageError, CORRUPT_HEADER or CORRUPT_PIXELS by the part that was read. libvips
 * reports a file that ends early in the same words as a damaged one, so callers determine that.
 */
export function decodeFailure(error: unknown, part: 'header' | 'pixels' = 'pixels'): unknown {
  if (!(error instanceof Error) || machineFailure.test(error.message)) return error;
  if (error.message.startsWith('timeout: ')) return new DeadlineExceededError(error.message, { cause: error });
  const lines = error.message.split(/[\n;]/u).map((line) => line.replace(internals, '').trim());
  const reasons = [...new Set(lines.filter((line) => line !== ''))].join('; ');
  const detail = part === 'header' ? 'the header cannot be read' : 'the pixels cannot be decoded';
  const code = part === 'header' ? 'CORRUPT_HEADER' : 'CORRUPT_PIXELS';
  return new RejectedImageError(code, reasons === '' ? detail : `${detail}: ${reasons}`, { cause: error });
}

/** The rejection of a file of `size` bytes that ends before its image does. */
export function cutShort(size: number, cause: unknown): RejectedImageError {
  return new RejectedImageError('TRUNCATED', `the file ends at byte ${size}, before its image does`, { cause });
}

/** The rejection of a TIFF whose directory cannot be parsed. */
export function malformed(error: MalformedTiffError): RejectedImageError {
  return new RejectedImageError(error.cutShort ? 'TRUNCATED' : 'CORRUPT_HEADER', error.message, { cause: error });
}

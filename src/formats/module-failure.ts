import { RejectedImageError } from '../errors.ts';

/**
 * Runs a WebAssembly decoder that is loaded: whatever stops it, a trap, an abort or a C++ exception, is the image's doing.
 * Throws RejectedImageError: OVER_BUDGET when its memory was full, else CORRUPT_PIXELS.
 */
export function runDecoder<Result>(name: string, work: () => Result): Result {
  try {
    return work();
  } catch (error) {
    if (error instanceof RejectedImageError) throw error;
    // C++ exceptions arrive as the number of their address.
    const detail =
      typeof error === 'object' && error !== null && 'message' in error ? String(error.message) : 'it threw';
    const isFull = /OOM|out of memory|cannot enlarge memory|bad_alloc/iu.test(detail);
    throw new RejectedImageError(isFull ? 'OVER_BUDGET' : 'CORRUPT_PIXELS', `${name} gave up: ${detail}`, {
      cause: error,
    });
  }
}

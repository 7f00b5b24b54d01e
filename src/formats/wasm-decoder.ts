/**
 * Decoders in npm packages of their own, as WebAssembly. They are loaded when the first image needs
 * them and are part of no bundle: the WebAssembly must lie beside their code, and libheif (LGPL)
 * stays a library that anyone may replace.
 */
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { RejectedImageError } from '../errors.ts';

/**
 * A CommonJS bundle has no module URL. There Node searches beside the function and in NODE_PATH,
 * where layers are.
 */
function packageRequire(): NodeJS.Require {
  return createRequire((import.meta as { url?: string }).url ?? `${process.cwd()}/`);
}

/** The exports of a CommonJS package. */
export function loadPackage(name: string): unknown {
  return packageRequire()(name);
}

/**
 * The bytes of a file of a package. They are passed to the decoder, which would otherwise search
 * for the file itself.
 */
export async function readPackageFile(name: string): Promise<Uint8Array<ArrayBuffer>> {
  return Uint8Array.from(await readFile(packageRequire().resolve(name)));
}

/**
 * Runs a decoder that is loaded. A trap, an abort or a C++ exception is attributed to the image.
 * Throws RejectedImageError: OVER_BUDGET when the decoder's memory was full, else CORRUPT_PIXELS.
 */
export function runDecoder<Result>(name: string, work: () => Result): Result {
  try {
    return work();
  } catch (error) {
    if (error instanceof RejectedImageError) throw error;
    // A C++ exception arrives as a number, its address.
    const detail =
      typeof error === 'object' && error !== null && 'message' in error ? String(error.message) : 'a C++ exception';
    const isFull = /OOM|out of memory|cannot enlarge memory|bad_alloc/iu.test(detail);
    throw new RejectedImageError(isFull ? 'OVER_BUDGET' : 'CORRUPT_PIXELS', `${name} failed: ${detail}`, {
      cause: error,
    });
  }
}

/** A module's memory grows by a fifth more than is asked for. */
const HEAP_GROWTH = 1.2;
/**
 * Memory of a module with nothing in it: measured 52 MB (OpenJPEG), 17 MB (libheif), 19 MB
 * (PDFium). Bytes.
 */
const EMPTY_HEAP = 64 * 2 ** 20;

/** Size of a module's memory when `bytes` are allocated in it. Bytes. */
export function heapBytes(bytes: number): number {
  return EMPTY_HEAP + Math.ceil(bytes * HEAP_GROWTH);
}

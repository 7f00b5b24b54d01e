/** Masters of formats that are converted to a TIFF before they are planned. */
import { readFile } from 'node:fs/promises';
import { withFileReader } from '../bytes/file-reader.ts';
import { pagedReader, type RangeReader } from '../bytes/range-reader.ts';
import { withSyncReader } from '../bytes/sync-reader.ts';
import { RejectedImageError } from '../errors.ts';
import type { ConvertibleFormat } from '../pyramid/source-image.ts';
import { type DecodedImage, type ImageShape, decodedBytes } from './decoded-image.ts';
import { type Decoders, decoders as defaultDecoders } from './decoders.ts';
import type { DecodeOptions } from './format.ts';

/**
 * The size and the samples that a master decodes to, from its header. Throws RejectedImageError.
 */
export function probe(
  format: ConvertibleFormat,
  reader: RangeReader,
  options: Pick<DecodeOptions, 'dpi' | 'page'>,
  decoders: Decoders = defaultDecoders,
): Promise<ImageShape> {
  return decoders[format].header(pagedReader(reader, 4_096), options);
}

/**
 * Decodes the first picture of a master, or the requested page of a PDF, upright. Call `probe` and
 * `assertAffordable` before.
 * Throws RejectedImageError when the file is cut short, damaged, or of a kind that has no decoder
 * here, and when the decoder did not return every sample.
 */
export async function decode(
  format: ConvertibleFormat,
  bytes: Uint8Array,
  options: DecodeOptions,
  decoders: Decoders = defaultDecoders,
): Promise<DecodedImage> {
  return complete(await decoders[format].decode(bytes, options));
}

/** `probe` of a file, of which the decoder reads no more than it needs. */
export function probePath(
  format: ConvertibleFormat,
  path: string,
  options: Pick<DecodeOptions, 'dpi' | 'page'>,
): Promise<ImageShape> {
  const { inPieces } = defaultDecoders[format];
  return inPieces
    ? withSyncReader(path, (reader) => inPieces.header(reader, options))
    : withFileReader(path, (reader) => probe(format, reader, options));
}

/** `decode` of a file, of which the decoder reads no more than it needs. */
export async function decodePath(
  format: ConvertibleFormat,
  path: string,
  options: DecodeOptions,
): Promise<DecodedImage> {
  const { inPieces } = defaultDecoders[format];
  if (!inPieces) return decode(format, await readFile(path), options);
  return complete(await withSyncReader(path, (reader) => inPieces.decode(reader, options)));
}

/** Throws RejectedImageError for an image that lacks samples. */
function complete(image: DecodedImage): DecodedImage {
  if (image.data.byteLength !== decodedBytes(image)) {
    throw new RejectedImageError(
      'CORRUPT_PIXELS',
      `its decoder returned ${image.data.byteLength} of ${decodedBytes(image)} bytes of samples`,
    );
  }
  return image;
}

export interface MemoryNeed {
  /** Largest size of the decoder's WebAssembly memory; 0 for decoders without one. Bytes. */
  readonly heap: number;
  /** Of the process, beyond its own needs: file, heap and decoded samples. Bytes. */
  readonly total: number;
}

/**
 * The memory of each WebAssembly module is built for at most 2 GiB; code and stack take a part of
 * it. Bytes.
 */
const MAX_HEAP_BYTES = 2_000 * 2 ** 20;
/** Size of such a memory, of which a module may use everything. Bytes. */
export const LARGEST_HEAP = 2 ** 31;
/**
 * The file is held in one buffer, and Node reads no larger file into one; PDFium, which reads
 * parts, has positions of 32 bits. Bytes.
 */
const MAX_FILE_BYTES = 2 ** 31 - 1;

/** Upper bound of the memory that decoding a file of `fileBytes` to `shape` needs. */
export function memoryNeed(
  format: ConvertibleFormat,
  shape: ImageShape,
  fileBytes: number,
  decoders: Decoders = defaultDecoders,
): MemoryNeed {
  const decoder = decoders[format];
  const { heap, rasterCopies } = decoder.memory(shape, fileBytes);
  const heldBytes = decoder.inPieces ? 0 : fileBytes;
  return { heap, total: Math.ceil(heldBytes + heap + decodedBytes(shape) * rasterCopies) };
}

/**
 * Throws RejectedImageError OVER_BUDGET when decoding may need more than `budget` bytes, or than a
 * module can have.
 */
export function assertAffordable(
  format: ConvertibleFormat,
  shape: ImageShape,
  fileBytes: number,
  budget: number,
  decoders: Decoders = defaultDecoders,
): void {
  const article = format === 'avif' ? 'an' : 'a';
  const image = `${article} ${format.toUpperCase()} of ${shape.width} × ${shape.height}`;
  assertFits(image, memoryNeed(format, shape, fileBytes, decoders), fileBytes, budget);
}

/** The smallest picture: what a decoder needs for the file alone. */
export const ONE_PIXEL: ImageShape = { width: 1, height: 1, bands: 1, alpha: false, bitDepth: 8 };

/** `assertAffordable` before anything of the file is read, whatever its picture. */
export function assertReadable(format: ConvertibleFormat, fileBytes: number, budget: number): void {
  const image = `a ${format.toUpperCase()} of ${mebibytes(fileBytes)}`;
  assertFits(image, memoryNeed(format, ONE_PIXEL, fileBytes), fileBytes, budget);
}

function assertFits(image: string, { heap, total }: MemoryNeed, fileBytes: number, budget: number): void {
  const refuse = (reason: string): never => {
    throw new RejectedImageError('OVER_BUDGET', `${image} ${reason}`);
  };
  if (fileBytes > MAX_FILE_BYTES) refuse(`in ${mebibytes(fileBytes)} is too large to be read at once`);
  if (heap > MAX_HEAP_BYTES) {
    refuse(`needs ${mebibytes(heap)} in its decoder, which has ${mebibytes(MAX_HEAP_BYTES)}`);
  }
  if (total > budget) refuse(`needs ${mebibytes(total)} to decode, there are ${mebibytes(budget)}`);
}

function mebibytes(bytes: number): string {
  return `${Math.ceil(bytes / 2 ** 20)} MiB`;
}

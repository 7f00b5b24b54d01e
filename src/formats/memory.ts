/** How much memory a decoder will need, known before it starts. */
import { RejectedImageError } from '../errors.ts';
import type { ConvertibleFormat } from '../pyramid/source-image.ts';
import { type ImageShape, rasterBytes, samplesPerPixel } from './decoded-image.ts';

export interface MemoryNeed {
  /** Of the decoder's WebAssembly memory at its largest; 0 where it has none. Bytes. */
  readonly heap: number;
  /** Of the process beyond what it needs anyway: file, heap and decoded samples. Bytes. */
  readonly total: number;
}

/** All three modules are built with a memory of at most 2 GiB, of which code and stack take a little. Bytes. */
const HEAP_CEILING = 2_000 * 2 ** 20;
/** A file is held in one buffer, of which Node reads no larger one. Bytes. */
const FILE_CEILING = 2 ** 31 - 1;
/** A module's memory grows by a fifth more than is asked for. */
const HEAP_GROWTH = 1.2;
/** A module with nothing in it: measured 52 MB (OpenJPEG), 17 MB (libheif), 19 MB (PDFium). Bytes. */
const EMPTY_HEAP = 64 * 2 ** 20;
/** What libvips holds besides whole rasters. Bytes. */
const LIBVIPS_BYTES = 64 * 2 ** 20;

/** The memory that decoding a file of `fileBytes` to `shape` needs at most. */
export function memoryNeed(format: ConvertibleFormat, shape: ImageShape, fileBytes: number): MemoryNeed {
  const heap = heapBytes(format, shape, fileBytes);
  const raster = rasterBytes(shape);
  return { heap, total: Math.ceil(fileBytes + heap + raster * rasterCopies(format, shape)) };
}

/** Throws RejectedImageError OVER_BUDGET when decoding would need more than `budget`, or than a module can have. */
export function assertAffordable(
  format: ConvertibleFormat,
  shape: ImageShape,
  fileBytes: number,
  budget: number,
): void {
  const { heap, total } = memoryNeed(format, shape, fileBytes);
  const megabytes = (bytes: number): string => `${Math.ceil(bytes / 2 ** 20)} MiB`;
  const image = `a ${format.toUpperCase()} of ${shape.width} × ${shape.height}`;
  if (fileBytes > FILE_CEILING) {
    throw new RejectedImageError('OVER_BUDGET', `${image} in ${megabytes(fileBytes)} is too large to be read at once`);
  }
  if (heap > HEAP_CEILING) {
    const ceiling = megabytes(HEAP_CEILING);
    throw new RejectedImageError(
      'OVER_BUDGET',
      `${image} needs ${megabytes(heap)} in its decoder, which has ${ceiling}`,
    );
  }
  if (total > budget) {
    throw new RejectedImageError(
      'OVER_BUDGET',
      `${image} needs ${megabytes(total)} to decode, there are ${megabytes(budget)}`,
    );
  }
}

function heapBytes(format: ConvertibleFormat, shape: ImageShape, fileBytes: number): number {
  const grown = (bytes: number): number => EMPTY_HEAP + Math.ceil(bytes * HEAP_GROWTH);
  switch (format) {
    case 'jp2':
      return grown(openJpegBytes(shape) + 2 * fileBytes);
    case 'heic':
      return grown(libheifBytes(shape) + 2 * fileBytes);
    case 'pdf':
      return grown(4 * shape.width * shape.height + PDF_UNPACKED + 2 * fileBytes);
    case 'bmp':
    case 'gif':
      return 0;
  }
}

/**
 * OpenJPEG holds every component as 32-bit numbers, those of alpha or of other components too, and the result beside
 * them; when components are chosen from among others they are copied first. Its copies of the file are counted apart.
 */
function openJpegBytes(shape: ImageShape): number {
  const pixels = shape.width * shape.height;
  const components = samplesPerPixel(shape);
  const chosen = shape.alpha ? shape.bands : 0;
  return pixels * (4 * (components + chosen) + shape.bands * (shape.bitDepth / 8));
}

/** The decoder's planes and libheif's copy of them, at worst without subsampling, and the interleaved result. */
function libheifBytes(shape: ImageShape): number {
  const planes = 3 + (shape.alpha ? 1 : 0);
  return shape.width * shape.height * 3 * planes * (shape.bitDepth / 8);
}

/**
 * What PDFium unpacks of a page: its pictures, fonts and display list. Nothing in the file says how much; this is an A4 page
 * scanned at 600 dpi in colour, twice. More may still fit; what does not fit is rejected by the decoder. Bytes.
 */
const PDF_UNPACKED = 256 * 2 ** 20;

/**
 * Decoded samples are held once more where they change on the way: alpha put in, bits widened, runs unpacked. libvips and
 * sharp hold a GIF 2.3 times in all (measured with 6,000 × 6,000 pixels).
 */
function rasterCopies(format: ConvertibleFormat, shape: ImageShape): number {
  if (format === 'jp2') return shape.alpha ? 2.5 : 2;
  if (format === 'bmp') return 2;
  if (format === 'gif') return 3 + LIBVIPS_BYTES / rasterBytes(shape);
  return 1;
}

/** YCbCr samples of 8 bits that are not coded as JPEG (TIFF 6.0, section 21). */
import { type Directory, readNumbers, type TiffFile } from './read.ts';
import { Compression, Photometric, Tag } from './tags.ts';

export interface YccLayout {
  /**
   * Pixels that share a pair of chroma samples. Interleaved, a data unit holds their luma samples,
   * row by row, then Cb and Cr; units beyond the edge of a chunk are complete. In separate planes,
   * those of chroma have that many fewer columns and rows.
   */
  readonly across: number;
  readonly down: number;
  /** Shares of red, green and blue in luma. */
  readonly coefficients: readonly [number, number, number];
  /** Black and white of luma, then zero and the end of the range of Cb, and of Cr. */
  readonly reference: readonly number[];
}

interface Samples {
  readonly photometric: number;
  readonly compression: number;
  readonly samplesPerPixel: number;
  readonly bitsPerSample: readonly number[];
}

/** ITU-R BT.601, the default of TIFF 6.0. */
const COEFFICIENTS = [0.299, 0.587, 0.114] as const;
/** As libtiff, full range: the default of TIFF 6.0 has no negative chroma. */
const REFERENCE = [0, 255, 128, 255, 128, 255] as const;
const subsamplings: readonly (number | undefined)[] = [1, 2, 4];

/**
 * The layout of YCbCr samples that our own decoders convert to RGB; undefined for all others:
 * other depths, and compressions that decode YCbCr themselves.
 */
export async function readYccLayout(
  file: TiffFile,
  directory: Directory,
  { photometric, compression, samplesPerPixel, bitsPerSample }: Samples,
): Promise<YccLayout | undefined> {
  const decoding: readonly number[] = [Compression.oldJpeg, Compression.jpeg, Compression.webp];
  const isBytes = samplesPerPixel === 3 && bitsPerSample.every((bits) => bits === 8);
  if (photometric !== Photometric.yCbCr || decoding.includes(compression) || !isBytes) return undefined;
  const [across = 2, down = 2] = (await readNumbers(file, directory, Tag.YCbCrSubSampling, 2)) ?? [];
  if (!subsamplings.includes(across) || !subsamplings.includes(down)) return undefined;
  const [red = 0, green = 0, blue = 0] = (await readNumbers(file, directory, Tag.YCbCrCoefficients, 3)) ?? COEFFICIENTS;
  const reference = (await readNumbers(file, directory, Tag.ReferenceBlackWhite, 6)) ?? REFERENCE;
  const isRange = reference.length === 6 && [0, 2, 4].every((at) => (reference[at + 1] ?? 0) > (reference[at] ?? 0));
  const isSound = [red, green, blue].every((share) => share > 0 && share < 1);
  if (!isRange || !isSound) return undefined;
  return { across, down, coefficients: [red, green, blue], reference };
}

/** Size of a chunk of `width` × `height` pixels in one of the planes. Samples. */
export function yccPlaneSize(
  { across, down }: YccLayout,
  plane: number,
  width: number,
  height: number,
): { readonly width: number; readonly height: number } {
  return plane === 0 ? { width, height } : { width: Math.ceil(width / across), height: Math.ceil(height / down) };
}

/** Bytes of the data units of a chunk of `width` × `height` pixels. */
export function yccBytes({ across, down }: YccLayout, width: number, height: number): number {
  return Math.ceil(width / across) * Math.ceil(height / down) * (across * down + 2);
}

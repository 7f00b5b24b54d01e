/**
 * Samples that become unsigned samples of 8 or 16 bits when their chunks are decoded: grey and RGB
 * of other depths, signed, and floating point.
 */
import { type Directory, readNumbers, type TiffFile } from './read.ts';
import { Photometric, Tag } from './tags.ts';

/** Values of SampleFormat (TIFF 6.0, section 19). */
const [UNSIGNED, SIGNED, FLOAT] = [1, 2, 3];

export interface SampleMapping {
  /** Bits of a stored sample. */
  readonly bits: number;
  /** Bits of a decoded sample. */
  readonly to: 8 | 16;
  readonly format: 'unsigned' | 'signed' | 'float';
  /** Stored values that become 0 and the largest value. */
  readonly range: { readonly min: number; readonly max: number };
}

interface Samples {
  readonly photometric: number;
  readonly samplesPerPixel: number;
  readonly bitsPerSample: readonly number[];
  readonly sampleFormat: readonly number[];
  readonly extraSamples: readonly number[];
}

/**
 * The mapping of the samples; undefined where libvips decodes them as they are, and where no
 * mapping is defined: samples that differ in kind, colour models other than grey and RGB, and
 * floating point without a stated range.
 */
export async function readSampleMapping(
  file: TiffFile,
  directory: Directory,
  samples: Samples,
): Promise<SampleMapping | undefined> {
  const { bitsPerSample, sampleFormat, photometric } = samples;
  const [bits = 0] = bitsPerSample;
  const [format = UNSIGNED] = sampleFormat;
  const isUniform = bitsPerSample.every((each) => each === bits) && sampleFormat.every((each) => each === format);
  const models: readonly number[] = [Photometric.whiteIsZero, Photometric.blackIsZero, Photometric.rgb];
  if (!isUniform || !models.includes(photometric)) return undefined;
  if (format === FLOAT) return floatMapping(file, directory, samples, bits);
  const to = bits <= 8 ? 8 : 16;
  if (!Number.isInteger(bits) || bits < 1 || bits > 32) return undefined;
  if (format === SIGNED && bits > 1) {
    return { bits, to, format: 'signed', range: { min: -(2 ** (bits - 1)), max: 2 ** (bits - 1) - 1 } };
  }
  const isDecoded = [8, 16].includes(bits) || ([1, 2, 4].includes(bits) && samples.samplesPerPixel === 1);
  if (format !== UNSIGNED || isDecoded) return undefined;
  return { bits, to, format: 'unsigned', range: { min: 0, max: 2 ** bits - 1 } };
}

/** SMinSampleValue and SMaxSampleValue have one value a sample, or one for all. */
async function floatMapping(
  file: TiffFile,
  directory: Directory,
  { samplesPerPixel, extraSamples }: Samples,
  bits: number,
): Promise<SampleMapping | undefined> {
  const lowest = await readNumbers(file, directory, Tag.SMinSampleValue, samplesPerPixel);
  const highest = await readNumbers(file, directory, Tag.SMaxSampleValue, samplesPerPixel);
  if (![16, 32, 64].includes(bits) || extraSamples.length > 0 || !lowest || !highest) return undefined;
  const [min, max] = [Math.min(...lowest), Math.max(...highest)];
  if (!Number.isFinite(min) || !Number.isFinite(max) || max <= min) return undefined;
  return { bits, to: 16, format: 'float', range: { min, max } };
}

/**
 * A decoded sample. Integers of fewer bits are widened by repeating their bits, so that the largest
 * value becomes the largest; of more bits, the upper ones are kept. Floating point is mapped
 * linearly, rounded and clamped; NaN becomes 0.
 */
export function mappedSample({ bits, to, format, range }: SampleMapping, value: number): number {
  if (format === 'float') {
    const share = (value - range.min) / (range.max - range.min);
    return Math.round(Math.min(1, Math.max(0, Number.isNaN(share) ? 0 : share)) * (2 ** to - 1));
  }
  const unsigned = Math.min(range.max, Math.max(range.min, value)) - range.min;
  if (bits >= to) return Math.floor(unsigned / 2 ** (bits - to));
  let wide = 0;
  for (let shift = to - bits; shift > -bits; shift -= bits) {
    wide |= shift >= 0 ? unsigned << shift : unsigned >> -shift;
  }
  return wide;
}

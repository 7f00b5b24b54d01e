/**
 * Samples that become unsigned samples of 8 or 16 bits when their chunks are decoded: grey and RGB
 * of other depths, signed, and floating point.
 */
import { widenSample } from '../bytes/widen-sample.ts';
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
  /**
   * Stored values that become 0 and the largest value; absent where samples are widened, which
   * loses and moves none.
   */
  readonly range?: { readonly min: number; readonly max: number };
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
 * signed samples, floating point and more than 16 bits unless the file states the range of its
 * values. Pictures seldom use the whole range of such types, so that mapping it would show nothing.
 */
export async function readSampleMapping(
  file: TiffFile,
  directory: Directory,
  samples: Samples,
): Promise<SampleMapping | undefined> {
  const { bitsPerSample, sampleFormat, photometric, samplesPerPixel } = samples;
  const [bits = 0] = bitsPerSample;
  const [code = UNSIGNED] = sampleFormat;
  const isUniform = bitsPerSample.every((each) => each === bits) && sampleFormat.every((each) => each === code);
  const models: readonly number[] = [Photometric.whiteIsZero, Photometric.blackIsZero, Photometric.rgb];
  const format = formats[code];
  if (!isUniform || !models.includes(photometric) || !format || !isPossible(format, bits)) return undefined;
  const to = bits <= 8 ? 8 : 16;
  if (format !== 'unsigned' || bits > 16) return ranged(file, directory, samples, { bits, to, format });
  const isDecoded = [8, 16].includes(bits) || ([1, 2, 4].includes(bits) && samplesPerPixel === 1);
  return isDecoded ? undefined : { bits, to, format };
}

const formats: Readonly<Record<number, SampleMapping['format']>> = {
  [UNSIGNED]: 'unsigned',
  [SIGNED]: 'signed',
  [FLOAT]: 'float',
};

function isPossible(format: SampleMapping['format'], bits: number): boolean {
  if (format === 'float') return [16, 32, 64].includes(bits);
  return Number.isInteger(bits) && bits <= 32 && bits >= (format === 'signed' ? 2 : 1);
}

/** SMinSampleValue and SMaxSampleValue have one value a sample, or one for all. */
async function ranged(
  file: TiffFile,
  directory: Directory,
  { samplesPerPixel, extraSamples }: Samples,
  mapping: SampleMapping,
): Promise<SampleMapping | undefined> {
  const lowest = await readNumbers(file, directory, Tag.SMinSampleValue, samplesPerPixel);
  const highest = await readNumbers(file, directory, Tag.SMaxSampleValue, samplesPerPixel);
  if (extraSamples.length > 0 || !lowest || !highest) return undefined;
  const [min, max] = [Math.min(...lowest), Math.max(...highest)];
  return Number.isFinite(min) && Number.isFinite(max) && max > min ? { ...mapping, range: { min, max } } : undefined;
}

/**
 * A decoded sample. Without a range samples are widened by repeating their bits, so that the
 * largest value becomes the largest. A range is mapped linearly, rounded and clamped; NaN becomes
 * 0.
 */
export function mappedSample({ bits, to, range }: SampleMapping, value: number): number {
  if (range) {
    const share = (value - range.min) / (range.max - range.min);
    return Math.round(Math.min(1, Math.max(0, Number.isNaN(share) ? 0 : share)) * (2 ** to - 1));
  }
  return widenSample(Math.min(2 ** bits - 1, Math.max(0, Math.round(value))), bits, to);
}

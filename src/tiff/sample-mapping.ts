/**
 * Samples that become unsigned samples of 8 or 16 bits when their chunks are decoded: grey and RGB
 * of other depths, signed, and floating point.
 */
import { widenSample } from '../bytes/widen-sample.ts';
import { readNoData } from './no-data.ts';
import { type Directory, readNumbers, type TiffFile } from './read.ts';
import { Photometric, Tag } from './tags.ts';

/** Values of SampleFormat (TIFF 6.0, section 19). */
const [UNSIGNED, SIGNED, FLOAT] = [1, 2, 3];

/** Stored values that become 0 and the largest value. */
export interface SampleRange {
  readonly min: number;
  readonly max: number;
}

export interface SampleMapping {
  /** Bits of a stored sample. */
  readonly bits: number;
  /** Bits of a decoded sample. */
  readonly to: 8 | 16;
  readonly format: 'unsigned' | 'signed' | 'float';
  /**
   * `unknown` where the file does not state it: it follows from the pixels. Absent where samples
   * are widened, which loses and moves none.
   */
  readonly range?: SampleRange | 'unknown';
  /** Of samples with a range: the stored value that means that there is none, beside NaN. */
  readonly noData?: number;
}

interface Samples {
  readonly photometric: number;
  readonly samplesPerPixel: number;
  readonly bitsPerSample: readonly number[];
  readonly sampleFormat: readonly number[];
}

/**
 * The mapping of the samples; undefined where libvips decodes them as they are, and where no
 * mapping is defined: samples that differ in kind, and colour models other than grey and RGB.
 * Signed samples, floating point and more than 16 bits have a range, because pictures seldom use
 * the whole range of such types.
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
  if (format !== 'unsigned' || bits > 16) return ranged(file, directory, samplesPerPixel, { bits, to, format });
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
  samplesPerPixel: number,
  mapping: Omit<SampleMapping, 'range' | 'noData'>,
): Promise<SampleMapping> {
  const lowest = (await readNumbers(file, directory, Tag.SMinSampleValue, samplesPerPixel)) ?? [NaN];
  const highest = (await readNumbers(file, directory, Tag.SMaxSampleValue, samplesPerPixel)) ?? [NaN];
  const [min, max] = [Math.min(...lowest), Math.max(...highest)];
  const isStated = Number.isFinite(min) && Number.isFinite(max) && max > min;
  const noData = asStored(mapping, await readNoData(file, directory));
  return {
    ...mapping,
    range: isStated ? { min, max } : 'unknown',
    ...(noData === undefined ? {} : { noData }),
  };
}

/** The text of a number has other digits than the sample that it is stored as. */
function asStored({ format, bits }: Pick<SampleMapping, 'format' | 'bits'>, value?: number): number | undefined {
  if (value === undefined || format !== 'float' || bits === 64) return value;
  return bits === 32 ? Math.fround(value) : Math.f16round(value);
}

/** Whether a stored sample has no value: NaN, or GDAL's value for no data. */
export function isWithoutValue({ noData }: SampleMapping, value: number): boolean {
  return Number.isNaN(value) || value === noData;
}

/**
 * A decoded sample. Without a range samples are widened by repeating their bits, so that the
 * largest value becomes the largest. A range is mapped linearly, rounded and clamped; samples
 * without a value become 0, and so does every sample of an image of one value.
 */
export function mappedSample(mapping: SampleMapping, value: number): number {
  const { bits, to, range } = mapping;
  if (range === 'unknown') throw new Error(`Expected a range for samples of ${bits} bits but received none`);
  if (!range) return widenSample(Math.min(2 ** bits - 1, Math.max(0, Math.round(value))), bits, to);
  if (isWithoutValue(mapping, value)) return 0;
  // The difference of two finite numbers of 64 bits may be infinite.
  const scale = Number.isFinite(range.max - range.min) ? 1 : 0.5;
  const share = (value * scale - range.min * scale) / (range.max * scale - range.min * scale);
  return Math.round(Math.min(1, Math.max(0, Number.isNaN(share) ? 0 : share)) * (2 ** to - 1));
}

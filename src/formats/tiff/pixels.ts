/** The samples of a TIFF, and what they decode to; docs/output-profile.md has the table. */
import { RejectedImageError } from '../../errors.ts';
import type { SourceImage } from '../../pyramid/source-image.ts';
import type { DirectoryInfo } from '../../tiff/directory-info.ts';
import { isUnpackable } from '../../tiff/packed-chunks.ts';
import { type Directory, readNumber, readNumbers, type TiffFile } from '../../tiff/read.ts';
import { Compression, Photometric, Tag } from '../../tiff/tags.ts';
import { profileKind } from '../../imaging/profile-check.ts';
import { MAX_EXTRA_SAMPLES } from '../../limits.ts';
import type { HeaderOptions } from '../format.ts';

export type Pixels = Pick<SourceImage, 'model' | 'profile' | 'bands' | 'alpha' | 'ignoredSamples' | 'bitDepth'>;

/** Supported storage of one colour model. */
interface Storage {
  readonly model: SourceImage['model'];
  /** Colour samples a pixel. */
  readonly samples: 1 | 3 | 4;
  /** Supported bits a sample. */
  readonly bits: readonly number[];
  /** Whether samples may follow the colours: alpha, or others that are ignored. */
  readonly mayHaveExtra: boolean;
  readonly mayHaveAlpha: boolean;
}

const grey: Storage = { model: 'grey', samples: 1, bits: [1, 2, 4, 8, 16], mayHaveExtra: true, mayHaveAlpha: true };
const rgb: Storage = { model: 'rgb', samples: 3, bits: [8, 16], mayHaveExtra: true, mayHaveAlpha: true };
const storages: Readonly<Record<number, Storage>> = {
  [Photometric.whiteIsZero]: grey,
  [Photometric.blackIsZero]: grey,
  [Photometric.rgb]: rgb,
  [Photometric.palette]: { model: 'palette', samples: 1, bits: [1, 2, 4, 8], mayHaveExtra: false, mayHaveAlpha: false },
  [Photometric.cmyk]: { model: 'cmyk', samples: 4, bits: [8, 16], mayHaveExtra: true, mayHaveAlpha: true },
  [Photometric.cieLab]: { model: 'lab', samples: 3, bits: [8, 16], mayHaveExtra: true, mayHaveAlpha: false },
  [Photometric.iccLab]: { model: 'icc-lab', samples: 3, bits: [8, 16], mayHaveExtra: true, mayHaveAlpha: false },
};

/** Names of colour models without an entry in `storages`, for their refusal. */
const otherModels: Readonly<Record<number, string>> = {
  [Photometric.mask]: 'a mask',
  [Photometric.yCbCr]: 'YCbCr without JPEG of other than 8 bits',
};

/**
 * Describes the samples of one directory; `profile` is its ICC profile. Throws
 * RejectedImageError(UNSUPPORTED_PIXELS) for samples without a decoder or without a defined
 * meaning.
 */
export async function describeTiffPixels(
  file: TiffFile,
  directory: Directory,
  info: DirectoryInfo,
  profile: Uint8Array | undefined,
  options: HeaderOptions,
): Promise<Pixels> {
  const storage = storageOf(info);
  const extra = describeExtraSamples(info, storage, options);
  assertDecodable(info, storage);
  const bitDepth = info.mapping?.to ?? (info.bitsPerSample[0] === 16 ? 16 : 8);
  const { model } = storage;
  if (model === 'cmyk') {
    if ((await readNumber(file, directory, Tag.InkSet, CMYK_INKS)) !== CMYK_INKS) refuse('its inks are not CMYK');
    // libvips converts to 8 bits only.
    return { model, profile: await profileKind(profile, 'cmyk'), bands: 3, ...extra, bitDepth: 8 };
  }
  if (model === 'lab' || model === 'icc-lab') return { model, profile: 'none', bands: 3, ...extra, bitDepth };
  if (model !== 'palette') {
    return { model, profile: await profileKind(profile, model), bands: model === 'grey' ? 1 : 3, ...extra, bitDepth };
  }
  // A palette of greys is one band, unless its profile is for three.
  const kind = await profileKind(profile, 'rgb');
  const isGrey = kind === 'none' && (await hasGreyPalette(file, directory, info));
  return { model, profile: kind, bands: isGrey ? 1 : 3, ...extra, bitDepth };
}

/** InkSet of CMYK (TIFF 6.0, section 16). */
const CMYK_INKS = 1;
/**
 * Associated alpha, by which libvips divides the colours, and unassociated alpha (TIFF 6.0, section
 * 18).
 */
const alphaKinds: readonly (number | undefined)[] = [1, 2];

function refuse(what: string): never {
  throw new RejectedImageError(
    'UNSUPPORTED_PIXELS',
    `${what}; send grey or RGB of up to 16 unsigned bits, or CMYK or L*a*b* of 8 or 16`,
  );
}

function storageOf({ photometric, compression, ycc }: DirectoryInfo): Storage {
  const isJpeg = compression === Compression.jpeg;
  const storage = photometric === Photometric.yCbCr && (isJpeg || ycc) ? rgb : storages[photometric];
  return storage ?? refuse(`the colour model is ${otherModels[photometric] ?? `number ${photometric}`}`);
}

/**
 * Finds alpha among the samples after the colours: the first that is declared as such, or with the
 * option `alpha` the first of all if none is declared. The others are ignored.
 */
function describeExtraSamples(
  { samplesPerPixel, extraSamples, bitsPerSample, mapping }: DirectoryInfo,
  { model, samples, mayHaveExtra, mayHaveAlpha }: Storage,
  { unspecifiedSamples }: HeaderOptions,
): Pick<Pixels, 'alpha' | 'ignoredSamples'> {
  const count = samplesPerPixel - samples;
  if (count === 0) return { alpha: false };
  if (count < 0 || count > MAX_EXTRA_SAMPLES || !mayHaveExtra) {
    return refuse(`${samplesPerPixel} samples a pixel where ${samples} are colour`);
  }
  const positions = Array.from({ length: count }, (_, position) => position);
  const declared = positions.find((position) => alphaKinds.includes(extraSamples[position]));
  const alphaAt = declared ?? (unspecifiedSamples === 'alpha' ? 0 : undefined);
  if (alphaAt !== undefined && !mayHaveAlpha) return refuse(`alpha beside ${model} samples`);
  if (alphaAt !== undefined && model === 'cmyk' && bitsPerSample[0] === 16) {
    return refuse('alpha beside CMYK of 16 bits');
  }
  if (alphaAt !== undefined && mapping?.range) {
    return refuse('alpha beside samples that are signed, floating point or of more than 16 bits');
  }
  const ignoredSamples = positions.filter((position) => position !== alphaAt);
  if (ignoredSamples.length > 0 && unspecifiedSamples === 'reject') {
    const unknown = `${ignoredSamples.length} of ${samplesPerPixel} samples a pixel have no stated meaning`;
    throw new RejectedImageError('UNSUPPORTED_PIXELS', `${unknown}, and the recipe rejects such images`);
  }
  return { alpha: alphaAt !== undefined, ...(ignoredSamples.length > 0 ? { ignoredSamples } : {}) };
}

function assertDecodable(info: DirectoryInfo, storage: Storage): void {
  const { bitsPerSample, sampleFormat, samplesPerPixel, mapping, compression } = info;
  if (mapping && isUnpackable(compression)) return;
  const [bits] = bitsPerSample;
  const isLab = storage.model === 'lab';
  const isEven = bitsPerSample.every((each) => each === bits);
  // Some writers declare a* and b* as signed, which they are.
  const isUnsigned = sampleFormat.every((format) => format === 1 || (isLab && format === 2));
  const hasSubBytes = bits !== undefined && bits < 8 && samplesPerPixel > 1;
  if (isEven && isUnsigned && !hasSubBytes && bits !== undefined && storage.bits.includes(bits)) return;
  const model = storage.model === 'grey' || storage.model === 'rgb' ? '' : `${storage.model} `;
  refuse(`${model}samples of ${bitsPerSample.join(', ')} bits (format ${sampleFormat.join(', ')})`);
}

/**
 * ColorMap holds all reds, all greens, then all blues in 16 bits; some writers used 8. Like
 * libvips, uses the high byte.
 */
async function hasGreyPalette(
  file: TiffFile,
  directory: Directory,
  { bitsPerSample }: DirectoryInfo,
): Promise<boolean> {
  const count = 2 ** (bitsPerSample[0] ?? 0);
  const map = (await readNumbers(file, directory, Tag.ColorMap, 3 * count)) ?? [];
  if (map.length < 3 * count) refuse(`a palette of ${map.length / 3} colours where ${count} can be named`);
  const isWide = map.some((value) => value > 255);
  const bytes = map.map((value) => (isWide ? value >> 8 : value));
  return bytes.slice(0, count).every((red, at) => red === bytes[at + count] && red === bytes[at + 2 * count]);
}

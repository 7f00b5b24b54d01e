/** The samples of a TIFF, and what they decode to; docs/output-profile.md has the table. */
import { RejectedImageError } from '../../errors.ts';
import type { SourceImage } from '../../pyramid/source-image.ts';
import type { DirectoryInfo } from '../../tiff/directory-info.ts';
import { type Directory, readNumber, readNumbers, type TiffFile } from '../../tiff/read.ts';
import { Compression, Photometric, Tag } from '../../tiff/tags.ts';
import { profileKind } from '../../imaging/profile-check.ts';

export type Pixels = Pick<SourceImage, 'model' | 'profile' | 'bands' | 'alpha' | 'bitDepth'>;

/** Supported storage of one colour model. */
interface Storage {
  readonly model: SourceImage['model'];
  /** Colour samples a pixel. */
  readonly samples: 1 | 3 | 4;
  /** Supported bits a sample. */
  readonly bits: readonly number[];
  readonly mayHaveAlpha: boolean;
}

const grey: Storage = { model: 'grey', samples: 1, bits: [1, 2, 4, 8, 16], mayHaveAlpha: true };
const rgb: Storage = { model: 'rgb', samples: 3, bits: [8, 16], mayHaveAlpha: true };
const storages: Readonly<Record<number, Storage>> = {
  [Photometric.whiteIsZero]: grey,
  [Photometric.blackIsZero]: grey,
  [Photometric.rgb]: rgb,
  [Photometric.palette]: { model: 'palette', samples: 1, bits: [1, 2, 4, 8], mayHaveAlpha: false },
  [Photometric.cmyk]: { model: 'cmyk', samples: 4, bits: [8, 16], mayHaveAlpha: false },
  [Photometric.cieLab]: { model: 'lab', samples: 3, bits: [8, 16], mayHaveAlpha: false },
  [Photometric.iccLab]: { model: 'icc-lab', samples: 3, bits: [8, 16], mayHaveAlpha: false },
};

/** Names of colour models without an entry in `storages`, for their refusal. */
const otherModels: Readonly<Record<number, string>> = {
  [Photometric.mask]: 'a mask',
  [Photometric.yCbCr]: 'YCbCr without JPEG',
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
): Promise<Pixels> {
  const storage = storageOf(info);
  const alpha = hasAlpha(info, storage);
  assertDecodable(info, storage);
  const bitDepth = info.bitsPerSample[0] === 16 ? 16 : 8;
  const { model } = storage;
  if (model === 'cmyk') {
    if ((await readNumber(file, directory, Tag.InkSet, CMYK_INKS)) !== CMYK_INKS) refuse('its inks are not CMYK');
    // libvips converts to 8 bits only.
    return { model, profile: await profileKind(profile, 'cmyk'), bands: 3, alpha, bitDepth: 8 };
  }
  if (model === 'lab' || model === 'icc-lab') return { model, profile: 'none', bands: 3, alpha, bitDepth };
  if (model !== 'palette') {
    return { model, profile: await profileKind(profile, model), bands: model === 'grey' ? 1 : 3, alpha, bitDepth };
  }
  // A palette of greys is one band, unless its profile is for three.
  const kind = await profileKind(profile, 'rgb');
  const isGrey = kind === 'none' && (await hasGreyPalette(file, directory, info));
  return { model, profile: kind, bands: isGrey ? 1 : 3, alpha, bitDepth };
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
    `${what}; send grey, RGB, CMYK or L*a*b* of 8 or 16 unsigned bits, without extra samples but alpha`,
  );
}

function storageOf({ photometric, compression }: DirectoryInfo): Storage {
  const isJpeg = compression === Compression.jpeg;
  const storage = photometric === Photometric.yCbCr && isJpeg ? rgb : storages[photometric];
  return storage ?? refuse(`the colour model is ${otherModels[photometric] ?? `number ${photometric}`}`);
}

function hasAlpha({ samplesPerPixel, extraSamples }: DirectoryInfo, { samples, mayHaveAlpha }: Storage): boolean {
  const extra = samplesPerPixel - samples;
  if (extra === 0) return false;
  if (mayHaveAlpha && extra === 1 && alphaKinds.includes(extraSamples[0])) return true;
  return refuse(`${samplesPerPixel} samples a pixel where ${samples} are colour, and no others known to be alpha`);
}

function assertDecodable({ bitsPerSample, sampleFormat, samplesPerPixel }: DirectoryInfo, storage: Storage): void {
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

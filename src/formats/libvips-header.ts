/** Headers of JPEG, PNG and WebP files, as libvips reads them. */
import type { RangeReader } from '../bytes/range-reader.ts';
import { RejectedImageError } from '../errors.ts';
import { ownMetadataError } from '../imaging/alone.ts';
import { cutShort, decodeFailure } from '../imaging/decode-errors.ts';
import { type FileMetadata, readFileMetadata } from '../imaging/file-metadata.ts';
import { profileKind } from '../imaging/profile-check.ts';
import { usableProfile } from '../metadata/icc.ts';
import type { SourceFormat, SourceImage } from '../pyramid/source-image.ts';
import type { Description } from '../tiff/pyramid-fields.ts';
import type { Identified } from './format.ts';
import { validOrientation } from './orientation.ts';

/** Enough for the header of nearly every JPEG and PNG, profile and preview included. Bytes. */
export const FIRST_READ_BYTES = 256 * 1024;

/**
 * Lets libvips parse the first `length` bytes, and more of them until its loader has the whole
 * header. Throws RejectedImageError: TRUNCATED where `isWhole` finds that the file ends early, else
 * CORRUPT_HEADER.
 */
export async function readLibvipsHeader(
  reader: RangeReader,
  length: number,
  isWhole: (reader: RangeReader) => Promise<boolean>,
): Promise<FileMetadata> {
  const start = await reader.read(0, Math.min(length, reader.size));
  try {
    return await readFileMetadata(start);
  } catch (error) {
    if (length < reader.size) return readLibvipsHeader(reader, 8 * length, isWhole);
    const failure = decodeFailure(await ownMetadataError(error, start), 'header');
    if (!(failure instanceof RejectedImageError) || (await isWhole(reader))) throw failure;
    throw cutShort(reader.size, error);
  }
}

/**
 * Describes the image by its header. `hasGreyPalette` states whether a palette holds greys only.
 * Throws RejectedImageError for animations and for samples that cannot be converted.
 */
export async function describeLibvipsHeader(
  format: SourceFormat,
  metadata: FileMetadata,
  fileSize: number,
  hasGreyPalette = false,
): Promise<Identified> {
  assertStill(metadata.pages ?? 1);
  const orientation = validOrientation(metadata.orientation);
  const icc = usableProfile(metadata.icc);
  return {
    image: {
      format,
      width: metadata.width,
      height: metadata.height,
      ...(await describePixels(metadata, icc, hasGreyPalette)),
      orientation: orientation ?? 1,
      progressive: metadata.isProgressive,
      uncompressed: false,
      chunks: null,
      fileSize,
    },
    statesOrientation: orientation !== undefined,
    description: {
      ...(icc ? { iccProfile: Buffer.from(icc).toString('base64') } : {}),
      ...(metadata.density ? { resolution: dotsPerInch(metadata.density) } : {}),
    },
    warnings: [],
  };
}

/** Throws RejectedImageError for an animation. */
export function assertStill(frames: number): void {
  if (frames > 1) throw new RejectedImageError('MULTI_PAGE', `an animation of ${frames} frames`);
}

type Pixels = Pick<SourceImage, 'model' | 'profile' | 'bands' | 'alpha' | 'bitDepth'>;

async function describePixels(
  metadata: FileMetadata,
  icc: Uint8Array | undefined,
  hasGreyPalette: boolean,
): Promise<Pixels> {
  const { hasAlpha: alpha, channels, depth, space } = metadata;
  const colours = channels - (alpha ? 1 : 0);
  if (space === 'cmyk' && channels === 4 && depth === 'uchar') {
    return { model: 'cmyk', profile: await profileKind(icc, 'cmyk'), bands: 3, alpha: false, bitDepth: 8 };
  }
  const bitDepth = depth === 'uchar' ? 8 : depth === 'ushort' ? 16 : undefined;
  if ((colours !== 1 && colours !== 3) || bitDepth === undefined || space === 'cmyk') {
    const what = `${space} of ${channels} bands (${depth})`;
    throw new RejectedImageError(
      'UNSUPPORTED_PIXELS',
      `${what}; send grey, RGB or CMYK of 8 bits, or 16 of grey or RGB`,
    );
  }
  if (!metadata.isPalette) {
    const model = colours === 1 ? 'grey' : 'rgb';
    return { model, profile: await profileKind(icc, model), bands: colours, alpha, bitDepth };
  }
  // A palette of greys is one band, unless its profile is for three.
  const profile = await profileKind(icc, 'rgb');
  return { model: 'palette', profile, bands: profile === 'none' && hasGreyPalette ? 1 : colours, alpha, bitDepth };
}

function dotsPerInch(density: number): NonNullable<Description['resolution']> {
  return { x: [density, 1], y: [density, 1], unit: 2 };
}

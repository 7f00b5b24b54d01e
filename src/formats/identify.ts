/** What is it, by content? The header decides, whatever the object is called. */
import { MalformedTiffError, RejectedImageError } from '../errors.ts';
import type { SourceFormat, SourceImage } from '../pyramid/source-image.ts';
import { pagedReader, type RangeReader } from '../bytes/range-reader.ts';
import type { Description } from '../tiff/pyramid-fields.ts';
import { decodeFailure, malformed } from '../imaging/decode.ts';
import { identifyTiff } from './tiff/header.ts';
import { isGreyPalette } from './png/palette.ts';
import { profileKind } from '../imaging/profile-check.ts';
import { sharp } from '../imaging/sharp.ts';

export interface Identified {
  readonly image: SourceImage;
  readonly description: Description;
}

/** Enough for the header of nearly every JPEG and PNG, profile and preview included. Bytes. */
const FIRST_READ = 256 * 1024;

/** The first bytes of a master, enough to tell its format. Throws RejectedImageError when it has none. */
export async function readMagic(reader: RangeReader): Promise<Uint8Array> {
  if (reader.size === 0) throw new RejectedImageError('EMPTY_OBJECT', 'the object has no bytes');
  return reader.read(0, 512);
}

/** The format that the first bytes announce, if it is one that is read here. */
export function readableFormat(magic: Uint8Array): SourceFormat | undefined {
  return signatures.find(({ at, bytes }) => startsWith(magic, at, bytes))?.format;
}

/**
 * Reads the header of a master of this format: a few ranged reads, no pixels decoded.
 * Throws RejectedImageError with the code that says why it cannot become a pyramid.
 */
export async function identify(reader: RangeReader, format: SourceFormat): Promise<Identified> {
  if (format === 'tiff') return identifyTiff(pagedReader(reader)).catch(rejectMalformed);
  return describe(format, await readMetadata(reader, format), reader.size);
}

function rejectMalformed(error: unknown): never {
  if (error instanceof MalformedTiffError) throw malformed(error);
  throw error;
}

const signatures: readonly { format: SourceFormat; at: number; bytes: string }[] = [
  { format: 'jpeg', at: 0, bytes: '\xff\xd8\xff' },
  { format: 'png', at: 0, bytes: '\x89PNG\r\n\x1a\n' },
  { format: 'webp', at: 8, bytes: 'WEBP' },
  { format: 'tiff', at: 0, bytes: 'II*\0' },
  { format: 'tiff', at: 0, bytes: 'MM\0*' },
  { format: 'tiff', at: 0, bytes: 'II+\0' },
  { format: 'tiff', at: 0, bytes: 'MM\0+' },
];

function startsWith(bytes: Uint8Array, at: number, text: string): boolean {
  return String.fromCharCode(...bytes.subarray(at, at + text.length)) === text;
}

function assertWholeWebp(head: Uint8Array, size: number): void {
  const declared = new DataView(head.buffer, head.byteOffset).getUint32(4, true) + 8;
  if (declared > size) throw new RejectedImageError('TRUNCATED', `its header says ${declared} bytes, it has ${size}`);
}

type Metadata = Awaited<ReturnType<ReturnType<typeof sharp>['metadata']>>;

interface Header {
  readonly metadata: Metadata;
  /** The bytes that were enough. */
  readonly head: Uint8Array;
}

/** Decoders read headers from the start of a file; a WebP they refuse unless they are given all of it. */
async function readMetadata(reader: RangeReader, format: SourceFormat): Promise<Header> {
  let length = format === 'webp' ? reader.size : FIRST_READ;
  for (;;) {
    const head = await reader.read(0, Math.min(length, reader.size));
    if (format === 'webp') assertWholeWebp(head, reader.size);
    try {
      return { metadata: await sharp(head, { limitInputPixels: false, ignoreIcc: true }).metadata(), head };
    } catch (error) {
      if (length >= reader.size) throw headerFailure(error);
      length *= 8;
    }
  }
}

function headerFailure(error: unknown): unknown {
  const failure = decodeFailure(error);
  if (!(failure instanceof RejectedImageError) || failure.code === 'TRUNCATED') return failure;
  const detail = failure.message.slice(`${failure.code}: `.length);
  return new RejectedImageError('CORRUPT_HEADER', detail, { cause: error });
}

async function describe(format: SourceFormat, { metadata, head }: Header, fileSize: number): Promise<Identified> {
  const frames = metadata.pages ?? 1;
  if (frames > 1) throw new RejectedImageError('MULTI_PAGE', `an animation of ${frames} frames`);
  const orientation = metadata.orientation ?? 1;
  return {
    image: {
      format,
      width: metadata.width,
      height: metadata.height,
      ...(await describePixels(metadata, head)),
      orientation: orientation >= 1 && orientation <= 8 ? orientation : 1,
      progressive: metadata.isProgressive,
      uncompressed: false,
      chunks: null,
      fileSize,
    },
    description: {
      ...(metadata.icc ? { iccProfile: Buffer.from(metadata.icc).toString('base64') } : {}),
      ...(metadata.density ? { resolution: dotsPerInch(metadata.density) } : {}),
    },
  };
}

type Pixels = Pick<SourceImage, 'model' | 'profile' | 'bands' | 'alpha' | 'bitDepth'>;

async function describePixels(metadata: Metadata, head: Uint8Array): Promise<Pixels> {
  const { hasAlpha: alpha, channels, depth, icc, space } = metadata;
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
  // A palette of greys is one band, but for a profile of three.
  const profile = await profileKind(icc, 'rgb');
  return { model: 'palette', profile, bands: profile === 'none' && isGreyPalette(head) ? 1 : colours, alpha, bitDepth };
}

function dotsPerInch(density: number): NonNullable<Description['resolution']> {
  return { x: [density, 1], y: [density, 1], unit: 2 };
}

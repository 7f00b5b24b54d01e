import type { Sharp } from 'sharp';
import { DeadlineExceededError, type MalformedTiffError, RejectedImageError } from '../errors.ts';
import { type Rect, rectSize } from '../pyramid/blocks.ts';
import type { Size } from '../pyramid/levels.ts';
import type { SourceImage } from '../pyramid/source-image.ts';
import type { Arena } from './arena.ts';
import { colourspaceOf } from './encode.ts';
import { type Raster, rasterFromBytes } from './raster.ts';
import { sharp } from './sharp.ts';

export interface DecodeRequest {
  readonly image: Pick<SourceImage, 'format' | 'alpha' | 'orientation'>;
  /** Size of what is decoded, as it is stored: the master's, or the slice's. */
  readonly stored: Size;
  /** Of the upright picture, in pixels. */
  readonly crop: Rect;
  /** What shows through where the master is transparent, like #ffffff. */
  readonly background: string;
  /** Of the samples wanted: a 16-bit master becomes 8-bit by dropping the low byte, never the other way. */
  readonly bitDepth: 8 | 16;
  /** Wanted: 1 for grey, 3 for RGB. */
  readonly bands: 1 | 3;
  /** Give up with DeadlineExceededError after this many seconds. */
  readonly timeoutSeconds: number;
}

/**
 * Decodes a rectangle of a master, or of a slice of one, upright, into memory of the arena. Samples are the master's own: no profile is applied.
 * Throws RejectedImageError when a decoder finds the pixels cut short or broken, DeadlineExceededError when time is up.
 */
export async function decodeRect(input: string | Uint8Array, request: DecodeRequest, arena: Arena): Promise<Raster> {
  const { crop, bitDepth, bands } = request;
  const size = rectSize(crop);
  const pipeline = decodePipeline(input, request).raw({ depth: bitDepth === 8 ? 'uchar' : 'ushort' });
  const { data, info } = await pipeline.toBuffer({ resolveWithObject: true }).catch((error: unknown) => {
    throw decodeFailure(error);
  });
  if (info.channels !== bands) {
    throw new RejectedImageError('CORRUPT_HEADER', `expected ${bands} bands but the pixels have ${info.channels}`);
  }
  return rasterFromBytes({ ...size, bands, bitDepth }, arena.adopt(data));
}

/** What decodes the rectangle, for an encoder to follow; its failures are for `decodeFailure`. */
export function decodePipeline(input: string | Uint8Array, request: DecodeRequest): Sharp {
  const { image, stored, crop, bitDepth, bands } = request;
  let pipeline = sharp(input, {
    page: 0,
    // libtiff warns of harmless tags; of pixels cut short it speaks as of errors.
    failOn: image.format === 'tiff' ? 'error' : 'warning',
    ignoreIcc: true,
    limitInputPixels: stored.width * stored.height,
  });
  // sharp counts whole seconds, up to an hour.
  pipeline = pipeline.timeout({ seconds: Math.min(3600, Math.max(1, Math.floor(request.timeoutSeconds))) });
  if (image.orientation !== 1) pipeline = pipeline.autoOrient();
  pipeline = pipeline.extract({ left: crop.left, top: crop.top, ...rectSize(crop) });
  if (image.alpha) pipeline = pipeline.flatten({ background: request.background });
  return pipeline.toColourspace(colourspaceOf(bands, bitDepth));
}

const cutShort = /premature end|truncated|end of (file|stream|data)|read error|not enough data|unexpected end/iu;
const notTheImage = /memory|no space left|too many open files|input file is missing/iu;

/** libvips gives every failure as a message: those of the machine pass through, the image's own become rejections. */
export function decodeFailure(error: unknown): unknown {
  if (!(error instanceof Error) || notTheImage.test(error.message)) return error;
  if (error.message.startsWith('timeout: ')) return new DeadlineExceededError(error.message, { cause: error });
  const detail = error.message.trim().split('\n').join('; ');
  return new RejectedImageError(cutShort.test(detail) ? 'TRUNCATED' : 'CORRUPT_PIXELS', detail, { cause: error });
}

/** A TIFF whose directory cannot be followed, as a rejection of the image. */
export function malformed(error: MalformedTiffError): RejectedImageError {
  return new RejectedImageError(error.cutShort ? 'TRUNCATED' : 'CORRUPT_HEADER', error.message, { cause: error });
}

import { DeadlineExceededError, RejectedImageError } from '../errors.ts';
import { type Rect, rectSize } from '../pyramid/blocks.ts';
import type { SourceImage } from '../pyramid/source-image.ts';
import { colourspaceOf } from './encode.ts';
import { type Raster, rasterFromBytes } from './raster.ts';
import { sharp } from './sharp.ts';

export interface DecodeRequest {
  readonly image: SourceImage;
  /** Of the upright image, in pixels. */
  readonly rect: Rect;
  /** What shows through where the master is transparent, like #ffffff. */
  readonly background: string;
  /** Of the samples wanted: a 16-bit master becomes 8-bit by dropping the low byte, never the other way. */
  readonly bitDepth: 8 | 16;
  /** Give up with DeadlineExceededError after this many seconds. */
  readonly timeoutSeconds: number;
}

/**
 * Decodes a rectangle of the upright image from a file. Samples are the master's own: no profile is applied.
 * Throws RejectedImageError when a decoder finds the pixels cut short or broken, DeadlineExceededError when time is up.
 */
export async function decodeRect(file: string, request: DecodeRequest): Promise<Raster> {
  const { image, rect, bitDepth } = request;
  const size = rectSize(rect);
  // sharp counts whole seconds, up to an hour.
  const seconds = Math.min(3600, Math.max(1, Math.floor(request.timeoutSeconds)));
  let pipeline = sharp(file, {
    page: 0,
    // libtiff warns of harmless tags; of pixels cut short it speaks as of errors.
    failOn: image.format === 'tiff' ? 'error' : 'warning',
    ignoreIcc: true,
    limitInputPixels: image.width * image.height,
  });
  pipeline = pipeline.timeout({ seconds });
  if (image.orientation !== 1) pipeline = pipeline.autoOrient();
  pipeline = pipeline.extract({ left: rect.left, top: rect.top, ...size });
  if (image.alpha) pipeline = pipeline.flatten({ background: request.background });
  pipeline = pipeline
    .toColourspace(colourspaceOf(image.bands, bitDepth))
    .raw({ depth: bitDepth === 8 ? 'uchar' : 'ushort' });
  const { data, info } = await pipeline.toBuffer({ resolveWithObject: true }).catch((error: unknown) => {
    throw decodeFailure(error);
  });
  if (info.channels !== image.bands) {
    throw new RejectedImageError(
      'CORRUPT_HEADER',
      `expected ${image.bands} bands but the pixels have ${info.channels}`,
    );
  }
  return rasterFromBytes({ ...size, bands: image.bands, bitDepth }, data);
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

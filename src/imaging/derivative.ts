/** Pictures for viewers, made from a region: resized, mirrored, rotated, encoded. */
import type { Sharp } from 'sharp';
import type { Size } from '../pyramid/levels.ts';
import { type RegionOptions, type RegionPicture, regionPipeline } from './region.ts';
import { sharp } from './sharp.ts';

export const derivativeFormats = ['jpg', 'png', 'webp', 'gif', 'tif', 'avif'] as const;
export type DerivativeFormat = (typeof derivativeFormats)[number];

export const derivativeQualities = ['color', 'gray', 'bitonal'] as const;
export type DerivativeQuality = (typeof derivativeQualities)[number];

export interface DerivativeRequest extends RegionOptions {
  /** Size before rotation. Pixels. */
  readonly size: Size;
  /** Mirrored left to right, before rotation. */
  readonly mirrored: boolean;
  /** Clockwise. Degrees, 0 to 360. */
  readonly rotation: number;
  readonly quality: DerivativeQuality;
  readonly format: DerivativeFormat;
  /** Quality of JPEG, 1 to 100; that of WebP and AVIF follows it. */
  readonly encodingQuality: number;
}

/** Quality of JPEG from which sharp is to keep the chroma of every pixel, as in published tiles. */
const FULL_CHROMA_QUALITY = 90;

/** What is seen beside a rotated picture and through a transparent one, where there is no alpha. */
const BACKGROUND = '#ffffff';
const TRANSPARENT = { r: 255, g: 255, b: 255, alpha: 0 };

/**
 * The encoded picture: 8 bits a sample, 16 as TIFF where the file has them. A profile other than
 * sRGB's is kept, except as GIF, which has none.
 */
export async function encodeDerivative(picture: RegionPicture, request: DerivativeRequest): Promise<Uint8Array> {
  const { size, mirrored, rotation } = request;
  const region = regionPipeline(picture, size, request);
  const upright = mirrored ? region.flop() : region;
  const turned = rotation % 360 === 0 ? upright : await rotate(upright, picture, request);
  return encoded(inQuality(turned, picture, request), picture, request);
}

/** sharp rotates before it resizes in the same pipeline, so the rotation has one of its own. */
async function rotate(
  pipeline: Sharp,
  { hasProfile, samples }: RegionPicture,
  { rotation, format, timeoutSeconds }: DerivativeRequest,
): Promise<Sharp> {
  const kept = hasProfile ? pipeline.keepIccProfile() : pipeline;
  const upright = await kept.tiff({ compression: 'none' }).toBuffer();
  const opened = sharp(upright, { ignoreIcc: true, limitInputPixels: false }).timeout({
    seconds: Math.max(1, Math.ceil(timeoutSeconds)),
  });
  if (rotation % 90 === 0) return opened.rotate(rotation);
  const hasAlpha = samples === 2 || samples === 4;
  if (format === 'jpg')
    return (hasAlpha ? opened.flatten({ background: BACKGROUND }) : opened).rotate(rotation, {
      background: BACKGROUND,
    });
  return opened.ensureAlpha().rotate(rotation, { background: TRANSPARENT });
}

function inQuality(
  pipeline: Sharp,
  { samples, bitDepth }: RegionPicture,
  { quality, format }: DerivativeRequest,
): Sharp {
  if (quality === 'bitonal') return pipeline.threshold().toColourspace('b-w');
  const isGrey = quality === 'gray' || samples <= 2;
  const isDeep = bitDepth === 16 && format === 'tif';
  const colours = pipeline.toColourspace(isGrey ? (isDeep ? 'grey16' : 'b-w') : isDeep ? 'rgb16' : 'srgb');
  return quality === 'gray' && samples > 2 ? colours.grayscale() : colours;
}

function encoded(
  pipeline: Sharp,
  { samples, hasProfile }: RegionPicture,
  { format, quality, encodingQuality }: DerivativeRequest,
): Promise<Uint8Array> {
  // A profile of RGB does not describe grey.
  const keepsProfile = hasProfile && (quality === 'color' || samples <= 2) && format !== 'gif';
  const described = keepsProfile ? pipeline.keepIccProfile() : pipeline;
  switch (format) {
    case 'jpg':
      return described
        .flatten({ background: BACKGROUND })
        .jpeg({
          quality: encodingQuality,
          chromaSubsampling: encodingQuality >= FULL_CHROMA_QUALITY ? '4:4:4' : '4:2:0',
        })
        .toBuffer();
    case 'png':
      return described.png({ compressionLevel: 6 }).toBuffer();
    case 'webp':
      return described.webp({ quality: encodingQuality, effort: 2 }).toBuffer();
    case 'gif':
      return described.gif({ effort: 3 }).toBuffer();
    case 'tif':
      return described.tiff({ compression: 'deflate', predictor: 'horizontal' }).toBuffer();
    case 'avif':
      // Higher efforts take six times as long for files of the same size.
      return described.avif({ quality: encodingQuality, effort: 0 }).toBuffer();
  }
}

/** Thumbnails: small JPEG pictures in sRGB, with the watermark of the stage if it has one. */
import type { Sharp } from 'sharp';
import type { Size } from '../pyramid/levels.ts';
import { type RegionOptions, type RegionPicture, regionPipeline } from './region.ts';
import { sharp } from './sharp.ts';
import { rasteriseWatermark } from './watermark.ts';

export interface ThumbnailRequest extends RegionOptions {
  readonly size: Size;
  /** JPEG quality, 1 to 100. */
  readonly quality: number;
  /** An SVG that is drawn over the thumbnail. */
  readonly watermark?: Uint8Array | undefined;
}

/** A thumbnail whose longer side has at most so many pixels has no watermark. */
const SMALLEST_MARKED_SIDE = 100;
/**
 * Width of the square that the watermark fits in, and its distance from the edges, as shares of the
 * shorter side.
 */
const WATERMARK_SHARE = 0.18;
const MARGIN_SHARE = 0.02;

const BACKGROUND = '#ffffff';

/**
 * Makes the thumbnail of a region: 8 bits a sample, a profile applied, transparent pixels on white.
 */
export async function encodeThumbnail(picture: RegionPicture, request: ThumbnailRequest): Promise<Uint8Array> {
  const { size, quality, watermark, timeoutSeconds } = request;
  const region = regionPipeline(picture, size, request).toColourspace(picture.samples <= 2 ? 'b-w' : 'srgb');
  const small = picture.hasProfile ? await converted(region, timeoutSeconds) : region;
  const flat = small.flatten({ background: BACKGROUND });
  const marked = watermark && Math.max(size.width, size.height) > SMALLEST_MARKED_SIDE;
  const finished = marked ? await withWatermark(flat, size, watermark, timeoutSeconds) : flat;
  return finished.jpeg({ quality }).toBuffer();
}

/** sharp applies the profile of its input, so the region is passed on with its profile. */
async function converted(region: Sharp, timeoutSeconds: number): Promise<Sharp> {
  return reopened(await region.keepIccProfile().tiff({ compression: 'none' }).toBuffer(), timeoutSeconds);
}

/**
 * sharp composes after it flattens, but before it converts colours, so that has a pipeline of its
 * own.
 */
async function withWatermark(
  thumbnail: Sharp,
  { width, height }: Size,
  svg: Uint8Array,
  timeoutSeconds: number,
): Promise<Sharp> {
  const side = Math.min(width, height);
  const mark = await rasteriseWatermark(svg, Math.max(1, Math.round(side * WATERMARK_SHARE)));
  const margin = Math.round(side * MARGIN_SHARE);
  const coloured = await thumbnail.toColourspace('srgb').png({ compressionLevel: 0 }).toBuffer();
  const left = Math.max(0, width - margin - mark.width);
  const top = Math.max(0, height - margin - mark.height);
  return reopened(coloured, timeoutSeconds).composite([{ input: Buffer.from(mark.png), left, top }]);
}

function reopened(file: Uint8Array, timeoutSeconds: number): Sharp {
  return sharp(file, { failOn: 'warning', limitInputPixels: false })
    .timeout({ seconds: Math.max(1, Math.ceil(timeoutSeconds)) })
    .toColourspace('srgb');
}

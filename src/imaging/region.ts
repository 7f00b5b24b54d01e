/** Pipelines of libvips from the tiles of a region to its pixels in a given size. */
import type { Sharp } from 'sharp';
import { type Rect, rectSize } from '../pyramid/blocks.ts';
import type { Size } from '../pyramid/levels.ts';
import type { Arena } from './arena.ts';
import { colourspaceOf } from './encode.ts';
import { type Raster, rasterFromBytes } from './raster.ts';
import { sharp } from './sharp.ts';

/** A region of a level as a TIFF of whole tiles around it. */
export interface RegionPicture {
  readonly file: Uint8Array;
  /** The region within the TIFF. Pixels. */
  readonly crop: Rect;
  /** Columns and rows that are added by repeating the last one. */
  readonly repeat: { readonly right: number; readonly bottom: number };
  /** Samples a pixel: grey or RGB, and alpha. */
  readonly samples: number;
  readonly bitDepth: 8 | 16;
  /** Whether the TIFF has a profile other than that of sRGB. */
  readonly hasProfile: boolean;
}

export interface RegionOptions {
  /** Decoding is aborted after this many seconds. */
  readonly timeoutSeconds: number;
}

/**
 * The pipeline of the region in the given size: its samples as they are if that is its own size,
 * otherwise resized. Pixels are those of the file; a profile other than sRGB's is not applied.
 */
export function regionPipeline(
  { file, crop, repeat, samples, bitDepth }: RegionPicture,
  size: Size,
  { timeoutSeconds }: RegionOptions,
): Sharp {
  const own = rectSize(crop);
  const opened = sharp(file, { failOn: 'warning', ignoreIcc: true, limitInputPixels: false })
    .timeout({ seconds: Math.max(1, Math.ceil(timeoutSeconds)) })
    .toColourspace(colourspaceOf(samples <= 2 ? 1 : 3, bitDepth))
    .extract({ left: crop.left, top: crop.top, ...own });
  const isOwnSize = own.width + repeat.right === size.width && own.height + repeat.bottom === size.height;
  if (!isOwnSize) return opened.resize({ ...size, fit: 'fill', kernel: 'lanczos3' });
  return repeat.right + repeat.bottom > 0 ? opened.extend({ ...repeat, extendWith: 'copy' }) : opened;
}

/** Decodes the region in the given size, in memory of the arena. */
export async function decodeRegion(
  picture: RegionPicture,
  size: Size,
  options: RegionOptions,
  arena: Arena,
): Promise<Raster> {
  const { data, info } = await regionPipeline(picture, size, options)
    .raw({ depth: picture.bitDepth === 16 ? 'ushort' : 'uchar' })
    .toBuffer({ resolveWithObject: true });
  return rasterFromBytes({ ...size, bands: info.channels, bitDepth: picture.bitDepth }, arena.adopt(data));
}

/** Pipelines of libvips from a master, or a slice of one, to upright pixels. */
import type { Sharp } from 'sharp';
import { type Rect, rectSize } from '../pyramid/blocks.ts';
import type { Conversion } from '../pyramid/conversion.ts';
import type { Size } from '../pyramid/levels.ts';
import type { SourceImage } from '../pyramid/source-image.ts';
import { colourspaceOf } from './encode.ts';
import { flattenOn } from './flatten.ts';
import type { Raster } from './raster.ts';
import { sharp } from './sharp.ts';
import { greyProfileFile, SRGB } from './standard-profiles.ts';

export interface DecodeRequest {
  readonly image: Pick<
    SourceImage,
    | 'width'
    | 'height'
    | 'format'
    | 'alpha'
    | 'ignoredSamples'
    | 'orientation'
    | 'orientationInXmp'
    | 'model'
    | 'profile'
    | 'bands'
    | 'bitDepth'
  >;
  /**
   * Stored size of the input in pixels: that of the master, or that of the slice, which may extend
   * beyond the master.
   */
  readonly stored: Size;
  /**
   * Size to which the whole upright image is reduced before it is cropped, in pixels; absent if it
   * keeps its size.
   */
  readonly reducedTo?: Size | undefined;
  /** Rectangle of the upright image, after any reduction, in pixels. */
  readonly crop: Rect;
  /** Colour conversion to apply. */
  readonly conversion: Conversion;
  /**
   * Colour under transparent pixels, such as #ffffff, in the colour space of the published file.
   */
  readonly background: string;
  /**
   * Bits of an output sample. 16 bits are reduced to 8 after any conversion, rounded as libvips
   * does; 8 bits are never widened.
   */
  readonly bitDepth: 8 | 16;
  /** Output bands: 1 for grey, 3 for RGB. */
  readonly bands: 1 | 3;
  /** Decoding is aborted with DeadlineExceededError after this many seconds. */
  readonly timeoutSeconds: number;
}

/** Samples a pixel of CMYK. */
const MAX_COLOURS = 4;

/**
 * The libvips pipeline that decodes and converts the rectangle in one pass. Pass its errors to
 * `decodeFailure`.
 */
export function decodePipeline(input: string | Uint8Array, request: DecodeRequest): Sharp {
  const { image, conversion, bitDepth, bands } = request;
  if (conversion === 'profile') return convertedByProfile(input, request);
  const upright = storedPixels(input, request);
  const flat = image.alpha ? flattenOn(upright, request.background, image.bitDepth) : upright;
  return flat.toColourspace(colourspaceOf(bands, bitDepth));
}

/**
 * The pipeline of the upright rectangle, samples as stored. libvips converts CMYK to sRGB because
 * another colour space is requested.
 */
export function storedPixels(input: string | Uint8Array, request: DecodeRequest): Sharp {
  const { image, crop, reducedTo } = request;
  const pipeline = opened(input, request);
  const kept = image.ignoredSamples && !image.alpha ? pipeline.removeAlpha() : pipeline;
  const upright = reducedTo ? reduced(kept, request, reducedTo) : oriented(kept, request);
  return cropped(upright, crop).toColourspace(colourspaceOf(image.bands, image.bitDepth));
}

export function opened(input: string | Uint8Array, { image, stored, timeoutSeconds }: DecodeRequest): Sharp {
  return sharp(input, {
    page: 0,
    // libvips reports a damaged TIFF tile as a warning and leaves it black. The tags of a slice
    // cause no warnings.
    failOn: 'warning',
    // sharp converts profiles of 16-bit images through Display P3, so its conversion is used for
    // CMYK only.
    ignoreIcc: !(image.model === 'cmyk' && image.profile === 'other'),
    limitInputPixels: stored.width * stored.height,
    limitInputChannels: MAX_COLOURS + 1 + (image.ignoredSamples?.length ?? 0),
  }).timeout({ seconds: wholeSeconds(timeoutSeconds) });
}

function oriented(pipeline: Sharp, { image, stored }: DecodeRequest): Sharp {
  if (image.orientation === 1) return pipeline;
  // sharp crops before it turns, unless it also resizes; resizing to the same size copies samples.
  return image.orientationInXmp ? turned(resized(pipeline, stored), image) : pipeline.autoOrient();
}

/**
 * Resizes before rotating: sharp rotates an image that is also cropped before it resizes it, and
 * holds the whole image for that.
 */
function reduced(pipeline: Sharp, { image, stored }: DecodeRequest, to: Size): Sharp {
  const { width, height, orientation } = image;
  const isPadded = stored.width > width || stored.height > height;
  const master = isPadded ? pipeline.extract({ left: 0, top: 0, width, height }) : pipeline;
  const small = resized(master, orientation >= 5 ? { width: to.height, height: to.width } : to);
  return turned(small, image);
}

function turned(pipeline: Sharp, { orientation }: Pick<SourceImage, 'orientation'>): Sharp {
  const isFlipped = [4, 5].includes(orientation);
  const mirrored = isFlipped ? pipeline.flip() : [2, 7].includes(orientation) ? pipeline.flop() : pipeline;
  const turn = turns[orientation];
  return turn === undefined ? mirrored : mirrored.rotate(turn);
}

/**
 * Clockwise rotation in degrees by Exif orientation, after 4 and 5 are flipped vertically and 2 and
 * 7 horizontally.
 */
const turns: Readonly<Record<number, number>> = { 3: 180, 5: 90, 6: 90, 7: 90, 8: 270 };

export function resized(pipeline: Sharp, size: Size): Sharp {
  return pipeline.resize({ ...size, fit: 'fill', kernel: 'lanczos3', fastShrinkOnLoad: false });
}

export function cropped(pipeline: Sharp, crop: Rect): Sharp {
  return pipeline.extract({ left: crop.left, top: crop.top, ...rectSize(crop) });
}

/**
 * Converts from the embedded profile to sRGB, or to grey with its tone curve, in one step and at
 * the depth of the master. Alpha is kept.
 */
export function convertedByProfile(input: string | Uint8Array, request: DecodeRequest): Sharp {
  return storedPixels(input, request).withIccProfile(hasGreyTarget(request) ? greyProfileFile() : SRGB);
}

/**
 * Whether the profile conversion yields one band. sharp drops the alpha of raw 8-bit grey, so grey
 * with alpha is converted to three equal bands.
 */
export function hasGreyTarget({ image, bands }: DecodeRequest): boolean {
  return image.bands === 1 && bands === 1 && !image.alpha;
}

export function samplesPipeline(
  { width, height, bands, data }: Raster,
  { timeoutSeconds }: Pick<DecodeRequest, 'timeoutSeconds'>,
): Sharp {
  const raw = { width, height, channels: bands as 1 | 2 | 3 | 4 };
  return sharp(data, { raw, limitInputPixels: width * height }).timeout({ seconds: wholeSeconds(timeoutSeconds) });
}

/** sharp accepts timeouts of 1 to 3600 whole seconds. */
function wholeSeconds(seconds: number): number {
  return Math.min(3600, Math.max(1, Math.floor(seconds)));
}

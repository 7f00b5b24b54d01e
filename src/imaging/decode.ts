import type { Sharp } from 'sharp';
import { DeadlineExceededError, type MalformedTiffError, RejectedImageError } from '../errors.ts';
import { type Rect, rectSize } from '../pyramid/blocks.ts';
import type { Conversion } from '../pyramid/conversion.ts';
import type { Size } from '../pyramid/levels.ts';
import { convertsInOnePass } from '../pyramid/one-pass.ts';
import { toUpright } from '../pyramid/orientation.ts';
import type { SourceImage } from '../pyramid/source-image.ts';
import { Arena } from './arena.ts';
import { colourspaceOf } from './encode.ts';
import { flattenOn } from './flatten.ts';
import { labToSrgb } from './lab.ts';
import { type Raster, rasterFromBytes, rasterIn } from './raster.ts';
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

/**
 * Decodes a rectangle of a master, or of a slice of one, into memory of the arena: upright, with
 * its colours converted. Throws RejectedImageError when the pixels are truncated or damaged,
 * DeadlineExceededError when the timeout expires.
 */
export async function decodeRect(input: string | Uint8Array, request: DecodeRequest, arena: Arena): Promise<Raster> {
  if (convertsInOnePass(request)) return readRaster(decodePipeline(input, request), request, request, arena);
  const { image, conversion } = request;
  const own = new Arena();
  try {
    if (conversion === 'lab') return await decodeLab(input, request, own, arena);
    if (image.ignoredSamples && (image.alpha || request.reducedTo)) return await decodeKept(input, request, own, arena);
    const shape = { bands: convertedBands(request) + (image.alpha ? 1 : 0), bitDepth: image.bitDepth };
    const converted = await readRaster(convertedByProfile(input, request), shape, request, own);
    return await readRaster(flattened(converted, request), request, request, arena);
  } finally {
    own.release();
  }
}

/**
 * No decoder reads signed a* and b* correctly, so L*a*b* is converted to sRGB before it is
 * resampled.
 */
async function decodeLab(
  input: string | Uint8Array,
  { reducedTo, ...request }: DecodeRequest,
  own: Arena,
  arena: Arena,
): Promise<Raster> {
  const { image, bitDepth } = request;
  const model = image.model === 'icc-lab' ? 'icc-lab' : 'lab';
  const wanted = reducedTo ? { ...request, crop: wholeMaster(request) } : request;
  const shape = { bands: 3, bitDepth: image.bitDepth };
  const stored = await readRaster(storedPixels(input, wanted), shape, wanted, own);
  if (!reducedTo) return labToSrgb(stored, model, bitDepth, arena);
  const colours = resized(samplesPipeline(labToSrgb(stored, model, bitDepth, own), request), reducedTo);
  const small = cropped(colours, request.crop).toColourspace(colourspaceOf(3, bitDepth));
  return readRaster(small, request, request, arena);
}

/** Samples a pixel of CMYK. */
const MAX_COLOURS = 4;

/** The master, upright, within what is stored of it. */
function wholeMaster({ image, stored }: Pick<DecodeRequest, 'image' | 'stored'>): Rect {
  const master = { left: 0, top: 0, right: image.width, bottom: image.height };
  return toUpright(master, { ...stored, orientation: image.orientation });
}

/**
 * Removes the ignored samples before the image is reduced or flattened, because sharp takes the
 * last sample for alpha.
 */
async function decodeKept(
  input: string | Uint8Array,
  { reducedTo, ...request }: DecodeRequest,
  own: Arena,
  arena: Arena,
): Promise<Raster> {
  const { image, conversion } = request;
  if (!image.alpha && reducedTo) return decodeColours(input, { ...request, reducedTo }, own, arena);
  const wanted = reducedTo ? { ...request, crop: wholeMaster(request) } : request;
  const stored = conversion === 'profile' ? convertedByProfile(input, wanted) : storedPixels(input, wanted);
  const samples = await readKept(stored.toColourspace(colourspaceOf(3, image.bitDepth)), wanted, own);
  const flat = flattened(samples, request);
  const small = reducedTo ? cropped(resized(flat, reducedTo), request.crop) : flat;
  return readRaster(small, request, request, arena);
}

/** Reduces a TIFF of the colours alone. */
async function decodeColours(
  input: string | Uint8Array,
  request: DecodeRequest & Required<Pick<DecodeRequest, 'reducedTo'>>,
  own: Arena,
  arena: Arena,
): Promise<Raster> {
  const { bands, bitDepth, model, ...master } = request.image;
  const pipeline = opened(input, request).removeAlpha().toColourspace(colourspaceOf(bands, bitDepth)).keepIccProfile();
  const colours = await pipeline
    .tiff({ compression: 'none', predictor: 'none' })
    .toBuffer()
    .catch((error: unknown) => {
      throw decodeFailure(error);
    });
  // CMYK has been converted.
  const converted = model === 'cmyk' ? { model: 'rgb' as const, profile: 'none' as const } : { model };
  const image = { ...master, bands, bitDepth, ...converted, ignoredSamples: undefined };
  const conversion = model === 'cmyk' ? 'none' : request.conversion;
  return decodeRect(own.adopt(colours), { ...request, image, conversion }, arena);
}

/** Reads RGB and alpha from samples that the ignored ones are among. */
async function readKept(pipeline: Sharp, request: DecodeRequest, own: Arena): Promise<Raster> {
  const { ignoredSamples = [], bitDepth } = request.image;
  const bands = 4 + ignoredSamples.length;
  const all = await readRaster(pipeline, { bands, bitDepth }, request, own);
  const alphaAt = Array.from({ length: bands }, (_, index) => index).find((index) => !ignoredSamples.includes(index));
  const kept = rasterIn(own, { ...all, bands: 4, bitDepth });
  for (let from = 0, to = 0; to < kept.data.length; from += bands, to += 4) {
    for (let band = 0; band < 3; band++) kept.data[to + band] = all.data[from + band] ?? 0;
    kept.data[to + 3] = all.data[from + 3 + (alphaAt ?? 0)] ?? 0;
  }
  return kept;
}

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
function storedPixels(input: string | Uint8Array, request: DecodeRequest): Sharp {
  const { image, crop, reducedTo } = request;
  const pipeline = opened(input, request);
  const kept = image.ignoredSamples && !image.alpha ? pipeline.removeAlpha() : pipeline;
  const upright = reducedTo ? reduced(kept, request, reducedTo) : oriented(kept, request);
  return cropped(upright, crop).toColourspace(colourspaceOf(image.bands, image.bitDepth));
}

function opened(input: string | Uint8Array, { image, stored, timeoutSeconds }: DecodeRequest): Sharp {
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

function resized(pipeline: Sharp, size: Size): Sharp {
  return pipeline.resize({ ...size, fit: 'fill', kernel: 'lanczos3', fastShrinkOnLoad: false });
}

function cropped(pipeline: Sharp, crop: Rect): Sharp {
  return pipeline.extract({ left: crop.left, top: crop.top, ...rectSize(crop) });
}

/**
 * Converts from the embedded profile to sRGB, or to grey with its tone curve, in one step and at
 * the depth of the master. Alpha is kept.
 */
function convertedByProfile(input: string | Uint8Array, request: DecodeRequest): Sharp {
  return storedPixels(input, request).withIccProfile(hasGreyTarget(request) ? greyProfileFile() : SRGB);
}

/**
 * Whether the profile conversion yields one band. sharp drops the alpha of raw 8-bit grey, so grey
 * with alpha is converted to three equal bands.
 */
function hasGreyTarget({ image, bands }: DecodeRequest): boolean {
  return image.bands === 1 && bands === 1 && !image.alpha;
}

/** Colour bands after the conversion. */
function convertedBands(request: DecodeRequest): 1 | 3 {
  if (request.conversion !== 'profile') return request.image.bands;
  return hasGreyTarget(request) ? 1 : 3;
}

/** Flattens converted samples onto the background, in the output bands and depth. */
function flattened(converted: Raster, request: DecodeRequest): Sharp {
  const samples = samplesPipeline(converted, request);
  const { alpha, bitDepth } = request.image;
  const flat = alpha ? flattenOn(samples, request.background, bitDepth) : samples;
  return flat.toColourspace(colourspaceOf(request.bands, request.bitDepth));
}

function samplesPipeline(
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

async function readRaster(
  pipeline: Sharp,
  { bands, bitDepth }: { readonly bands: number; readonly bitDepth: 8 | 16 },
  { crop }: DecodeRequest,
  arena: Arena,
): Promise<Raster> {
  const samples = pipeline.raw({ depth: bitDepth === 8 ? 'uchar' : 'ushort' });
  const { data, info } = await samples.toBuffer({ resolveWithObject: true }).catch((error: unknown) => {
    throw decodeFailure(error);
  });
  if (info.channels !== bands) throw unexpectedBands(info.channels, bands);
  return rasterFromBytes({ ...rectSize(crop), bands, bitDepth }, arena.adopt(data));
}

/** The rejection of decoded pixels with another number of bands than the header promised. */
export function unexpectedBands(received: number, expected: number): RejectedImageError {
  return new RejectedImageError('CORRUPT_HEADER', `expected ${expected} bands but the pixels have ${received}`);
}

const machineFailure = /memory|no space left|too many open files|input file is missing/iu;

/** Names of loaders, and of a setting of sharp, in messages of libvips. */
const internals =
  /\b(?:VipsJpeg|vipspng|vips2\w+|\w+2vips|\w+load(?:_\w+)?|Input (?:file|buffer) has corrupt header): |Warning treated as error due to failOn setting/gu;

/**
 * Classifies an error of libvips: errors of the machine are returned unchanged, errors of the image
 * become RejectedImageError, CORRUPT_HEADER or CORRUPT_PIXELS by the part that was read. libvips
 * reports a file that ends early in the same words as a damaged one, so callers determine that.
 */
export function decodeFailure(error: unknown, part: 'header' | 'pixels' = 'pixels'): unknown {
  if (!(error instanceof Error) || machineFailure.test(error.message)) return error;
  if (error.message.startsWith('timeout: ')) return new DeadlineExceededError(error.message, { cause: error });
  const lines = error.message.split(/[\n;]/u).map((line) => line.replace(internals, '').trim());
  const reasons = [...new Set(lines.filter((line) => line !== ''))].join('; ');
  const detail = part === 'header' ? 'the header cannot be read' : 'the pixels cannot be decoded';
  const code = part === 'header' ? 'CORRUPT_HEADER' : 'CORRUPT_PIXELS';
  return new RejectedImageError(code, reasons === '' ? detail : `${detail}: ${reasons}`, { cause: error });
}

/** The rejection of a file of `size` bytes that ends before its image does. */
export function cutShort(size: number, cause: unknown): RejectedImageError {
  return new RejectedImageError('TRUNCATED', `the file ends at byte ${size}, before its image does`, { cause });
}

/** The rejection of a TIFF whose directory cannot be parsed. */
export function malformed(error: MalformedTiffError): RejectedImageError {
  return new RejectedImageError(error.cutShort ? 'TRUNCATED' : 'CORRUPT_HEADER', error.message, { cause: error });
}

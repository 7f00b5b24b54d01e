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
import { labToSrgb } from './lab.ts';
import { type Raster, rasterFromBytes } from './raster.ts';
import { sharp } from './sharp.ts';
import { greyProfileFile, SRGB } from './standard-profiles.ts';

export interface DecodeRequest {
  readonly image: Pick<
    SourceImage,
    'width' | 'height' | 'format' | 'alpha' | 'orientation' | 'model' | 'profile' | 'bands' | 'bitDepth'
  >;
  /** Size of what is decoded, as it is stored: the master's, or the slice's, which may reach beyond the master. */
  readonly stored: Size;
  /** The size that the whole upright picture is reduced to before it is cropped, in pixels; not there: it keeps its own. */
  readonly reducedTo?: Size | undefined;
  /** Of the upright picture, reduced or not, in pixels. */
  readonly crop: Rect;
  /** What is done to the colours. */
  readonly conversion: Conversion;
  /** What shows through where the master is transparent, like #ffffff, in the colours of what is published. */
  readonly background: string;
  /** Of the samples wanted: 16 bits become 8 as libvips rounds them, after any conversion; never the other way. */
  readonly bitDepth: 8 | 16;
  /** Wanted: 1 for grey, 3 for RGB. */
  readonly bands: 1 | 3;
  /** Give up with DeadlineExceededError after this many seconds. */
  readonly timeoutSeconds: number;
}

/**
 * Decodes a rectangle of a master, or of a slice of one, upright and in the colours wanted, into memory of the arena.
 * Throws RejectedImageError when a decoder finds the pixels cut short or broken, DeadlineExceededError when time is up.
 */
export async function decodeRect(input: string | Uint8Array, request: DecodeRequest, arena: Arena): Promise<Raster> {
  if (convertsInOnePass(request)) return readRaster(decodePipeline(input, request), request, request, arena);
  const { image, conversion } = request;
  const own = new Arena();
  try {
    if (conversion === 'lab') return await decodeLab(input, request, own, arena);
    const shape = { bands: (hasGreyTarget(request) ? 1 : 3) + (image.alpha ? 1 : 0), bitDepth: image.bitDepth };
    const converted = await readRaster(throughProfile(input, request), shape, request, own);
    return await readRaster(finished(converted, request), request, request, arena);
  } finally {
    own.release();
  }
}

/** a* and b* may be signed, which no decoder knows of: they are made colours before they are mixed with their neighbours. */
async function decodeLab(
  input: string | Uint8Array,
  { reducedTo, ...request }: DecodeRequest,
  own: Arena,
  arena: Arena,
): Promise<Raster> {
  const { image, bitDepth } = request;
  const model = image.model === 'icc-lab' ? 'icc-lab' : 'lab';
  const master = { left: 0, top: 0, right: image.width, bottom: image.height };
  const whole = toUpright(master, { ...request.stored, orientation: image.orientation });
  const wanted = reducedTo ? { ...request, crop: whole } : request;
  const shape = { bands: 3, bitDepth: image.bitDepth };
  const stored = await readRaster(storedPixels(input, wanted), shape, wanted, own);
  if (!reducedTo) return labToSrgb(stored, model, bitDepth, arena);
  const colours = resized(samplesPipeline(labToSrgb(stored, model, bitDepth, own), request), reducedTo);
  const small = cropped(colours, request.crop).toColourspace(colourspaceOf(3, bitDepth));
  return readRaster(small, request, request, arena);
}

/** What decodes the rectangle in one pass of libvips, for an encoder to follow; its failures are for `decodeFailure`. */
export function decodePipeline(input: string | Uint8Array, request: DecodeRequest): Sharp {
  const { image, conversion, bitDepth, bands } = request;
  if (conversion === 'profile') return throughProfile(input, request);
  const upright = storedPixels(input, request);
  const flat = image.alpha ? upright.flatten({ background: request.background }) : upright;
  return flat.toColourspace(colourspaceOf(bands, bitDepth));
}

/** The rectangle, upright, its samples as they are stored; CMYK goes on to sRGB as soon as another space is asked for. */
function storedPixels(input: string | Uint8Array, request: DecodeRequest): Sharp {
  const { image, stored, crop, reducedTo } = request;
  const pipeline = sharp(input, {
    page: 0,
    // A broken tile of a TIFF is a warning to libvips, which leaves it black. Slices carry no tag to warn of.
    failOn: 'warning',
    // sharp's own conversion goes through Display P3 where samples have 16 bits: it is good for CMYK alone.
    ignoreIcc: !(image.model === 'cmyk' && image.profile === 'other'),
    limitInputPixels: stored.width * stored.height,
  }).timeout({ seconds: wholeSeconds(request.timeoutSeconds) });
  const upright = reducedTo ? reduced(pipeline, request, reducedTo) : oriented(pipeline, image);
  return cropped(upright, crop).toColourspace(colourspaceOf(image.bands, image.bitDepth));
}

function oriented(pipeline: Sharp, { orientation }: DecodeRequest['image']): Sharp {
  return orientation === 1 ? pipeline : pipeline.autoOrient();
}

/** Turned once it is small: sharp would turn a picture that is cropped as well, and so hold it, before it is reduced. */
function reduced(pipeline: Sharp, { image, stored }: DecodeRequest, to: Size): Sharp {
  const { width, height, orientation } = image;
  const isPadded = stored.width > width || stored.height > height;
  const master = isPadded ? pipeline.extract({ left: 0, top: 0, width, height }) : pipeline;
  const small = resized(master, orientation >= 5 ? { width: to.height, height: to.width } : to);
  const mirrored = [4, 5].includes(orientation) ? small.flip() : [2, 7].includes(orientation) ? small.flop() : small;
  const turn = turns[orientation];
  return turn === undefined ? mirrored : mirrored.rotate(turn);
}

/** Degrees clockwise for each orientation as Exif numbers it, after 4 and 5 are put upside down and 2 and 7 mirrored. */
const turns: Readonly<Record<number, number>> = { 3: 180, 5: 90, 6: 90, 7: 90, 8: 270 };

function resized(pipeline: Sharp, size: Size): Sharp {
  return pipeline.resize({ ...size, fit: 'fill', kernel: 'lanczos3', fastShrinkOnLoad: false });
}

function cropped(pipeline: Sharp, crop: Rect): Sharp {
  return pipeline.extract({ left: crop.left, top: crop.top, ...rectSize(crop) });
}

/** From the embedded profile to sRGB or its grey in one step, at the master's depth; alpha stays. */
function throughProfile(input: string | Uint8Array, request: DecodeRequest): Sharp {
  return storedPixels(input, request).withIccProfile(hasGreyTarget(request) ? greyProfileFile() : SRGB);
}

/** sharp drops the alpha of raw 8-bit grey, so grey with alpha becomes three bands that are alike. */
function hasGreyTarget({ image, bands }: DecodeRequest): boolean {
  return image.bands === 1 && bands === 1 && !image.alpha;
}

/** Converted samples on their background, in the bands and the depth wanted. */
function finished(converted: Raster, request: DecodeRequest): Sharp {
  const samples = samplesPipeline(converted, request);
  const flat = request.image.alpha ? samples.flatten({ background: request.background }) : samples;
  return flat.toColourspace(colourspaceOf(request.bands, request.bitDepth));
}

function samplesPipeline(
  { width, height, bands, data }: Raster,
  { timeoutSeconds }: Pick<DecodeRequest, 'timeoutSeconds'>,
): Sharp {
  const raw = { width, height, channels: bands as 1 | 2 | 3 | 4 };
  return sharp(data, { raw, limitInputPixels: width * height }).timeout({ seconds: wholeSeconds(timeoutSeconds) });
}

/** sharp counts whole seconds, up to an hour. */
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
  if (info.channels !== bands) {
    throw new RejectedImageError('CORRUPT_HEADER', `expected ${bands} bands but the pixels have ${info.channels}`);
  }
  return rasterFromBytes({ ...rectSize(crop), bands, bitDepth }, arena.adopt(data));
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

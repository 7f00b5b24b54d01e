import type { Sharp } from 'sharp';
import { type Rect, rectSize } from '../pyramid/blocks.ts';
import { convertsInOnePass } from '../pyramid/one-pass.ts';
import { toUpright } from '../pyramid/orientation.ts';
import { Arena } from './arena.ts';
import { decodeFailure, unexpectedBands } from './decode-errors.ts';
import { colourspaceOf } from './encode.ts';
import { flattenOn } from './flatten.ts';
import { labToSrgb } from './lab.ts';
import {
  convertedByProfile,
  cropped,
  decodePipeline,
  type DecodeRequest,
  hasGreyTarget,
  opened,
  resized,
  samplesPipeline,
  storedPixels,
} from './pipelines.ts';
import { type Raster, rasterFromBytes, rasterIn } from './raster.ts';

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

/**
 * What a plan would cost, estimated: how long its slowest way through takes, how much work it is in all, and how much
 * memory its functions need. docs/planning.md explains the model; tests pin the choices made with it.
 */
import { blockCount, type BlockGrid } from './blocks.ts';
import { type Conversion, conversionOf } from './conversion.ts';
import type { Size } from './levels.ts';
import { encodingProperties } from '../recipe/encodings.ts';
import type { Recipe } from '../recipe/recipe.ts';
import { isReduced } from './size-cap.ts';
import type { SourceImage } from './source-image.ts';

export interface Candidate {
  readonly splitLevel: number;
  readonly blocks: BlockGrid;
  /** How a block gets its pixels. */
  readonly access: 'slices' | 'whole';
}

export interface Estimate {
  /** Milliseconds from the start of the first block to the end of RenderTopLevels, with as many functions as a Map runs at once. */
  readonly criticalPath: number;
  /** Milliseconds of all functions together. */
  readonly work: number;
  /** Bytes: the most that one RenderBlock holds. */
  readonly blockMemory: number;
  /** Bytes: what RenderTopLevels holds. */
  readonly topLevelsMemory: number;
  /** Bytes: what RenderBlock keeps in files. */
  readonly scratch: number;
}

/** Pixels that a function decodes at a time; larger blocks are rendered in parts of this. */
const PART_PIXELS = 24 * 2 ** 20;
/** The same where every part is decoded from the master's beginning, so that fewer parts are better. */
const WHOLE_PART_PIXELS = 128 * 2 ** 20;
/** A slice of a whole master up to this size is held in memory; a larger one goes into a file. Bytes. */
export const HELD_SLICE_BYTES = 512 * 2 ** 20;

/** Iterations of an inline Map that run at once. */
const CONCURRENCY = 40;
/** Starting a function, reading plan and header, writing the index. Milliseconds. */
const INVOCATION = 400;
/** A function's network. Bytes per millisecond (75 MB/s). */
const NETWORK = 75_000;
/** Decoding, in nanoseconds a pixel on one core; uncompressed rows are only read. */
const DECODING = { uncompressed: 0.5, compressed: 8 };
/** Converting colours, in nanoseconds a pixel on one core. */
const CONVERTING: Readonly<Record<Conversion, number>> = { none: 0, profile: 25, cmyk: 40, lab: 40 };
/** What a part holds besides while its colours are converted: at most four samples of 16 bits. Bytes a pixel. */
const CONVERTED = 8;
/** Making a picture smaller, in nanoseconds a pixel of the larger one on one core. */
const REDUCING = 4;
/** Rows that libvips keeps of a picture which it makes smaller, and a row of its tiles (sharp 0.35.5, 2 cores). */
const REDUCED_ROWS = 1_300;
/** All levels together have this many pixels for one of level 0. */
const LEVELS = 4 / 3;
/** Node, sharp, the SDK. Bytes. */
const BASE_MEMORY = 170 * 2 ** 20;

export function estimate(
  image: SourceImage,
  full: Size,
  recipe: Pick<Recipe, 'encoding' | 'colour'>,
  bytesPerPixel: number,
  candidate: Candidate,
  hasTopLevels: boolean,
): Estimate {
  const { splitLevel, blocks, access } = candidate;
  const { encodeTime, encodedShare } = encodingProperties(recipe.encoding);
  const conversion = conversionOf({ image, recipe });
  const count = blockCount(blocks);
  const pixels = full.width * full.height;
  const blockWidth = largestStep(blocks.columns);
  const blockHeight = largestStep(blocks.rows);
  const blockPixels = blockWidth * blockHeight;
  const share = blockPixels / pixels;
  const rasterBytes = (pixels / 4 ** splitLevel) * bytesPerPixel;
  const encodedBytes = pixels * LEVELS * encodedShare * bytesPerPixel;

  const reading = readCost(image, full, blockWidth, blockHeight, access, conversion);
  const encoding = (blockPixels * LEVELS * encodeTime) / 1e6;
  const writing = (share * (encodedBytes + (hasTopLevels ? rasterBytes : 0))) / NETWORK;
  const block = INVOCATION + reading + encoding + writing;
  const topLevelsPixels = pixels / 4 ** (splitLevel + 1);
  const topLevels = hasTopLevels
    ? INVOCATION + rasterBytes / NETWORK + (topLevelsPixels * LEVELS * encodeTime) / 1e6
    : 0;

  const partPixels = Math.min(blockPixels, partPixelsOf(image, full, access));
  return {
    criticalPath: Math.ceil(count / CONCURRENCY) * block + topLevels,
    work: count * block + topLevels,
    blockMemory:
      BASE_MEMORY +
      // The part's slice, its pixels and their halvings; the block's smallest raster so far; its tiles.
      partPixels * (bytesPerPixel * (1 + LEVELS) + (conversion === 'none' ? 0 : CONVERTED)) +
      blockPixels * bytesPerPixel * (1 / 4 ** Math.min(splitLevel, 3)) * (blockPixels > partPixels ? 1 : 0) +
      2 * share * encodedBytes +
      memoryOfWhole(image, full, access, conversion, bytesPerPixel),
    topLevelsMemory: hasTopLevels ? BASE_MEMORY + rasterBytes * LEVELS + (encodedBytes / 4 ** (splitLevel + 1)) * 2 : 0,
    scratch: access === 'whole' || (isReduced(image, full) && !isHeldSlice(image)) ? image.fileSize : 0,
  };
}

/** Bytes a pixel once it is decoded. */
function storedBytes({ model, bands, alpha, bitDepth }: SourceImage): number {
  return ((model === 'cmyk' ? 4 : bands) + (alpha ? 1 : 0)) * (bitDepth / 8);
}

/** How many pixels a block decodes at a time. Few parts are better where each is decoded from the master's beginning. */
export function partPixelsOf(image: SourceImage, full: Size, access: Candidate['access']): number {
  return access === 'whole' || isReduced(image, full) ? WHOLE_PART_PIXELS : PART_PIXELS;
}

/** Bytes that are held of the master besides the part that is worked on; `bytesPerPixel` of what is published. */
function memoryOfWhole(
  image: SourceImage,
  full: Size,
  access: Candidate['access'],
  conversion: Conversion,
  bytesPerPixel: number,
): number {
  const pixels = image.width * image.height;
  const stored = storedBytes(image);
  const decoder = access === 'whole' ? decoderMemory(image) : 0;
  if (!isReduced(image, full)) {
    const turned = access === 'whole' && image.orientation !== 1 ? pixels * stored : 0;
    return decoder + turned;
  }
  const rows = REDUCED_ROWS + (image.chunks?.kind === 'tiles' ? image.chunks.height : 0);
  const reducing = image.width * Math.min(rows, image.height) * stored;
  const slice = access === 'slices' && isHeldSlice(image) ? image.fileSize : 0;
  // L*a*b* is converted as a whole before it is made smaller.
  const converted = conversion === 'lab' ? pixels * (stored + bytesPerPixel) : 0;
  return decoder + reducing + slice + converted;
}

/** Bytes that a decoder holds before its first row: all of the picture, where its rows come in another order. */
function decoderMemory(image: SourceImage): number {
  const pixels = image.width * image.height;
  // Two frames of RGBA.
  if (image.format === 'webp') return pixels * 8;
  if (!image.progressive) return 0;
  // A progressive JPEG is held as coefficients, 16 bits each.
  return pixels * storedBytes(image) * (image.format === 'jpeg' ? 2 : 1);
}

function isHeldSlice({ fileSize }: SourceImage): boolean {
  return fileSize <= HELD_SLICE_BYTES;
}

/** Milliseconds until one block has its pixels. */
function readCost(
  image: SourceImage,
  full: Size,
  blockWidth: number,
  blockHeight: number,
  access: Candidate['access'],
  conversion: Conversion,
): number {
  const pixels = full.width * full.height;
  const isRead = image.uncompressed && conversion === 'none';
  const perPixel = (isRead ? DECODING.uncompressed : DECODING.compressed) + CONVERTING[conversion];
  // Every part of what is decoded from the beginning goes on to its own end: on average, a little more than half way.
  const passes = (Math.ceil((blockWidth * blockHeight) / WHOLE_PART_PIXELS) + 1) * 0.5;
  if (isReduced(image, full)) {
    // A profile is applied to what is left; other conversions come first.
    const [before, after] = conversion === 'profile' ? [0, CONVERTING.profile] : [CONVERTING[conversion], 0];
    const stored = image.width * image.height * (DECODING.compressed + REDUCING + before);
    return image.fileSize / NETWORK + (passes * (stored + pixels * after)) / 1e6;
  }
  if (access === 'whole') return image.fileSize / NETWORK + (passes * pixels * perPixel) / 1e6;
  const { width, height } = image.chunks ?? { width: full.width, height: full.height };
  const isTurned = image.orientation >= 5;
  const across = Math.min(full.width, blockWidth + (isTurned ? height : width) - 1);
  const down = Math.min(full.height, blockHeight + (isTurned ? width : height) - 1);
  const touched = across * down;
  return ((touched / pixels) * image.fileSize) / NETWORK + (touched * perPixel) / 1e6;
}

function largestStep(gridEdges: readonly number[]): number {
  return gridEdges.slice(1).reduce((largest, edge, index) => Math.max(largest, edge - (gridEdges[index] ?? 0)), 0);
}

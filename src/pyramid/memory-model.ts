/** Estimated memory and files of the functions of a plan, in bytes. */
import { encodingProperties, encodings } from '../recipe/encodings.ts';
import { haveTiles, outputsBesideTiff } from '../recipe/outputs.ts';
import {
  BASE_MEMORY,
  CONVERTED,
  DECODED_IN_MEMORY,
  HELD_SLICE_BYTES,
  LEVELS,
  PART_PIXELS,
  REDUCED_ROWS,
} from './cost-figures.ts';
import { type Access, type Candidate, isDecodedOnce, leavesTopLevels, type PlanningJob } from './planning-job.ts';
import { blockCount, largestBlock } from './blocks.ts';
import type { Size } from './levels.ts';
import { leastRows } from './subdivide.ts';
import type { SourceImage } from './source-image.ts';

/**
 * Pixels that a block renders at a time. Few parts are better where each is decoded from the
 * beginning of the master.
 */
export function partPixelsOf(job: PlanningJob, candidate: Candidate): number {
  if (candidate.access === 'slices' && !job.isReduced) return PART_PIXELS;
  if (!isDecodedOnce(job, candidate)) return job.memory.wholePartPixels;
  return isDecodedIntoFile(job) ? PART_PIXELS : DECODED_IN_MEMORY;
}

/** Bytes of all encoded tiles of the image. */
export function encodedBytes({ full, recipe, pixelBytes }: PlanningJob): number {
  return full.width * full.height * LEVELS * encodingProperties(recipe.encoding).encodedShare * pixelBytes;
}

/** The most that one RenderBlock holds. */
export function blockMemory(job: PlanningJob, candidate: Candidate): number {
  const { full } = job;
  const block = largestBlock(candidate.blocks);
  const share = (block.width * block.height) / (full.width * full.height);
  const tiles = 2 * share * encodedBytes(job);
  const files = fileMemory(job, candidate, block);
  return BASE_MEMORY + pixelMemory(job, candidate, block) + tiles + files + masterMemory(job, candidate.access);
}

/**
 * For tiles that are published as files: the strips of their levels, the pixels at the edges of the
 * block, and the encoded tiles, which are written when the block is complete. The last level has
 * fewer pixels than a part.
 */
function fileMemory({ recipe, pixelBytes }: PlanningJob, candidate: Candidate, block: Size): number {
  const { outputs = [], deepzoom } = recipe;
  if (!haveTiles(outputs)) return 0;
  const count = outputsBesideTiff({ outputs }).length;
  const side = Math.max(leastRows(recipe.tileSize), deepzoom?.tileSize ?? 0);
  const part = Math.min(PART_PIXELS, block.width * block.height);
  const strips = 2 * (part + block.width * side) * pixelBytes;
  const margins = blockCount(candidate.blocks) > 1 ? 2 * 2 * (block.width + block.height) * side * pixelBytes : 0;
  const share = deepzoom?.format === 'png' ? encodings.deflate.encodedShare : encodings.jpeg.encodedShare;
  return strips + margins + 2 * count * block.width * block.height * LEVELS * share * pixelBytes;
}

/**
 * The slice and the pixels of a part, the strips of the levels above, which together are less than
 * a row of parts, and where there are several parts, the smallest raster of the block.
 */
function pixelMemory(job: PlanningJob, candidate: Candidate, block: Size): number {
  const { conversion, pixelBytes, recipe } = job;
  const pixels = block.width * block.height;
  const partPixels = Math.min(pixels, partPixelsOf(job, candidate));
  const strips = Math.min(pixels * (LEVELS - 1), Math.max(partPixels, block.width * leastRows(recipe.tileSize)));
  const last = pixels > partPixels ? pixels / 4 ** candidate.splitLevel : 0;
  return (2 * partPixels + strips + last) * pixelBytes + (conversion === 'none' ? 0 : partPixels * CONVERTED);
}

/** What RenderTopLevels holds. */
export function topLevelsMemory(job: PlanningJob, { splitLevel }: Candidate): number {
  if (!leavesTopLevels(job, splitLevel)) return 0;
  const raster = splitLevelBytes(job, splitLevel);
  return BASE_MEMORY + raster * LEVELS + (encodedBytes(job) / 4 ** (splitLevel + 1)) * 2;
}

/** Bytes of the split level, uncompressed. */
export function splitLevelBytes({ full, pixelBytes }: PlanningJob, splitLevel: number): number {
  return ((full.width * full.height) / 4 ** splitLevel) * pixelBytes;
}

/** What RenderBlock keeps in files: the master, and the pixels of one that is decoded once. */
export function scratchBytes(job: PlanningJob, candidate: Candidate): number {
  const { image, isReduced, full, pixelBytes } = job;
  const master = candidate.access === 'whole' || (isReduced && !isHeldSlice(image)) ? image.fileSize : 0;
  const pixels = full.width * full.height;
  return master + (isDecodedOnce(job, candidate) && isDecodedIntoFile(job) ? pixels * pixelBytes : 0);
}

function isDecodedIntoFile({ full }: PlanningJob): boolean {
  return full.width * full.height > DECODED_IN_MEMORY;
}

/** Memory of the master besides the part in progress. Bytes. */
function masterMemory({ image, isReduced, conversion, pixelBytes }: PlanningJob, access: Access): number {
  const pixels = image.width * image.height;
  const stored = storedPixelBytes(image);
  const decoder = access === 'whole' ? decoderMemory(image) : 0;
  if (!isReduced) {
    const turned = access === 'whole' && image.orientation !== 1 ? pixels * stored : 0;
    return decoder + turned;
  }
  const rows = REDUCED_ROWS + (image.chunks?.kind === 'tiles' ? image.chunks.height : 0);
  const reducing = image.width * Math.min(rows, image.height) * stored;
  const slice = access === 'slices' && isHeldSlice(image) ? image.fileSize : 0;
  // L*a*b* is converted as a whole before it is reduced; other samples are left out as a whole.
  const isWhole = conversion === 'lab' || image.ignoredSamples !== undefined;
  const converted = isWhole ? pixels * (stored + pixelBytes) : 0;
  return decoder + reducing + slice + converted;
}

/**
 * Memory of a decoder before its first row: the whole image if rows are stored in another order.
 * Bytes.
 */
function decoderMemory(image: SourceImage): number {
  const pixels = image.width * image.height;
  // Two frames of RGBA.
  if (image.format === 'webp') return pixels * 8;
  if (!image.progressive) return 0;
  // A progressive JPEG is held as coefficients, 16 bits each.
  return pixels * storedPixelBytes(image) * (image.format === 'jpeg' ? 2 : 1);
}

/** Bytes of one pixel of the master once it is decoded. */
function storedPixelBytes({ model, bands, alpha, ignoredSamples = [], bitDepth }: SourceImage): number {
  return ((model === 'cmyk' ? 4 : bands) + (alpha ? 1 : 0) + ignoredSamples.length) * (bitDepth / 8);
}

function isHeldSlice({ fileSize }: SourceImage): boolean {
  return fileSize <= HELD_SLICE_BYTES;
}

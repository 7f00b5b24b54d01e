/** Estimated memory and files of the functions of a plan, in bytes. */
import { encodingProperties } from '../recipe/encodings.ts';
import { BASE_MEMORY, CONVERTED, HELD_SLICE_BYTES, LEVELS, PART_PIXELS, REDUCED_ROWS } from './cost-figures.ts';
import { type Access, type Candidate, isDecodedOnce, leavesTopLevels, type PlanningJob } from './planning-job.ts';
import { largestBlock } from './blocks.ts';
import type { SourceImage } from './source-image.ts';

/**
 * Pixels that a block renders at a time. Few parts are better where each is decoded from the
 * beginning of the master.
 */
export function partPixelsOf(job: PlanningJob, candidate: Candidate): number {
  const isRegion = candidate.access === 'slices' && !job.isReduced;
  return isRegion || isDecodedOnce(job, candidate) ? PART_PIXELS : job.memory.wholePartPixels;
}

/** Bytes of all encoded tiles of the image. */
export function encodedBytes({ full, recipe, pixelBytes }: PlanningJob): number {
  return full.width * full.height * LEVELS * encodingProperties(recipe.encoding).encodedShare * pixelBytes;
}

/** The most that one RenderBlock holds. */
export function blockMemory(job: PlanningJob, candidate: Candidate): number {
  const { full, pixelBytes } = job;
  const block = largestBlock(candidate.blocks);
  const blockPixels = block.width * block.height;
  const share = blockPixels / (full.width * full.height);
  const tiles = 2 * share * encodedBytes(job);
  return (
    BASE_MEMORY + pixelMemory(job, candidate, blockPixels, pixelBytes) + tiles + masterMemory(job, candidate.access)
  );
}

/**
 * The slice, its pixels and their halvings; where there are several parts, the smallest raster of
 * the block so far.
 */
function pixelMemory(job: PlanningJob, candidate: Candidate, blockPixels: number, pixelBytes: number): number {
  const partPixels = Math.min(blockPixels, partPixelsOf(job, candidate));
  const raster = blockPixels > partPixels ? blockPixels * pixelBytes * (1 / 4 ** Math.min(candidate.splitLevel, 3)) : 0;
  return partPixels * (pixelBytes * (1 + LEVELS) + (job.conversion === 'none' ? 0 : CONVERTED)) + raster;
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
  const decoded = isDecodedOnce(job, candidate) && pixels > PART_PIXELS ? pixels * pixelBytes : 0;
  return master + decoded;
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

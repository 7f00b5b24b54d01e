/**
 * Estimated time, work and memory of a plan. docs/planning.md explains the model, `cost-figures.ts`
 * has its figures; tests pin the choices made with it.
 */
import { encodingProperties } from '../recipe/encodings.ts';
import { blockCount, largestBlock } from './blocks.ts';
import { CONVERTING, DECODING, INVOCATION, LEVELS, NETWORK, REDUCING } from './cost-figures.ts';
import type { Size } from './levels.ts';
import { blockMemory, encodedBytes, scratchBytes, splitLevelBytes, topLevelsMemory } from './memory-model.ts';
import { type Candidate, isDecodedOnce, leavesTopLevels, type PlanningJob } from './planning-job.ts';

export interface Estimate {
  /**
   * Milliseconds from the start of the first block to the end of RenderTopLevels, at the
   * concurrency of the job.
   */
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

export function estimate(job: PlanningJob, candidate: Candidate): Estimate {
  const count = blockCount(candidate.blocks);
  const block = blockTime(job, candidate);
  const topLevels = topLevelsTime(job, candidate);
  return {
    criticalPath: Math.ceil(count / job.concurrency) * block + topLevels,
    work: count * block + topLevels,
    blockMemory: blockMemory(job, candidate),
    topLevelsMemory: topLevelsMemory(job, candidate),
    scratch: scratchBytes(job, candidate),
  };
}

/** Milliseconds of the largest block. */
function blockTime(job: PlanningJob, candidate: Candidate): number {
  const size = largestBlock(candidate.blocks);
  const pixels = size.width * size.height;
  const share = pixels / (job.full.width * job.full.height);
  const raster = leavesTopLevels(job, candidate.splitLevel) ? splitLevelBytes(job, candidate.splitLevel) : 0;
  const writing = (share * (encodedBytes(job) + raster)) / NETWORK;
  return INVOCATION + readTime(job, candidate, size) + encodeTime(job, pixels) + writing;
}

/** Milliseconds of RenderTopLevels; 0 where the blocks render all levels. */
function topLevelsTime(job: PlanningJob, { splitLevel }: Candidate): number {
  if (!leavesTopLevels(job, splitLevel)) return 0;
  const pixels = (job.full.width * job.full.height) / 4 ** (splitLevel + 1);
  return INVOCATION + splitLevelBytes(job, splitLevel) / NETWORK + encodeTime(job, pixels);
}

/** Milliseconds of halving and encoding so many pixels and all levels above them. */
function encodeTime({ recipe }: PlanningJob, pixels: number): number {
  return (pixels * LEVELS * encodingProperties(recipe.encoding).encodeTime) / 1e6;
}

/** Milliseconds until one block of `size` has its pixels. */
function readTime(job: PlanningJob, candidate: Candidate, size: Size): number {
  const { image, full, conversion } = job;
  const pixels = full.width * full.height;
  const isCopied = image.uncompressed && conversion === 'none';
  const pixelTime = (isCopied ? DECODING.uncompressed : DECODING.compressed) + CONVERTING[conversion];
  const passes = decodingPasses(job, candidate, size);
  if (job.isReduced) {
    // A profile is applied to the reduced pixels; other conversions come first.
    const [before, after] = conversion === 'profile' ? [0, CONVERTING.profile] : [CONVERTING[conversion], 0];
    const stored = image.width * image.height * (DECODING.compressed + REDUCING + before);
    return image.fileSize / NETWORK + (passes * (stored + pixels * after)) / 1e6;
  }
  if (candidate.access === 'whole') return image.fileSize / NETWORK + (passes * pixels * pixelTime) / 1e6;
  const touched = pixelsTouched(job, size);
  return ((touched / pixels) * image.fileSize) / NETWORK + (touched * pixelTime) / 1e6;
}

/**
 * How many times a block decodes the pixels of a master that can only be read from its beginning.
 * Every part decodes up to its own end: the mean over all blocks is a little more than half of the
 * image for each part.
 */
function decodingPasses(job: PlanningJob, candidate: Candidate, size: Size): number {
  if (isDecodedOnce(job, candidate)) return 1;
  return (Math.ceil((size.width * size.height) / job.memory.wholePartPixels) + 1) * 0.5;
}

/**
 * Number of pixels in the strips or tiles that a block of `size` reads at its least favourable
 * position.
 */
function pixelsTouched({ image, full }: PlanningJob, size: Size): number {
  const { width, height } = image.chunks ?? full;
  const isTurned = image.orientation >= 5;
  const across = Math.min(full.width, size.width + (isTurned ? height : width) - 1);
  const down = Math.min(full.height, size.height + (isTurned ? width : height) - 1);
  return across * down;
}

/** What planning starts from, and what follows from it for every candidate alike. */
import type { MemoryLimits } from '../limits.ts';
import type { OutputSettings } from '../recipe/outputs.ts';
import type { Recipe } from '../recipe/recipe.ts';
import { type BlockGrid, blockCount } from './blocks.ts';
import { type Conversion, conversionOf } from './conversion.ts';
import { type Level, planLevels, type Size } from './levels.ts';
import { convertsInOnePass } from './one-pass.ts';
import { outputBitDepth, outputPixelBytes } from './output-samples.ts';
import { isReduced } from './size-cap.ts';
import type { SourceImage } from './source-image.ts';

/**
 * How blocks get their pixels: from slices of a TIFF, or by decoding the whole master from its
 * beginning.
 */
export type Access = 'slices' | 'whole';

/** One way to cut level 0 into blocks. */
export interface Candidate {
  readonly splitLevel: number;
  readonly blocks: BlockGrid;
  readonly access: Access;
}

/** What the functions of a plan run on. */
export interface Resources {
  /** Functions that run at the same time. */
  readonly concurrency: number;
  readonly memory: MemoryLimits;
}

export interface PlanningJob extends Resources {
  readonly image: SourceImage;
  readonly recipe: Pick<Recipe, 'encoding' | 'colour' | 'depth' | 'tileSize'> & Partial<OutputSettings>;
  /** Size of level 0 as published, in pixels. */
  readonly full: Size;
  readonly levels: readonly Level[];
  readonly conversion: Conversion;
  /** Bytes of one published pixel before it is encoded. */
  readonly pixelBytes: number;
  readonly isReduced: boolean;
}

export function planningJob(
  image: SourceImage,
  recipe: PlanningJob['recipe'],
  full: Size,
  { concurrency, memory }: Resources,
): PlanningJob {
  return {
    image,
    recipe,
    full,
    levels: planLevels(full, recipe.tileSize),
    conversion: conversionOf({ image, recipe }),
    pixelBytes: outputPixelBytes({ image, recipe }),
    isReduced: isReduced(image, full),
    concurrency,
    memory,
  };
}

/** Whether levels above the split level remain for RenderTopLevels. */
export function leavesTopLevels({ levels }: Pick<PlanningJob, 'levels'>, splitLevel: number): boolean {
  return splitLevel < levels.length - 1;
}

/** Whether the candidate is one block that decodes the master once, from its beginning. */
export function isDecodedOnce(job: PlanningJob, { blocks, splitLevel, access }: Candidate): boolean {
  if (access === 'slices' && !job.isReduced) return false;
  if (blockCount(blocks) > 1 || leavesTopLevels(job, splitLevel)) return false;
  const { image, recipe, conversion, full } = job;
  const reducedTo = job.isReduced ? full : undefined;
  return convertsInOnePass({ image, conversion, bitDepth: outputBitDepth({ image, recipe }), reducedTo });
}

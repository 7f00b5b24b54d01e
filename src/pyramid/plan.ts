/** The plan of one pyramid: a pure function of the master's header and the recipe. */
import { z } from 'zod';
import { RejectedImageError } from '../errors.ts';
import { MAP_CONCURRENCY, MAX_IMAGE_PIXELS, type MemoryLimits, memoryLimits } from '../limits.ts';
import { blockCount, type BlockGrid } from './blocks.ts';
import { accessOf, chooseCut } from './choose-cut.ts';
import { partPixelsOf } from './memory-model.ts';
import { planningJob } from './planning-job.ts';
import { describeSize, type Level, planLevels, type Size } from './levels.ts';
import { Recipe } from '../recipe/recipe.ts';
import { Description } from '../tiff/pyramid-fields.ts';
import { isReduced, publishedSize, scaledResolution } from './size-cap.ts';
import { SourceImage, uprightSize } from './source-image.ts';

const PlanSchema = z.strictObject({
  schemaVersion: z.literal(1),
  image: SourceImage,
  recipe: Recipe,
  description: Description,
  /** The recipe has a cap for copyrighted works, and the master is marked as one. */
  copyrighted: z.boolean(),
  /**
   * Size of level 0 in pixels, orientation applied: that of the master, or the smaller one of the
   * size cap.
   */
  width: z.int(),
  height: z.int(),
  /** Whether blocks read slices of the master or the whole of it. */
  access: z.enum(['slices', 'whole']),
  /** Pixels that a block decodes at a time. */
  partPixels: z.int().min(1),
  /** Blocks make levels 0 to this one; RenderTopLevels makes the rest. */
  splitLevel: z.int().min(0),
  blocks: z.strictObject({ columns: z.array(z.int()), rows: z.array(z.int()) }),
});
export type Plan = z.infer<typeof PlanSchema>;

/** Reads a plan that an earlier step wrote. Throws when it is not one. */
export function parsePlan(json: string): Plan {
  return PlanSchema.parse(JSON.parse(json));
}

/** All levels of the published file, full size first. */
export function levelsOf(plan: Pick<Plan, 'width' | 'height' | 'recipe'>): Level[] {
  return planLevels(plan, plan.recipe.tileSize);
}

/** The levels that every block renders: 0 to the split level. */
export function blockLevelsOf(plan: Plan): Level[] {
  return levelsOf(plan).slice(0, plan.splitLevel + 1);
}

/**
 * The levels above the split level, which RenderTopLevels renders; empty where the blocks render
 * all of them.
 */
export function topLevelsOf(plan: Plan): Level[] {
  return levelsOf(plan).slice(plan.splitLevel + 1);
}

/** Whether one block renders the whole image with all its levels. */
export function isOneBlock(plan: Plan): boolean {
  return blockCount(plan.blocks) === 1 && topLevelsOf(plan).length === 0;
}

/** How level 0 is cut; tests may give another cut than the planner would choose. */
export interface Cut {
  readonly splitLevel: number;
  readonly blocks: BlockGrid;
  readonly access?: 'slices' | 'whole';
  readonly partPixels?: number;
}

/** Inputs of the plan besides header and recipe. */
export interface PlanOptions {
  readonly cut?: Cut | undefined;
  /** The work is marked as copyrighted: the recipe may publish less of it. */
  readonly copyrighted?: boolean | undefined;
  /**
   * Functions that run at the same time, 40 unless given: on Lambda the iterations of an inline
   * Map, on one machine its cores. Only the cut depends on it, not the published bytes.
   */
  readonly concurrency?: number | undefined;
  /** Memory of the functions, the standard one unless given. */
  readonly memory?: MemoryLimits | undefined;
}

/** Makes the plan. Throws RejectedImageError for images that exceed the limits of every plan. */
export function makePlan(
  image: SourceImage,
  recipe: Recipe,
  description: Description,
  { cut, copyrighted = false, concurrency = MAP_CONCURRENCY, memory = memoryLimits.standard }: PlanOptions = {},
): Plan {
  if (image.width * image.height > MAX_IMAGE_PIXELS) {
    throw new RejectedImageError(
      'TOO_MANY_PIXELS',
      `${describeSize(uprightSize(image))} is more than ${MAX_IMAGE_PIXELS} pixels`,
    );
  }
  const full = publishedSize(image, recipe, copyrighted);
  const adapted = { ...recipe, tileSize: readableTileSize(full, recipe.tileSize) };
  const job = planningJob(image, adapted, full, { concurrency, memory });
  const chosen: Cut = cut ?? chooseCut(job);
  const { splitLevel, blocks, access = accessOf(image) } = chosen;
  return {
    schemaVersion: 1,
    image,
    recipe: adapted,
    description: job.isReduced ? describeReduced(description, image, full) : description,
    copyrighted,
    ...full,
    access,
    partPixels: chosen.partPixels ?? partPixelsOf(job, { splitLevel, blocks, access }),
    splitLevel,
    blocks: { columns: [...blocks.columns], rows: [...blocks.rows] },
  };
}

/**
 * The size that the upright master is reduced to before it is cut, in pixels; undefined if it keeps
 * its size.
 */
export function reducedSize({ image, width, height }: Pick<Plan, 'image' | 'width' | 'height'>): Size | undefined {
  return isReduced(image, { width, height }) ? { width, height } : undefined;
}

/** The description with the resolution of the reduced image. */
function describeReduced(description: Description, image: SourceImage, full: Size): Description {
  if (!description.resolution) return description;
  const { x, y, unit } = description.resolution;
  const { width, height } = uprightSize(image);
  const scaled = { x: scaledResolution(x, width, full.width), y: scaledResolution(y, height, full.height), unit };
  return { ...description, resolution: scaled };
}

/**
 * The tile size of the recipe, reduced for small images. libvips since 8.14.2 refuses tiles of more
 * than twice the longer side of the image, rounded up to a multiple of 256 (`tiff2vips.c`). One
 * reduced tile still covers the whole image.
 */
function readableTileSize({ width, height }: Size, tileSize: number): number {
  return Math.min(tileSize, Math.ceil((2 * Math.max(width, height)) / 256) * 256);
}

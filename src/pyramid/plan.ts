/** The plan of one pyramid: a pure function of the master's header and the recipe. */
import { z } from 'zod';
import { RejectedImageError } from '../errors.ts';
import { MAP_CONCURRENCY, MAX_IMAGE_PIXELS } from '../limits.ts';
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
  /** The recipe asks whether works are marked as copyrighted, and this one is. */
  copyrighted: z.boolean(),
  /** Of level 0, orientation applied: the master's, or a smaller one that the recipe caps it at. Pixels. */
  width: z.int(),
  height: z.int(),
  /** Blocks read slices of the master, or the whole of it. */
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

/** The levels above the split level, which RenderTopLevels renders; empty where the blocks render all of them. */
export function topLevelsOf(plan: Plan): Level[] {
  return levelsOf(plan).slice(plan.splitLevel + 1);
}

/** Whether one block renders the whole image with all its levels. */
export function isOneBlock(plan: Plan): boolean {
  return blockCount(plan.blocks) === 1 && topLevelsOf(plan).length === 0;
}

/** How the level-0 pixels are cut; a test may ask for another cut than the planner's own. */
export interface Cut {
  readonly splitLevel: number;
  readonly blocks: BlockGrid;
  readonly access?: 'slices' | 'whole';
  readonly partPixels?: number;
}

/** What the plan depends on besides header and recipe. */
export interface PlanOptions {
  readonly cut?: Cut | undefined;
  /** The work is marked as copyrighted: the recipe may publish less of it. */
  readonly copyrighted?: boolean | undefined;
  /**
   * Functions that run at the same time, 40 unless given: on Lambda the iterations of an inline Map, on one machine its
   * cores. Only the cut depends on it, not the published bytes.
   */
  readonly concurrency?: number | undefined;
}

/** Makes the plan. Throws RejectedImageError for images that no plan can hold. */
export function makePlan(
  image: SourceImage,
  recipe: Recipe,
  description: Description,
  { cut, copyrighted = false, concurrency = MAP_CONCURRENCY }: PlanOptions = {},
): Plan {
  if (image.width * image.height > MAX_IMAGE_PIXELS) {
    throw new RejectedImageError(
      'TOO_MANY_PIXELS',
      `${describeSize(uprightSize(image))} is more than ${MAX_IMAGE_PIXELS} pixels`,
    );
  }
  const full = publishedSize(image, recipe, copyrighted);
  const adapted = { ...recipe, tileSize: readableTileSize(full, recipe.tileSize) };
  const job = planningJob(image, adapted, full, concurrency);
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
    partPixels: chosen.partPixels ?? partPixelsOf(job, access),
    splitLevel,
    blocks: { columns: [...blocks.columns], rows: [...blocks.rows] },
  };
}

/** The size that the upright master is reduced to before anything else; undefined where it keeps its own. Pixels. */
export function reducedSize({ image, width, height }: Pick<Plan, 'image' | 'width' | 'height'>): Size | undefined {
  return isReduced(image, { width, height }) ? { width, height } : undefined;
}

/** Fewer pixels for an object of the same size. */
function describeReduced(description: Description, image: SourceImage, full: Size): Description {
  if (!description.resolution) return description;
  const { x, y, unit } = description.resolution;
  const { width, height } = uprightSize(image);
  const scaled = { x: scaledResolution(x, width, full.width), y: scaledResolution(y, height, full.height), unit };
  return { ...description, resolution: scaled };
}

/**
 * libvips since 8.14.2 refuses tiles of more than twice the picture's longer side, rounded up to a multiple of 256
 * (`tiff2vips.c`): what is that small gets smaller tiles than the recipe says, of which one still holds all of it.
 */
function readableTileSize({ width, height }: Size, tileSize: number): number {
  return Math.min(tileSize, Math.ceil((2 * Math.max(width, height)) / 256) * 256);
}

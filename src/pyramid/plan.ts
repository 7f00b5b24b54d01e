/** The plan of one pyramid: a pure function of the master's header and the recipe. */
import { z } from 'zod';
import { RejectedImageError } from '../errors.ts';
import { MAX_APEX_PIXELS, MAX_BLOCK_SIDE, MAX_BLOCKS, MAX_IMAGE_PIXELS, TARGET_BLOCK_PIXELS } from '../limits.ts';
import { blockCount, type BlockGrid, edges } from './blocks.ts';
import { type Level, planLevels, type Size } from './levels.ts';
import { Recipe } from './recipe.ts';
import { SourceImage, uprightSize } from './source-image.ts';

const resolution = z.object({
  x: z.tuple([z.number(), z.number()]),
  y: z.tuple([z.number(), z.number()]),
  unit: z.number(),
});

/** What the published file says beyond its pixels, taken from the master. */
export const PlanDescription = z.object({
  resolution: resolution.optional(),
  /** Base64. */
  iccProfile: z.string().optional(),
});
export type PlanDescription = z.infer<typeof PlanDescription>;

const PlanSchema = z.object({
  schemaVersion: z.literal(1),
  image: SourceImage,
  recipe: Recipe,
  description: PlanDescription,
  /** Of level 0, orientation applied. Pixels. */
  width: z.int(),
  height: z.int(),
  /** The blocks make levels 0 to this one; the apex makes the rest. */
  splitLevel: z.int().min(0),
  blocks: z.object({ columns: z.array(z.int()), rows: z.array(z.int()) }),
});
export type Plan = z.infer<typeof PlanSchema>;

/** Reads a plan that an earlier step wrote. Throws when it is not one. */
export function parsePlan(json: string): Plan {
  return PlanSchema.parse(JSON.parse(json));
}

export function levelsOf(plan: Plan): Level[] {
  return planLevels(plan, plan.recipe.tileSize);
}

/** How the level-0 pixels are cut; a test may ask for another cut than the planner's own. */
export interface Cut {
  readonly splitLevel: number;
  readonly blocks: BlockGrid;
}

/** Makes the plan. Throws RejectedImageError for images that no plan can hold. */
export function makePlan(image: SourceImage, recipe: Recipe, description: PlanDescription, cut?: Cut): Plan {
  const full = uprightSize(image);
  const pixels = full.width * full.height;
  if (pixels > MAX_IMAGE_PIXELS) {
    throw new RejectedImageError(
      'TOO_MANY_PIXELS',
      `${full.width} × ${full.height} is more than ${MAX_IMAGE_PIXELS} pixels`,
    );
  }
  const { splitLevel, blocks } = cut ?? chooseCut(image, full, recipe.tileSize);
  const grid = { columns: [...blocks.columns], rows: [...blocks.rows] };
  return { schemaVersion: 1, image, recipe, description, ...full, splitLevel, blocks: grid };
}

/**
 * One block where the whole image is no more than a block should be. Otherwise the deepest split whose blocks are still
 * near the target, in full-width bands where the rows are short enough, in squares where they are not.
 */
function chooseCut(image: SourceImage, full: Size, tileSize: number): Cut {
  const last = planLevels(full, tileSize).length - 1;
  const fitsOneBlock = full.width * full.height <= blockPixels(image) && longSide(full) <= MAX_BLOCK_SIDE;
  if (fitsOneBlock) return { splitLevel: last, blocks: { columns: [0, full.width], rows: [0, full.height] } };
  for (let splitLevel = Math.min(last, 5); splitLevel >= 0; splitLevel--) {
    const unit = tileSize * 2 ** splitLevel;
    const blocks = gridOf(full, unit, blockPixels(image));
    const largest = Math.min(full.width, step(blocks.columns)) * Math.min(full.height, step(blocks.rows));
    const apexPixels = (full.width / 2 ** splitLevel) * (full.height / 2 ** splitLevel);
    if (blockCount(blocks) > MAX_BLOCKS || apexPixels > MAX_APEX_PIXELS) break;
    if (largest <= 2 * blockPixels(image)) return { splitLevel, blocks };
  }
  throw new RejectedImageError(
    'OVER_BUDGET',
    `${full.width} × ${full.height} cannot be cut into ${MAX_BLOCKS} blocks of ${blockPixels(image)} pixels`,
  );
}

/** Whatever can only be read from the top is decoded from there by every block, so it is cut into fewer, larger ones. */
function blockPixels(image: SourceImage): number {
  const wholeInMemory = image.orientation !== 1 || image.progressive;
  if (wholeInMemory) return 4 * TARGET_BLOCK_PIXELS;
  return image.segments ? TARGET_BLOCK_PIXELS : 2 * TARGET_BLOCK_PIXELS;
}

function gridOf(full: Size, unit: number, targetPixels: number): BlockGrid {
  const bandRows = Math.floor(targetPixels / full.width / unit) * unit;
  if (full.width <= MAX_BLOCK_SIDE && bandRows >= unit) {
    return { columns: [0, full.width], rows: edges(full.height, Math.min(bandRows, floorTo(MAX_BLOCK_SIDE, unit))) };
  }
  const side = Math.max(unit, floorTo(Math.min(Math.sqrt(targetPixels), MAX_BLOCK_SIDE), unit));
  return { columns: edges(full.width, side), rows: edges(full.height, side) };
}

function floorTo(value: number, unit: number): number {
  return Math.floor(value / unit) * unit;
}

/** The width of the first column, or height of the first row. */
function step(gridEdges: readonly number[]): number {
  return (gridEdges[1] ?? 0) - (gridEdges[0] ?? 0);
}

function longSide(size: Size): number {
  return Math.max(size.width, size.height);
}

/** Bits a sample in the published file: JPEG and WebP hold 8, the lossless codecs what the master has. */
export function outputBitDepth(plan: Pick<Plan, 'image' | 'recipe'>): 8 | 16 {
  const { compression } = plan.recipe.encoding;
  return compression === 'jpeg' || compression === 'webp' ? 8 : plan.image.bitDepth;
}

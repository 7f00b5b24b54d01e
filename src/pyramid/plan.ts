/** The plan of one pyramid: a pure function of the master's header and the recipe. */
import { z } from 'zod';
import { RejectedImageError } from '../errors.ts';
import {
  BLOCK_TIME_BUDGET,
  MAX_APEX_PIXELS,
  MAX_BLOCK_SIDE,
  MAX_BLOCKS,
  MAX_IMAGE_PIXELS,
  MEMORY_BUDGET,
} from '../limits.ts';
import { blockCount, type BlockGrid, blockRect, edges } from './blocks.ts';
import { type Candidate, estimate, PART_PIXELS, WHOLE_PART_PIXELS } from './cost-model.ts';
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
  /** Blocks read slices of the master, or the whole of it. */
  access: z.enum(['slices', 'whole']),
  /** Pixels that a block decodes at a time. */
  partPixels: z.int().min(1),
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
  readonly access?: 'slices' | 'whole';
  readonly partPixels?: number;
}

/** Makes the plan. Throws RejectedImageError for images that no plan can hold. */
export function makePlan(image: SourceImage, recipe: Recipe, description: PlanDescription, cut?: Cut): Plan {
  const full = uprightSize(image);
  const pixels = full.width * full.height;
  if (pixels > MAX_IMAGE_PIXELS) {
    const size = `${full.width} × ${full.height}`;
    throw new RejectedImageError('TOO_MANY_PIXELS', `${size} is more than ${MAX_IMAGE_PIXELS} pixels`);
  }
  const adapted = { ...recipe, tileSize: readableTileSize(full, recipe.tileSize) };
  const chosen: Cut = cut ?? chooseCut(image, full, adapted);
  const { splitLevel, blocks, access = accessOf(image) } = chosen;
  return {
    schemaVersion: 1,
    image,
    recipe: adapted,
    description,
    ...full,
    access,
    partPixels: chosen.partPixels ?? (access === 'slices' ? PART_PIXELS : WHOLE_PART_PIXELS),
    splitLevel,
    blocks: { columns: [...blocks.columns], rows: [...blocks.rows] },
  };
}

/**
 * libvips since 8.14.2 refuses tiles of more than twice the picture's longer side, rounded up to a multiple of 256
 * (`tiff2vips.c`): what is that small gets smaller tiles than the recipe says, of which one still holds all of it.
 */
function readableTileSize({ width, height }: Size, tileSize: number): number {
  return Math.min(tileSize, Math.ceil((2 * Math.max(width, height)) / 256) * 256);
}

/** Strips and tiles are read by slices; everything else can only be decoded from its beginning. */
function accessOf(image: SourceImage): 'slices' | 'whole' {
  return image.segments ? 'slices' : 'whole';
}

/**
 * A millisecond of anybody's work weighs this much against a millisecond of waiting: work costs money on AWS, and on one
 * machine, where few functions run at once, work is the waiting.
 */
const WEIGHT_OF_WORK = 0.25;

/** The cheapest of all cuts that keep within the limits, by the cost model. */
function chooseCut(image: SourceImage, full: Size, recipe: Recipe): Candidate {
  const levels = planLevels(full, recipe.tileSize);
  const bytesPerPixel = outputBands({ image, recipe }) * (outputBitDepth({ image, recipe }) / 8);
  let best: { candidate: Candidate; score: number } | undefined;
  for (const candidate of candidates(image, full, recipe.tileSize, levels.length - 1)) {
    const count = blockCount(candidate.blocks);
    const hasApex = candidate.splitLevel < levels.length - 1;
    const apexPixels = hasApex ? (full.width * full.height) / 4 ** candidate.splitLevel : 0;
    if (count > MAX_BLOCKS || apexPixels > MAX_APEX_PIXELS || !hasFairSides(image, candidate)) continue;
    const costs = estimate(image, full, recipe, bytesPerPixel, candidate, hasApex);
    if (Math.max(costs.blockMemory, costs.apexMemory) > MEMORY_BUDGET) continue;
    if (costs.work / count > BLOCK_TIME_BUDGET) continue;
    const score = costs.criticalPath + WEIGHT_OF_WORK * costs.work;
    if (!best || score < best.score) best = { candidate, score };
  }
  if (best) return best.candidate;
  const size = `${full.width} × ${full.height}`;
  throw new RejectedImageError('OVER_BUDGET', `${size} pixels of ${image.format} fit no plan of ${MAX_BLOCKS} blocks`);
}

/** Only strips, which cannot be read by column, make blocks of any width worth their while. */
function hasFairSides(image: SourceImage, { blocks }: Candidate): boolean {
  const { right, bottom } = blockRect(blocks, 0);
  return image.segments?.kind === 'strips' || Math.max(right, bottom) <= MAX_BLOCK_SIDE;
}

/** One block; bands of every depth and height; squares of every depth and size. */
function* candidates(image: SourceImage, full: Size, tileSize: number, last: number): Generator<Candidate> {
  const access = accessOf(image);
  yield { splitLevel: last, blocks: { columns: [0, full.width], rows: [0, full.height] }, access };
  // Strips run across the image; turned on its side, they run down it.
  const stripsRunDown = image.orientation >= 5;
  for (let splitLevel = 0; splitLevel < last; splitLevel++) {
    const unit = tileSize * 2 ** splitLevel;
    for (let times = 1; times * unit < Math.max(full.width, full.height) * 2; times *= 2) {
      const step = times * unit;
      yield stripsRunDown
        ? { splitLevel, blocks: { columns: edges(full.width, step), rows: [0, full.height] }, access }
        : { splitLevel, blocks: { columns: [0, full.width], rows: edges(full.height, step) }, access };
      yield { splitLevel, blocks: { columns: edges(full.width, step), rows: edges(full.height, step) }, access };
    }
  }
}

/** Bits a sample in the published file: JPEG and WebP hold 8, the lossless codecs what the recipe keeps of the master. */
export function outputBitDepth({ image, recipe }: Pick<Plan, 'image' | 'recipe'>): 8 | 16 {
  const { compression } = recipe.encoding;
  return compression === 'jpeg' || compression === 'webp' || recipe.depth === 8 ? 8 : image.bitDepth;
}

/** Bands in the published file: those of the master's colours, but WebP knows no grey. */
export function outputBands(plan: Pick<Plan, 'image' | 'recipe'>): 1 | 3 {
  return plan.recipe.encoding.compression === 'webp' ? 3 : plan.image.bands;
}

/** How the pixels of level 0 are cut into blocks: docs/planning.md explains the choice. */
import { RejectedImageError } from '../errors.ts';
import {
  BLOCK_TIME_BUDGET,
  MAX_SPLIT_LEVEL_PIXELS,
  MAX_BLOCK_SIDE,
  MAX_BLOCKS,
  MEMORY_BUDGET,
  SCRATCH_BUDGET,
} from '../limits.ts';
import { blockCount, blockRect, edges } from './blocks.ts';
import { type Candidate, type Estimate, estimate } from './cost-model.ts';
import { describeSize, planLevels, type Size } from './levels.ts';
import type { Recipe } from '../recipe/recipe.ts';
import { isReduced } from './size-cap.ts';
import { type SourceImage, uprightSize } from './source-image.ts';

/** Strips and tiles are read by slices; everything else can only be decoded from its beginning. */
export function accessOf(image: SourceImage): 'slices' | 'whole' {
  return image.chunks ? 'slices' : 'whole';
}

/**
 * A millisecond of anybody's work weighs this much against a millisecond of waiting: work costs money on AWS, and on one
 * machine, where few functions run at once, work is the waiting.
 */
const WEIGHT_OF_WORK = 0.25;

/**
 * The cheapest of all cuts that keep within the limits, by the cost model; of what is reduced, the only one. `full` is the
 * size of level 0, `bytesPerPixel` of what is published. Throws RejectedImageError(OVER_BUDGET) when there is none.
 */
export function chooseCut(
  image: SourceImage,
  full: Size,
  recipe: Pick<Recipe, 'encoding' | 'colour' | 'tileSize'>,
  bytesPerPixel: number,
): Candidate {
  const levels = planLevels(full, recipe.tileSize);
  if (isReduced(image, full)) return reducingCut(image, full, recipe, bytesPerPixel, levels.length - 1);
  let best: { candidate: Candidate; score: number } | undefined;
  for (const candidate of candidates(image, full, recipe.tileSize, levels.length - 1)) {
    const count = blockCount(candidate.blocks);
    const hasTopLevels = candidate.splitLevel < levels.length - 1;
    const splitLevelPixels = hasTopLevels ? (full.width * full.height) / 4 ** candidate.splitLevel : 0;
    if (count > MAX_BLOCKS || splitLevelPixels > MAX_SPLIT_LEVEL_PIXELS || !hasFairSides(image, candidate)) continue;
    const costs = estimate(image, full, recipe, bytesPerPixel, candidate, hasTopLevels);
    if (overspent(costs, count)) continue;
    const score = costs.criticalPath + WEIGHT_OF_WORK * costs.work;
    if (!best || score < best.score) best = { candidate, score };
  }
  if (best) return best.candidate;
  throw new RejectedImageError(
    'OVER_BUDGET',
    `${describeSize(full)} pixels of ${image.format} fit no plan of ${MAX_BLOCKS} blocks`,
  );
}

/** Every pixel of the master is needed for a smaller picture: one block makes all of it, whatever form the master has. */
function reducingCut(
  image: SourceImage,
  full: Size,
  recipe: Pick<Recipe, 'encoding' | 'colour'>,
  bytesPerPixel: number,
  splitLevel: number,
): Candidate {
  const candidate = oneBlock(image, full, splitLevel);
  const reason = overspent(estimate(image, full, recipe, bytesPerPixel, candidate, false), 1);
  if (reason === undefined) return candidate;
  const sizes = `${describeSize(uprightSize(image))} pixels of ${image.format} to ${describeSize(full)}`;
  throw new RejectedImageError('OVER_BUDGET', `one function cannot reduce ${sizes}: ${reason}`);
}

/** The first budget that a block or RenderTopLevels would exceed, in words; undefined if there is none. */
function overspent({ blockMemory, topLevelsMemory, work, scratch }: Estimate, count: number): string | undefined {
  const memory = Math.max(blockMemory, topLevelsMemory);
  const time = work / count;
  const megabytes = (bytes: number): string => `${Math.ceil(bytes / 2 ** 20)} MiB`;
  if (memory > MEMORY_BUDGET) return `it needs ${megabytes(memory)} of memory, of ${megabytes(MEMORY_BUDGET)}`;
  if (scratch > SCRATCH_BUDGET) return `it needs ${megabytes(scratch)} of files, of ${megabytes(SCRATCH_BUDGET)}`;
  if (time > BLOCK_TIME_BUDGET) return `it needs ${Math.ceil(time / 1000)} s, of ${BLOCK_TIME_BUDGET / 1000} s`;
  return undefined;
}

/** Only strips, which cannot be read by column, make blocks of any width worth their while. */
function hasFairSides(image: SourceImage, { blocks }: Candidate): boolean {
  const { right, bottom } = blockRect(blocks, 0);
  return image.chunks?.kind === 'strips' || Math.max(right, bottom) <= MAX_BLOCK_SIDE;
}

function oneBlock(image: SourceImage, full: Size, splitLevel: number): Candidate {
  return { splitLevel, blocks: { columns: [0, full.width], rows: [0, full.height] }, access: accessOf(image) };
}

/** One block; bands of every depth and height; squares of every depth and size. */
function* candidates(image: SourceImage, full: Size, tileSize: number, last: number): Generator<Candidate> {
  const access = accessOf(image);
  yield oneBlock(image, full, last);
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

/** How the pixels of level 0 are cut into blocks: docs/planning.md explains the choice. */
import { RejectedImageError } from '../errors.ts';
import { BLOCK_TIME_BUDGET, MAX_SPLIT_LEVEL_PIXELS, MAX_BLOCK_SIDE, MAX_BLOCKS, SCRATCH_BUDGET } from '../limits.ts';
import { blockCount, blockRect, edges } from './blocks.ts';
import { WEIGHT_OF_WORK } from './cost-figures.ts';
import { type Estimate, estimate } from './cost-model.ts';
import { describeSize } from './levels.ts';
import { type Access, type Candidate, leavesTopLevels, type PlanningJob } from './planning-job.ts';
import { type SourceImage, uprightSize } from './source-image.ts';

/**
 * The master is read by slices if it has strips or tiles; other formats can only be decoded from
 * their beginning.
 */
export function accessOf(image: SourceImage): Access {
  return image.chunks ? 'slices' : 'whole';
}

/**
 * Chooses the cut with the lowest cost that keeps within the limits; an image that is reduced has
 * only one. Throws RejectedImageError(OVER_BUDGET) when there is none.
 */
export function chooseCut(job: PlanningJob): Candidate {
  if (job.isReduced) return reducingCut(job);
  const { image, full } = job;
  let best: { candidate: Candidate; score: number } | undefined;
  for (const candidate of candidates(job)) {
    const count = blockCount(candidate.blocks);
    const splitLevelPixels = (full.width * full.height) / 4 ** candidate.splitLevel;
    const hasLargeTop = leavesTopLevels(job, candidate.splitLevel) && splitLevelPixels > MAX_SPLIT_LEVEL_PIXELS;
    if (count > MAX_BLOCKS || hasLargeTop || !hasFairSides(image, candidate)) continue;
    const costs = estimate(job, candidate);
    if (overspent(job, costs, count)) continue;
    const score = costs.criticalPath + WEIGHT_OF_WORK * costs.work;
    if (!best || score < best.score) best = { candidate, score };
  }
  if (best) return best.candidate;
  throw new RejectedImageError(
    'OVER_BUDGET',
    `${describeSize(full)} pixels of ${image.format} fit no plan of ${MAX_BLOCKS} blocks`,
  );
}

/**
 * Every pixel of the master contributes to a reduced image: one block makes all of it, whatever
 * form the master has.
 */
function reducingCut(job: PlanningJob): Candidate {
  const candidate = oneBlock(job);
  const reason = overspent(job, estimate(job, candidate), 1);
  if (reason === undefined) return candidate;
  const { image, full } = job;
  const sizes = `${describeSize(uprightSize(image))} pixels of ${image.format} to ${describeSize(full)}`;
  throw new RejectedImageError('OVER_BUDGET', `one function cannot reduce ${sizes}: ${reason}`);
}

/**
 * The first budget that a block or RenderTopLevels would exceed, in words; undefined if there is
 * none.
 */
function overspent(
  { memory: { rendering } }: PlanningJob,
  { blockMemory, topLevelsMemory, work, scratch }: Estimate,
  count: number,
): string | undefined {
  const memory = Math.max(blockMemory, topLevelsMemory);
  const time = work / count;
  const megabytes = (bytes: number): string => `${Math.ceil(bytes / 2 ** 20)} MiB`;
  if (memory > rendering) return `it needs ${megabytes(memory)} of memory, of ${megabytes(rendering)}`;
  if (scratch > SCRATCH_BUDGET) return `it needs ${megabytes(scratch)} of files, of ${megabytes(SCRATCH_BUDGET)}`;
  if (time > BLOCK_TIME_BUDGET) return `it needs ${Math.ceil(time / 1000)} s, of ${BLOCK_TIME_BUDGET / 1000} s`;
  return undefined;
}

/**
 * Whether no side exceeds MAX_BLOCK_SIDE. Strips cannot be read by column, so their blocks may have
 * any width.
 */
function hasFairSides(image: SourceImage, { blocks }: Candidate): boolean {
  const { right, bottom } = blockRect(blocks, 0);
  return image.chunks?.kind === 'strips' || Math.max(right, bottom) <= MAX_BLOCK_SIDE;
}

function oneBlock({ image, full, levels }: PlanningJob): Candidate {
  const blocks = { columns: [0, full.width], rows: [0, full.height] };
  return { splitLevel: levels.length - 1, blocks, access: accessOf(image) };
}

/**
 * Generates the candidate cuts: one block, bands of every depth and height, and squares of every
 * depth and size.
 */
function* candidates(job: PlanningJob): Generator<Candidate> {
  const { image, full, recipe, levels } = job;
  const access = accessOf(image);
  yield oneBlock(job);
  // Strips are horizontal in the stored image, and vertical in the upright image if it is rotated
  // by 90°.
  const stripsRunDown = image.orientation >= 5;
  for (let splitLevel = 0; splitLevel < levels.length - 1; splitLevel++) {
    const unit = recipe.tileSize * 2 ** splitLevel;
    for (let times = 1; times * unit < Math.max(full.width, full.height) * 2; times *= 2) {
      const step = times * unit;
      yield stripsRunDown
        ? { splitLevel, blocks: { columns: edges(full.width, step), rows: [0, full.height] }, access }
        : { splitLevel, blocks: { columns: [0, full.width], rows: edges(full.height, step) }, access };
      yield { splitLevel, blocks: { columns: edges(full.width, step), rows: edges(full.height, step) }, access };
    }
  }
}

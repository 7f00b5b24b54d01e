import { InconsistentWorkError, ObjectNotFoundError, PreconditionFailedError } from '../errors.ts';
import { placeRaster, type Raster, rasterBytes, rasterIn } from '../imaging/raster.ts';
import { Arena } from '../imaging/arena.ts';
import { halve } from '../imaging/halve.ts';
import { renderLevels } from '../imaging/render-levels.ts';
import { blockRect, isEmpty, rectAtLevel, rectSize } from '../pyramid/blocks.ts';
import { outputBands, outputBitDepth } from '../pyramid/output-samples.ts';
import { levelsOf, type Plan, topLevelsOf } from '../pyramid/plan.ts';
import type { Level } from '../pyramid/levels.ts';
import { type Call, lambdaHandler, type Ports } from '../runtime.ts';
import { forEachParallel } from '../parallel.ts';
import type { ObjectStore } from '../storage/object-store.ts';
import { sourceLogFields, PlannedState } from '../work/state.ts';
import { type PlanRef, readPlan, workArea, type WorkArea } from '../work/work-area.ts';
import { isBundleComplete, readBundleIndex, writeTileBundle } from '../work/tile-bundle.ts';

/** Rasters read at once. */
const READERS = 8;

/** The levels above the blocks', from the blocks' smallest rasters put side by side. One block has none. */
export function makeRenderTopLevels({ store, config }: Pick<Ports, 'store' | 'config'>) {
  return async ({ source, plan: { ref, blocks } }: PlannedState, { log }: Call): Promise<void> => {
    const area = workArea(config.workBucket, source);
    const plan = await readPlan(store, config.workBucket, ref);
    const levels = levelsOf(plan);
    const split = levels[plan.splitLevel];
    const above = topLevelsOf(plan);
    if (!split || above.length === 0 || (await isBundleComplete(store, area, ref, 'top-levels'))) return;
    const arena = new Arena();
    try {
      const raster = await gatherRaster(store, area, ref, plan, split, blocks, arena);
      const rect = { left: 0, top: 0, right: plan.width, bottom: plan.height };
      const top = { rect, full: plan, levels: above, recipe: plan.recipe };
      const rendered = await renderLevels(halve(raster, arena), top, arena);
      const index = await writeTileBundle(store, area, ref, 'top-levels', {
        rendered,
        levels,
        tilesAt: () => ({ column: 0, row: 0, across: 0, down: 0 }),
      });
      log.info('top-levels.rendered', { levels: above.length, bytes: index.tiles.size });
    } finally {
      arena.release();
    }
  };
}

async function gatherRaster(
  store: ObjectStore,
  area: WorkArea,
  ref: PlanRef,
  plan: Plan,
  split: Level,
  blocks: readonly number[],
  arena: Arena,
): Promise<Raster> {
  const shape = { bands: outputBands(plan), bitDepth: outputBitDepth(plan) };
  const whole = rasterIn(arena, { width: split.width, height: split.height, ...shape });
  await forEachParallel(blocks, READERS, async (block) => {
    const rect = rectAtLevel(blockRect(plan.blocks, block), plan, split);
    if (isEmpty(rect)) return;
    const own = new Arena();
    try {
      const raster = rasterIn(own, { ...rectSize(rect), ...shape });
      await readRaster(store, area, ref, block, rasterBytes(raster));
      placeRaster(whole, raster, rect.left, rect.top);
    } finally {
      own.release();
    }
  });
  return whole;
}

async function readRaster(
  store: ObjectStore,
  area: WorkArea,
  ref: PlanRef,
  block: number,
  into: Uint8Array,
): Promise<void> {
  const { raster } = await readBundleIndex(store, area.index(ref, block));
  if (raster?.size !== into.length) {
    throw new InconsistentWorkError(
      `Expected a raster of ${into.length} bytes for block ${block} but its index names ${raster?.size ?? 'none'}`,
    );
  }
  try {
    await store.read(area.raster(ref, block), { ifMatch: raster.etag, into });
  } catch (error) {
    if (!(error instanceof ObjectNotFoundError || error instanceof PreconditionFailedError)) throw error;
    throw new InconsistentWorkError(`Expected the raster of block ${block} as its index names it`, { cause: error });
  }
}

export const handler = lambdaHandler(PlannedState, makeRenderTopLevels, sourceLogFields);

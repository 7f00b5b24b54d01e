import { InconsistentWorkError } from '../errors.ts';
import { Arena } from '../imaging/arena.ts';
import { halve } from '../imaging/halve.ts';
import { placeRaster, type Raster, rasterBytes, rasterIn } from '../imaging/raster.ts';
import { renderLevels } from '../imaging/render-levels.ts';
import { forEachParallel } from '../parallel.ts';
import { blockCount, blockRect, isEmpty, rectAtLevel, rectSize } from '../pyramid/blocks.ts';
import type { Level } from '../pyramid/levels.ts';
import { outputBands, outputBitDepth } from '../pyramid/output-samples.ts';
import { levelsOf, type Plan, topLevelsOf } from '../pyramid/plan.ts';
import { type Call, lambdaHandler, type Ports } from '../runtime.ts';
import type { ObjectStore } from '../storage/object-store.ts';
import { PlannedState, sourceLogFields } from '../work/execution-state.ts';
import { openWork } from '../work/pinned-object.ts';
import { isBundleComplete, readBundleIndex, writeTileBundle } from '../work/tile-bundle.ts';
import { type PlanRef, readPlan, workArea, type WorkArea } from '../work/work-area.ts';

/** Number of rasters read concurrently. */
const READERS = 8;

/** Location of the level-k rasters of the blocks. */
interface BlockRasters {
  readonly store: ObjectStore;
  readonly area: WorkArea;
  readonly ref: PlanRef;
  readonly plan: Plan;
}

/**
 * Renders the levels above the split level from the level-k rasters of all blocks. Does nothing if
 * there are none.
 */
export function makeRenderTopLevels({ store, config }: Pick<Ports, 'store' | 'config'>) {
  return async ({ source, plan: { ref } }: PlannedState, { log }: Call): Promise<void> => {
    const area = workArea(config.workBucket, source);
    const plan = await readPlan(store, config.workBucket, ref);
    const split = levelsOf(plan)[plan.splitLevel];
    const above = topLevelsOf(plan);
    if (!split || above.length === 0 || (await isBundleComplete(store, area, ref, 'top-levels'))) return;
    const arena = new Arena();
    try {
      const raster = await joinRasters({ store, area, ref, plan }, split, arena);
      const rect = { left: 0, top: 0, right: plan.width, bottom: plan.height };
      const top = { rect, full: plan, levels: above, recipe: plan.recipe };
      const rendered = await renderLevels(halve(raster, arena), top, arena);
      const index = await writeTileBundle(store, area, ref, 'top-levels', { plan, rect, rendered });
      log.info('top-levels.rendered', { levels: above.length, bytes: index.tiles.size });
    } finally {
      arena.release();
    }
  };
}

/** Joins the rasters of all blocks into the image at the split level. */
async function joinRasters(rasters: BlockRasters, split: Level, arena: Arena): Promise<Raster> {
  const { plan } = rasters;
  const shape = { bands: outputBands(plan), bitDepth: outputBitDepth(plan) };
  const whole = rasterIn(arena, { width: split.width, height: split.height, ...shape });
  const blocks = Array.from({ length: blockCount(plan.blocks) }, (_, block) => block);
  await forEachParallel(blocks, READERS, async (block) => {
    const rect = rectAtLevel(blockRect(plan.blocks, block), plan, split);
    if (isEmpty(rect)) return;
    const blockArena = new Arena();
    try {
      const raster = rasterIn(blockArena, { ...rectSize(rect), ...shape });
      await readRaster(rasters, block, rasterBytes(raster));
      placeRaster(whole, raster, rect.left, rect.top);
    } finally {
      blockArena.release();
    }
  });
  return whole;
}

async function readRaster({ store, area, ref }: BlockRasters, block: number, target: Uint8Array): Promise<void> {
  const { raster } = await readBundleIndex(store, area.index(ref, block));
  if (raster?.size !== target.length) {
    throw new InconsistentWorkError(
      `Expected a raster of ${target.length} bytes for block ${block} but its index names ${raster?.size ?? 'none'}`,
    );
  }
  await openWork(store, area.raster(ref, block), raster).reader.readInto(target, 0);
}

export const handler = lambdaHandler(PlannedState, makeRenderTopLevels, sourceLogFields);

import { z } from 'zod';
import { ExecutionInput } from '../execution-input.ts';
import { decodeRect } from '../imaging/decode.ts';
import { renderLevels } from '../imaging/render-levels.ts';
import { blockRect, rectAtLevel, rectSize, tilesOf } from '../pyramid/blocks.ts';
import { levelsOf, outputBitDepth } from '../pyramid/plan.ts';
import { type Call, lambdaHandler, type Ports } from '../runtime.ts';
import { openSource } from './pinned-source.ts';
import { aboutSource } from './state.ts';
import { PlanRef, readPlan, workArea } from './work-area.ts';
import { isRendered, writeSegment } from './write-segment.ts';

export const RenderBlockInput = ExecutionInput.pick({ schemaVersion: true, source: true }).extend({
  plan: PlanRef,
  block: z.int().min(0),
});
export type RenderBlockInput = z.infer<typeof RenderBlockInput>;

/** Kept back of the invocation's time, for writing what was decoded. Milliseconds. */
const WRITING_TIME = 20_000;

/** One block: its tiles of levels 0 to k, and its level-k raster for the apex. Already there and whole: nothing to do. */
export function makeRenderBlock({ store, config }: Pick<Ports, 'store' | 'config'>) {
  return async ({ source, plan: ref, block }: RenderBlockInput, { log, remainingMs }: Call): Promise<void> => {
    const area = workArea(config.workBucket, source);
    if (await isRendered(store, area, ref, block)) {
      log.info('block.kept', { block });
      return;
    }
    const plan = await readPlan(store, config.workBucket, ref);
    const rect = blockRect(plan.blocks, block);
    const levels = levelsOf(plan);
    const inLevels = levels.slice(0, plan.splitLevel + 1).map((level) => rectAtLevel(rect, plan, level));
    const pinned = await openSource(store, source);
    const raster = await pinned.withFile((file) =>
      decodeRect(file, {
        image: plan.image,
        rect,
        background: plan.recipe.background,
        bitDepth: outputBitDepth(plan),
        timeoutSeconds: (remainingMs() - WRITING_TIME) / 1000,
      }),
    );
    const rendered = await renderLevels(raster, inLevels.map(rectSize), plan.recipe);
    const index = await writeSegment(store, area, ref, block, rendered, {
      firstLevel: 0,
      tilesAt: (level) => tilesOf(inLevels[level] ?? rect, plan.recipe.tileSize),
      keepRaster: plan.splitLevel < levels.length - 1,
    });
    log.info('block.rendered', { block, ...rectSize(rect), bytes: index.tiles.size });
  };
}

export const handler = lambdaHandler(RenderBlockInput, makeRenderBlock, (input) => ({
  ...aboutSource(input),
  block: input.block,
}));

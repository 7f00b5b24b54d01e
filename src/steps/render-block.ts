import { z } from 'zod';
import { Arena } from '../imaging/arena.ts';
import { renderArea } from '../imaging/render-levels.ts';
import type { SourcePixels } from '../imaging/source-pixels.ts';
import { writeFileBundle } from '../outputs/file-bundle.ts';
import { filesRenderer } from '../outputs/render-files.ts';
import { blockRect, rectSize } from '../pyramid/blocks.ts';
import { blockLevelsOf, topLevelsOf } from '../pyramid/plan.ts';
import { type Call, lambdaHandler, type Ports } from '../runtime.ts';
import { writeChecksums } from '../work/checksums.ts';
import { ExecutionInput } from '../work/execution-input.ts';
import { sourceLogFields } from '../work/execution-state.ts';
import { renderSource } from '../work/source-rendering.ts';
import { isBundleComplete, writeTileBundle } from '../work/tile-bundle.ts';
import { PlanRef, readPlan, workArea } from '../work/work-area.ts';

export const RenderBlockInput = ExecutionInput.pick({ schemaVersion: true, source: true }).extend({
  plan: PlanRef,
  block: z.int().min(0),
});
export type RenderBlockInput = z.infer<typeof RenderBlockInput>;

/**
 * Renders one block: its tiles of levels 0 to k, and its level-k raster for RenderTopLevels. A
 * complete block is not rendered again. Its tiles for other outputs are written before the index of
 * the tile bundle. If blocks read the whole master, block 0 also records its
 * digests.
 */
export function makeRenderBlock({ store, config }: Pick<Ports, 'store' | 'config'>) {
  return async ({ source, plan: ref, block }: RenderBlockInput, { log, remainingMs }: Call): Promise<void> => {
    const { workBucket, memory } = config;
    const work = workArea(workBucket, source);
    if (await isBundleComplete(store, work, ref, block)) {
      log.info('block.kept', { block });
      return;
    }
    const plan = await readPlan(store, workBucket, ref);
    const rect = blockRect(plan.blocks, block);
    const area = { rect, full: plan, levels: blockLevelsOf(plan), recipe: plan.recipe };
    const parts = { partPixels: plan.partPixels, readAhead: config.store.kind === 's3' };
    const arena = new Arena();
    try {
      const request = { store, workBucket, source, plan, memory, remainingMs, withChecksums: block === 0 };
      const files = filesRenderer(plan, source, rect, arena);
      const render = (pixels: SourcePixels) => renderArea(area, pixels, parts, arena, files?.reader);
      const { rendered, warnings, checksums } = await renderSource(request, render);
      if (checksums) await writeChecksums(store, work, checksums);
      if (files) await writeFileBundle(store, work, ref, block, files.finish(rendered));
      const raster = topLevelsOf(plan).length > 0 ? rendered.last : undefined;
      const index = await writeTileBundle(store, work, ref, block, { plan, rect, rendered, raster, warnings });
      log.info('block.rendered', { block, ...rectSize(rect), bytes: index.tiles.size });
    } finally {
      arena.release();
    }
  };
}

export const handler = lambdaHandler(RenderBlockInput, makeRenderBlock, (input) => ({
  ...sourceLogFields(input),
  block: input.block,
}));

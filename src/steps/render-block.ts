import { createReadStream } from 'node:fs';
import { z } from 'zod';
import { ExecutionInput } from '../work/execution-input.ts';
import { Arena } from '../imaging/arena.ts';
import { type EncodedLevels, renderArea, renderImage } from '../imaging/render-levels.ts';
import type { Raster } from '../imaging/raster.ts';
import { pixelsOfFile, pixelsOfSlices, type SourcePixels } from '../imaging/source-pixels.ts';
import { blockRect, rectAtLevel, rectSize, tilesOf } from '../pyramid/blocks.ts';
import { conversionOf } from '../pyramid/conversion.ts';
import { outputBands, outputBitDepth } from '../pyramid/output-samples.ts';
import { blockLevelsOf, isOneBlock, levelsOf, reducedSize, topLevelsOf } from '../pyramid/plan.ts';
import { type Call, lambdaHandler, type Ports } from '../runtime.ts';
import { openPixels } from '../work/pinned-source.ts';
import { recordChecksums } from '../work/record-checksums.ts';
import { sourceLogFields } from '../work/state.ts';
import { PlanRef, readPlan, workArea } from '../work/work-area.ts';
import { isBundleComplete, writeTileBundle } from '../work/tile-bundle.ts';

export const RenderBlockInput = ExecutionInput.pick({ schemaVersion: true, source: true }).extend({
  plan: PlanRef,
  block: z.int().min(0),
});
export type RenderBlockInput = z.infer<typeof RenderBlockInput>;

/** Read at once for the digests of a master that lies in a file. Bytes. */
const CHECKSUM_BYTES = 2 ** 20;

/** Kept back of the invocation's time, for writing what was decoded. Milliseconds. */
const WRITING_TIME = 20_000;

/**
 * Renders one block: its tiles of levels 0 to k, and its level-k raster for RenderTopLevels. A block that is complete is
 * left as it is. Where blocks read the whole master, the first one also records its digests.
 */
export function makeRenderBlock({ store, config }: Pick<Ports, 'store' | 'config'>) {
  return async ({ source, plan: ref, block }: RenderBlockInput, { log, remainingMs }: Call): Promise<void> => {
    const work = workArea(config.workBucket, source);
    if (await isBundleComplete(store, work, ref, block)) {
      log.info('block.kept', { block });
      return;
    }
    const plan = await readPlan(store, config.workBucket, ref);
    const rect = blockRect(plan.blocks, block);
    const area = { rect, full: plan, levels: blockLevelsOf(plan), recipe: plan.recipe };
    const pinned = await openPixels(store, config.workBucket, source, plan.image);
    const wishes = {
      background: plan.recipe.background,
      bitDepth: outputBitDepth(plan),
      bands: outputBands(plan),
      conversion: conversionOf(plan),
      reducedTo: reducedSize(plan),
      timeoutSeconds: (remainingMs() - WRITING_TIME) / 1000,
    };
    const parts = { partPixels: plan.partPixels, readAhead: config.store.kind === 's3' };
    const arena = new Arena();
    try {
      const render = (pixels: SourcePixels): Promise<EncodedLevels & { readonly last?: Raster }> =>
        (isOneBlock(plan) ? renderImage : renderArea)(area, pixels, parts, arena);
      const rendered =
        plan.access === 'slices'
          ? await render(await pixelsOfSlices(pinned.reader, plan.image, wishes))
          : await pinned.withFile((file) =>
              renderAndChecksum(render(pixelsOfFile(file, plan.image, wishes)), async () => {
                if (block > 0) return;
                const content = createReadStream(file, { highWaterMark: CHECKSUM_BYTES });
                await recordChecksums(store, work, { info: pinned.info, recipe: plan.recipe, content });
              }),
            );
      const index = await writeTileBundle(store, work, ref, block, {
        rendered,
        tilesAt: (level) => tilesOf(rectAtLevel(rect, plan, level), plan.recipe.tileSize),
        levels: levelsOf(plan),
        ...(topLevelsOf(plan).length > 0 ? { raster: rendered.last } : {}),
      });
      log.info('block.rendered', { block, ...rectSize(rect), bytes: index.tiles.size });
    } finally {
      arena.release();
    }
  };
}

/** Bytes that were changed on their way explain why pixels are broken: that is told first. */
async function renderAndChecksum<Rendered>(
  rendering: Promise<Rendered>,
  recordDigests: () => Promise<void>,
): Promise<Rendered> {
  const [digests, rendered] = await Promise.allSettled([recordDigests(), rendering]);
  if (digests.status === 'rejected') throw digests.reason;
  if (rendered.status === 'rejected') throw rendered.reason;
  return rendered.value;
}

export const handler = lambdaHandler(RenderBlockInput, makeRenderBlock, (input) => ({
  ...sourceLogFields(input),
  block: input.block,
}));

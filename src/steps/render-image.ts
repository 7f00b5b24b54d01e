import { Arena } from '../imaging/arena.ts';
import { renderImage } from '../imaging/render-levels.ts';
import type { SourcePixels } from '../imaging/source-pixels.ts';
import { writeFileBundle } from '../outputs/file-bundle.ts';
import { filesRenderer } from '../outputs/render-files.ts';
import { levelsOf } from '../pyramid/plan.ts';
import { type Call, lambdaHandler, type Ports } from '../runtime.ts';
import { layOutAssembled } from '../work/assembled-tiff.ts';
import { type AssembledTiff, PlannedState, sourceLogFields } from '../work/execution-state.ts';
import { readHeader } from '../work/header.ts';
import { renderSource } from '../work/source-rendering.ts';
import { tilesAndRuns } from '../work/tile-bundle.ts';
import { readPlan, workArea } from '../work/work-area.ts';

/**
 * Renders all levels of an image of one block directly into assembled.tif, without storing a tile
 * bundle. The execution state receives the digests of a master that is read as a whole.
 */
export function makeRenderImage({ store, config }: Pick<Ports, 'store' | 'config'>) {
  return async ({ source, plan: { ref } }: PlannedState, { log, remainingMs }: Call): Promise<AssembledTiff> => {
    const { workBucket, memory } = config;
    const work = workArea(workBucket, source);
    const [plan, header] = await Promise.all([readPlan(store, workBucket, ref), readHeader(store, work)]);
    const rect = { left: 0, top: 0, right: plan.width, bottom: plan.height };
    const area = { rect, full: plan, levels: levelsOf(plan), recipe: plan.recipe };
    const parts = { partPixels: plan.partPixels, readAhead: config.store.kind === 's3' };
    const arena = new Arena();
    try {
      const request = { store, workBucket, source, plan, memory, remainingMs, withChecksums: true };
      const files = filesRenderer(plan, source, rect, arena);
      const render = (pixels: SourcePixels) => renderImage(area, pixels, parts, arena, files?.reader);
      const { rendered, warnings, checksums } = await renderSource(request, render);
      if (files) await writeFileBundle(store, work, ref, 0, files.finish(rendered));
      const { tiles, runs } = tilesAndRuns({ plan, rect, rendered });
      const layout = layOutAssembled(plan, header, rendered.encoding, [{ runs }]);
      const target = work.assembled(ref);
      const { etag, size } = await store.compose(target, [...layout.headerPieces, ...tiles]);
      log.info('image.rendered', { width: plan.width, height: plan.height, bytes: size });
      return { key: target.key, etag, size, warnings: [...warnings], ...(checksums ? { checksums } : {}) };
    } finally {
      arena.release();
    }
  };
}

export const handler = lambdaHandler(PlannedState, makeRenderImage, sourceLogFields);

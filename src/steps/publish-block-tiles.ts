import { z } from 'zod';
import { RenderBlockInput } from './render-block.ts';
import { publishBlockTiles } from '../outputs/publish-block.ts';
import { type Call, lambdaHandler, type Ports } from '../runtime.ts';
import { sourceLogFields } from '../work/execution-state.ts';
import { readPlan } from '../work/work-area.ts';

export const PublishBlockTilesInput = RenderBlockInput;
export type PublishBlockTilesInput = z.infer<typeof PublishBlockTilesInput>;

/**
 * Publishes the tiles of one block, and those that begin in it and reach into other blocks. Tiles
 * that this execution has already published are kept.
 */
export function makePublishBlockTiles({ store, ledger, config }: Pick<Ports, 'store' | 'ledger' | 'config'>) {
  return async ({ source, plan: ref, block }: PublishBlockTilesInput, { log }: Call): Promise<void> => {
    await ledger.assertCurrent(source);
    const plan = await readPlan(store, config.workBucket, ref);
    const target = { store, bucket: config.publishedBucket, source, plan: ref };
    const objects = await publishBlockTiles(target, config.workBucket, plan, block);
    log.info('tiles.published', { block, objects });
  };
}

export const handler = lambdaHandler(PublishBlockTilesInput, makePublishBlockTiles, (input) => ({
  ...sourceLogFields(input),
  block: input.block,
}));

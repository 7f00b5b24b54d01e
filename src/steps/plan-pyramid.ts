import { createHash } from 'node:crypto';
import { publishedDescription } from '../imaging/published-description.ts';
import { blockCount } from '../pyramid/blocks.ts';
import { makePlan, PlanDescription } from '../pyramid/plan.ts';
import { readRecipe } from '../recipes.ts';
import { type Call, lambdaHandler, type Ports } from '../runtime.ts';
import { aboutSource, type PlannedPyramid, ValidatedState } from './state.ts';
import { readText, toJsonBytes, workArea } from './work-area.ts';

/** Levels, blocks and apex, written to plan.json; the state carries only where it is and the block numbers. */
export function makePlanPyramid({ store, config }: Pick<Ports, 'store' | 'config'>) {
  return async ({ source, recipe: name, image }: ValidatedState, { log }: Call): Promise<PlannedPyramid> => {
    const area = workArea(config.workBucket, source);
    const recipe = await readRecipe(config.recipesDirectory, name);
    const description = PlanDescription.parse(JSON.parse(await readText(store, area.header)));
    const plan = makePlan(image, recipe, await publishedDescription(image, recipe, description));
    const bytes = toJsonBytes(plan);
    const hash = createHash('sha256').update(bytes).digest('hex').slice(0, 16);
    const ref = area.plan(hash);
    await store.write(ref, bytes, { contentType: 'application/json' });
    const blocks = Array.from({ length: blockCount(plan.blocks) }, (_, block) => block);
    log.info('pyramid.planned', { blocks: blocks.length, splitLevel: plan.splitLevel, recipe: recipe.name });
    return { ref: { hash, key: ref.key }, blocks };
  };
}

export const handler = lambdaHandler(ValidatedState, makePlanPyramid, aboutSource);

import { createHash } from 'node:crypto';
import { isCopyrighted } from '../recipe/copyright-mark.ts';
import type { Source } from '../work/execution-input.ts';
import { publishedDescription } from '../imaging/published-description.ts';
import { blockCount } from '../pyramid/blocks.ts';
import { isOneBlock, makePlan, type Plan } from '../pyramid/plan.ts';
import { readRecipe } from '../recipe/read.ts';
import { type Call, lambdaHandler, type Ports } from '../runtime.ts';
import type { ObjectStore } from '../storage/object-store.ts';
import { openSource } from '../work/pinned-object.ts';
import { sourceLogFields, type PlannedPyramid, ValidatedState } from '../work/execution-state.ts';
import { type Header, readHeader } from '../work/header.ts';
import { type PlanRef, toJsonBytes, workArea } from '../work/work-area.ts';

/**
 * Plans the pyramid and writes plan.json. Returns the part of the plan that the state machine
 * needs.
 */
export function makePlanPyramid({ store, config }: Pick<Ports, 'store' | 'config'>) {
  return async (state: ValidatedState, { log }: Call): Promise<PlannedPyramid> => {
    const { source, recipe: name, image, checksums } = state;
    const area = workArea(config.workBucket, source);
    const recipe = await readRecipe(config.recipesDirectory, name);
    const header = await readHeader(store, area);
    const { iccProfile, resolution } = header;
    const description = await publishedDescription(image, recipe, { iccProfile, resolution });
    const copyrighted = recipe.sizeCap?.copyrighted !== undefined && (await isMarkedCopyrighted(store, source));
    const { concurrency, memory } = config;
    const plan = makePlan(image, recipe, description, { copyrighted, concurrency, memory });
    const bytes = toJsonBytes(plan);
    const hash = createHash('sha256').update(bytes).digest('hex').slice(0, 16);
    const ref = area.plan(hash);
    await store.write(ref, bytes);
    const planned = describePlan({ hash, key: ref.key }, plan, header, checksums !== undefined);
    log.info('pyramid.planned', {
      blocks: planned.blocks.length,
      splitLevel: plan.splitLevel,
      recipe: recipe.name,
    });
    return planned;
  };
}

/** The part of a plan that the state machine needs. */
export function describePlan(
  ref: PlanRef,
  plan: Plan,
  header: Pick<Header, 'digestSent'>,
  areDigestsKnown = false,
): PlannedPyramid {
  const blocks = Array.from({ length: blockCount(plan.blocks) }, (_, block) => block);
  return { ref, blocks, oneBlock: isOneBlock(plan), digests: areDigestsKnown ? 'known' : digestsOf(plan, header) };
}

function digestsOf({ access, image }: Plan, { digestSent }: Pick<Header, 'digestSent'>): PlannedPyramid['digests'] {
  if (access === 'whole' || image.converted) return 'within';
  return digestSent ? 'before' : 'beside';
}

/** Whether user metadata or tags mark the master as copyrighted. */
async function isMarkedCopyrighted(store: ObjectStore, source: Source): Promise<boolean> {
  const master = await openSource(store, source);
  return isCopyrighted({ metadata: master.info.metadata, tags: await master.tags() });
}

export const handler = lambdaHandler(ValidatedState, makePlanPyramid, sourceLogFields);

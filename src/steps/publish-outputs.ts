import { SourceChangedError } from '../errors.ts';
import { publishRest } from '../outputs/publish-rest.ts';
import { type Call, lambdaHandler, type Ports } from '../runtime.ts';
import { PublishedState, sourceLogFields } from '../work/execution-state.ts';
import { publishedSidecar } from '../work/published-sidecar.ts';
import { readPlan } from '../work/work-area.ts';

/** Result of PublishOutputs. Counts only: there may be many objects. */
export interface PublishedOutputs {
  /** Number of objects of all outputs. */
  readonly objects: number;
  /** Number of objects of earlier uploads that were removed. */
  readonly removed: number;
}

/**
 * Completes the outputs beside the TIFF: tiles of small levels, images of the whole region, and
 * finally descriptors. Removes what an earlier upload published and this one does not, and records
 * the outputs in the ledger.
 */
export function makePublishOutputs({ store, ledger, config }: Pick<Ports, 'store' | 'ledger' | 'config'>) {
  return async (state: PublishedState, { log }: Call): Promise<PublishedOutputs> => {
    const { source, plan: planned, published } = state;
    await ledger.assertCurrent(source);
    const entry = await ledger.get(source.imageId);
    if (!entry) throw new SourceChangedError(`The ledger entry of ${source.imageId} was removed`);
    const plan = await readPlan(store, config.workBucket, planned.ref);
    const { bytes: sidecar } = await publishedSidecar(store, config.workBucket, state, plan);
    const target = { store, bucket: config.publishedBucket, source, plan: planned.ref };
    const { publicUrl, serverUrl, recipesDirectory } = config;
    const context = { store, plan, published, sidecar, entry, publicUrl, serverUrl, recipesDirectory };
    const { outputs, removed } = await publishRest(target, config.workBucket, context);
    await ledger.outputsPublished(source, outputs);
    const objects = outputs.reduce((sum, { count }) => sum + count, 0);
    log.info('outputs.published', { outputs: outputs.map(({ name }) => name), objects, removed });
    return { objects, removed };
  };
}

export const handler = lambdaHandler(PublishedState, makePublishOutputs, sourceLogFields);

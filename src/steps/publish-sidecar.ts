import type { PublishedSidecar } from '../ledger/ledger.ts';
import { type Call, lambdaHandler, type Ports } from '../runtime.ts';
import { publishUnlessNewer } from '../work/public-object.ts';
import { publishedKey, sidecarKey } from '../work/published-key.ts';
import { publishedSidecar } from '../work/published-sidecar.ts';
import { sourceLogFields, PublishedState } from '../work/execution-state.ts';
import { readPlan } from '../work/work-area.ts';

/** Publishes the sidecar beside the pyramid, with the digests of the master. */
export function makePublishSidecar({ store, ledger, config }: Pick<Ports, 'store' | 'ledger' | 'config'>) {
  return async (state: PublishedState, { log }: Call): Promise<PublishedSidecar> => {
    const { source, plan: planned } = state;
    const { ref } = planned;
    const plan = await readPlan(store, config.workBucket, ref);
    const { bytes, digests } = await publishedSidecar(store, config.workBucket, state, plan);
    const target = { bucket: config.publishedBucket, key: sidecarKey(publishedKey(source)) };
    const sidecar = { ...target, size: bytes.length, contentType: 'application/json' };
    await publishUnlessNewer(store, source, ref, sidecar, (options) => store.write(target, bytes, options));
    const { sha256, md5 } = digests;
    await ledger.sidecarPublished(source, { key: target.key, sha256, md5 });
    log.info('sidecar.published', { target: target.key, bytes: bytes.length });
    return { key: target.key, sha256, md5 };
  };
}

export const handler = lambdaHandler(PublishedState, makePublishSidecar, sourceLogFields);

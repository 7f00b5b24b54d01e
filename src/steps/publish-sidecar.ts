import type { PublishedSidecar } from '../ledger/ledger.ts';
import { type Call, lambdaHandler, type Ports } from '../runtime.ts';
import { publishUnlessNewer } from '../work/public-object.ts';
import { publishedKey, sidecarKey } from '../work/published-key.ts';
import { readChecksums } from '../work/checksums.ts';
import { sidecarOf } from '../work/sidecar.ts';
import { sourceLogFields, PublishedState } from '../work/execution-state.ts';
import { readHeader } from '../work/header.ts';
import { readPlan, workArea } from '../work/work-area.ts';

/** Publishes the sidecar beside the pyramid, with the digests of the master. */
export function makePublishSidecar({ store, ledger, config }: Pick<Ports, 'store' | 'ledger' | 'config'>) {
  return async (
    { source, checksums, plan: { ref }, assembled, published }: PublishedState,
    { log }: Call,
  ): Promise<PublishedSidecar> => {
    const area = workArea(config.workBucket, source);
    const [plan, header, digests] = await Promise.all([
      readPlan(store, config.workBucket, ref),
      readHeader(store, area),
      checksums ?? assembled.checksums ?? readChecksums(store, area),
    ]);
    const target = { bucket: config.publishedBucket, key: sidecarKey(publishedKey(source)) };
    const bytes = sidecarOf({ header, plan, source, digests, warnings: assembled.warnings, published });
    const sidecar = { ...target, size: bytes.length, contentType: 'application/json' };
    await publishUnlessNewer(store, source, ref, sidecar, (options) => store.write(target, bytes, options));
    const { sha256, md5 } = digests;
    await ledger.sidecarPublished(source, { key: target.key, sha256, md5 });
    log.info('sidecar.published', { target: target.key, bytes: bytes.length });
    return { key: target.key, sha256, md5 };
  };
}

export const handler = lambdaHandler(PublishedState, makePublishSidecar, sourceLogFields);

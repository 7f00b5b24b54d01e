import type { Publication } from '../ledger/ledger.ts';
import { levelsOf, type Plan, reducedSize } from '../pyramid/plan.ts';
import { type Call, lambdaHandler, type Ports } from '../runtime.ts';
import { AssembledState, sourceLogFields } from '../work/execution-state.ts';
import { copyMaster, copyWork } from '../work/pinned-object.ts';
import { publishUnlessNewer, withdraw } from '../work/public-object.ts';
import { publishedKey } from '../work/published-key.ts';
import { readPlan } from '../work/work-area.ts';

/**
 * Copies the TIFF, and a source PDF, to the public bucket, then updates the ledger and notifies.
 */
export function makePublishTiff({
  store,
  ledger,
  notifier,
  config,
}: Pick<Ports, 'store' | 'ledger' | 'notifier' | 'config'>) {
  return async ({ source, plan: { ref }, assembled }: AssembledState, { log }: Call): Promise<Publication> => {
    await ledger.assertCurrent(source);
    const plan = await readPlan(store, config.workBucket, ref);
    const target = { bucket: config.publishedBucket, key: publishedKey(source.key) };
    const copy = { bucket: target.bucket, key: source.key };
    // A PDF named .tif has no copy of its name, and one in the published bucket needs none.
    const needsCopy = copy.key !== target.key && copy.bucket !== source.bucket;
    if (plan.image.converted?.from === 'pdf' && needsCopy) {
      const pdf = { ...copy, size: source.size, contentType: 'application/pdf' };
      // A PDF has more than its first page, so it is not published if the recipe reduces or
      // restricts the picture.
      const mayPublish = !plan.copyrighted && !reducedSize(plan);
      if (mayPublish) await publishUnlessNewer(store, source, ref, pdf, (how) => copyMaster(store, source, copy, how));
      else await withdraw(store, source, copy);
    }
    const work = { bucket: config.workBucket, key: assembled.key, etag: assembled.etag };
    const tiff = { ...target, size: assembled.size, contentType: 'image/tiff', metadata: servingMetadata(plan) };
    const published = await publishUnlessNewer(store, source, ref, tiff, (how) => copyWork(store, work, target, how));
    const publication: Publication = {
      ...target,
      etag: published.etag,
      size: published.size,
      width: plan.width,
      height: plan.height,
      levels: levelsOf(plan).length,
      tileSize: plan.recipe.tileSize,
    };
    await ledger.published(source, publication);
    const { imageId, sequence, bucket, key } = source;
    await notifier.published({ ...publication, imageId, sequence, source: { bucket, key } });
    log.info('tiff.published', { target: target.key, bytes: published.size });
    return publication;
  };
}

/** User metadata that IIIF servers read from S3, with and without the prefix `iiif-`. */
function servingMetadata(plan: Plan): Readonly<Record<string, string>> {
  const fields = {
    width: String(plan.width),
    height: String(plan.height),
    pages: String(levelsOf(plan).length),
    tilesize: String(plan.recipe.tileSize),
  };
  const prefixed = Object.fromEntries(Object.entries(fields).map(([name, value]) => [`iiif-${name}`, value]));
  return { ...fields, ...prefixed };
}

export const handler = lambdaHandler(AssembledState, makePublishTiff, sourceLogFields);

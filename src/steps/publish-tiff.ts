import type { Ledger, Publication } from '../ledger/ledger.ts';
import { levelsOf, type Plan, reducedSize } from '../pyramid/plan.ts';
import { haveTiles, outputsBesideTiff } from '../recipe/outputs.ts';
import { type Call, lambdaHandler, type Ports } from '../runtime.ts';
import { documentOf, type Source, type SourcePage } from '../work/execution-input.ts';
import { AssembledState, sourceLogFields } from '../work/execution-state.ts';
import { copyMaster, copyWork } from '../work/pinned-object.ts';
import { publishUnlessNewer, withdraw } from '../work/public-object.ts';
import { publishedKey } from '../work/published-key.ts';
import { type PlanRef, readPlan } from '../work/work-area.ts';

interface PublishedTiff extends Publication {
  /** What the state machine does about outputs beside the TIFF; absent: nothing. */
  readonly outputs?: 'tiles' | 'files';
}

/**
 * Copies the TIFF, and a source PDF, to the public bucket, then updates the ledger and notifies.
 */
export function makePublishTiff({
  store,
  ledger,
  notifier,
  config,
}: Pick<Ports, 'store' | 'ledger' | 'notifier' | 'config'>) {
  return async ({ source, plan: { ref }, assembled }: AssembledState, { log }: Call): Promise<PublishedTiff> => {
    const document = documentOf(source);
    await ledger.assertCurrent(source);
    if (source.page) await ledger.assertCurrent(document);
    const plan = await readPlan(store, config.workBucket, ref);
    const target = { bucket: config.publishedBucket, key: publishedKey(source) };
    if (plan.image.converted?.from === 'pdf') await publishPdf({ store, config }, document, source.page, plan, ref);
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
    const { imageId, sequence, bucket, key, page } = source;
    const from = { bucket, key, ...(page ? { page: page.number } : {}) };
    await notifier.published({ ...publication, imageId, sequence, source: from });
    log.info('tiff.published', { target: target.key, bytes: published.size });
    const outputs = await outputsOf(ledger, source, plan);
    return { ...publication, ...(outputs ? { outputs } : {}) };
  };
}

/**
 * Whether tiles are published next, or only other files. The latter also if an earlier upload of
 * the image published something that has to be removed.
 */
async function outputsOf(ledger: Ledger, { imageId }: Source, { recipe }: Plan): Promise<PublishedTiff['outputs']> {
  if (haveTiles(recipe.outputs)) return 'tiles';
  if (outputsBesideTiff(recipe).length > 0) return 'files';
  const earlier = (await ledger.get(imageId))?.outputs ?? [];
  return earlier.length > 0 ? 'files' : undefined;
}

/**
 * Copies a PDF beside the pyramid of its first page, under the id of the whole document. A PDF has
 * more than one page, so it is not published if the recipe reduces or restricts its pictures.
 */
async function publishPdf(
  { store, config }: Pick<Ports, 'store' | 'config'>,
  document: Source,
  page: SourcePage | undefined,
  plan: Plan,
  ref: PlanRef,
): Promise<void> {
  const copy = { bucket: config.publishedBucket, key: document.key };
  // A PDF named .tif has no copy of its name, and one in the published bucket needs none.
  const needsCopy = copy.key !== publishedKey(document) && copy.bucket !== document.bucket;
  if (!needsCopy || (page && page.number > 1)) return;
  const pdf = { ...copy, size: document.size, contentType: 'application/pdf' };
  // Of the other pages it is not known whether they are larger than the cap.
  const isReduced = page ? plan.recipe.sizeCap !== undefined : reducedSize(plan) !== undefined;
  if (plan.copyrighted || isReduced) await withdraw(store, document, copy);
  else await publishUnlessNewer(store, document, ref, pdf, (how) => copyMaster(store, document, copy, how));
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

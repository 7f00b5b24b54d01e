import {
  InconsistentWorkError,
  ObjectNotFoundError,
  PreconditionFailedError,
  RejectedImageError,
  SourceChangedError,
} from '../errors.ts';
import type { Source } from '../work/execution-input.ts';
import type { Publication } from '../ledger/ledger.ts';
import { levelsOf, type Plan, reducedSize } from '../pyramid/plan.ts';
import { type Call, lambdaHandler, type Ports } from '../runtime.ts';
import type { ObjectInfo, ObjectRef, ObjectStore, WriteOptions } from '../storage/object-store.ts';
import { findObject, placeUnlessNewer, withdraw } from '../work/public-object.ts';
import { publishedKey } from '../work/published-key.ts';
import { AssembledState, type AssembledTiff, sourceLogFields } from '../work/state.ts';
import { readPlan } from '../work/work-area.ts';

/** To its public key, a PDF that it was made of beside it; then the ledger, and whoever listens. */
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
    if (plan.image.converted?.from === 'pdf') {
      const copy = { bucket: target.bucket, key: source.key };
      const pdf = { ...copy, size: source.size, contentType: 'application/pdf' };
      // It holds more than the picture: where a recipe lets only a smaller one leave, it stays.
      const mayLeave = !plan.copyrighted && !reducedSize(plan);
      if (mayLeave) await placeUnlessNewer(store, source, ref, pdf, (how) => copyMaster(store, source, copy, how));
      else await withdraw(store, source, copy);
    }
    const tiff = { ...target, size: assembled.size, contentType: 'image/tiff', metadata: servingFacts(plan) };
    const published = await placeUnlessNewer(store, source, ref, tiff, (options) =>
      copyAssembled(store, config.workBucket, assembled, target, options),
    );
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

async function copyAssembled(
  store: ObjectStore,
  workBucket: string,
  { key, etag }: AssembledTiff,
  target: ObjectRef,
  options: WriteOptions,
): Promise<ObjectInfo> {
  const changed = (cause: unknown): Error => new InconsistentWorkError(`Expected ${key} as it was verified`, { cause });
  try {
    return await store.copy({ bucket: workBucket, key, etag }, target, options);
  } catch (error) {
    if (error instanceof ObjectNotFoundError) throw changed(error);
    if (!(error instanceof PreconditionFailedError)) throw error;
    const verified = await findObject(store, { bucket: workBucket, key });
    throw verified?.etag === etag ? error : changed(error);
  }
}

/** A PDF stays what people want to read; it goes beside the picture of its first page. */
async function copyMaster(
  store: ObjectStore,
  source: Source,
  target: ObjectRef,
  options: WriteOptions,
): Promise<ObjectInfo> {
  try {
    return await store.copy(source, target, options);
  } catch (error) {
    if (error instanceof ObjectNotFoundError) {
      throw new RejectedImageError('SOURCE_GONE', `${source.key} was removed before it was copied`, { cause: error });
    }
    if (!(error instanceof PreconditionFailedError)) throw error;
    const master = await findObject(store, source);
    if (master?.etag === source.etag) throw error;
    throw new SourceChangedError(`${source.key} was overwritten after this execution was started`, { cause: error });
  }
}

/** What IIIF servers on S3 read, plain and prefixed. */
function servingFacts(plan: Plan): Readonly<Record<string, string>> {
  const facts = {
    width: String(plan.width),
    height: String(plan.height),
    pages: String(levelsOf(plan).length),
    tilesize: String(plan.recipe.tileSize),
  };
  const prefixed = Object.fromEntries(Object.entries(facts).map(([name, value]) => [`iiif-${name}`, value]));
  return { ...facts, ...prefixed };
}

export const handler = lambdaHandler(AssembledState, makePublishTiff, sourceLogFields);

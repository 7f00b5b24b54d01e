import {
  InconsistentWorkError,
  ObjectNotFoundError,
  PreconditionFailedError,
  ServiceUnavailableError,
  SourceChangedError,
} from '../errors.ts';
import type { Source } from '../execution-input.ts';
import type { Publication } from '../ledger/ledger.ts';
import { levelsOf, type Plan } from '../pyramid/plan.ts';
import { type Call, lambdaHandler, type Ports } from '../runtime.ts';
import type { ObjectInfo, ObjectRef, ObjectStore } from '../storage/object-store.ts';
import { publishedKey } from './published-key.ts';
import { AssembledState, type AssembledTiff, aboutSource } from './state.ts';
import { type PlanRef, readPlan } from './work-area.ts';

/**
 * To its public key, the ledger, and whoever listens. The public object carries the sequence it was made from and is only
 * ever replaced by compare-and-swap, so that the newest upload stands whichever execution ends first.
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
    const published = await copyUnlessNewer(store, config.workBucket, source, ref, plan, assembled, target);
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

async function copyUnlessNewer(
  store: ObjectStore,
  workBucket: string,
  source: Source,
  ref: PlanRef,
  plan: Plan,
  assembled: AssembledTiff,
  target: ObjectRef,
): Promise<ObjectInfo> {
  const metadata = publicMetadata(source, ref, plan);
  const there = await findObject(store, target);
  if (there && isThisWork(there, metadata, assembled.size)) return there;
  if (there && isNewer(there, source)) throw new SourceChangedError(`${target.key} was published from a newer upload`);
  try {
    return await store.copy({ bucket: workBucket, key: assembled.key, etag: assembled.etag }, target, {
      contentType: 'image/tiff',
      metadata,
      over: there ? { etag: there.etag } : 'absent',
    });
  } catch (error) {
    if (error instanceof ObjectNotFoundError) {
      throw new InconsistentWorkError(`Expected ${assembled.key} as it was verified`, { cause: error });
    }
    if (!(error instanceof PreconditionFailedError)) throw error;
    const verified = await findObject(store, { bucket: workBucket, key: assembled.key });
    if (verified?.etag !== assembled.etag) {
      throw new InconsistentWorkError(`Expected ${assembled.key} as it was verified`, { cause: error });
    }
    // Another execution came between, or this one's own lost answer: look again at the next try.
    throw new ServiceUnavailableError(`${target.key} changed while it was published`, { cause: error });
  }
}

/** What IIIF servers on S3 read (plain and prefixed), and what keeps an older execution from replacing a newer one. */
function publicMetadata(source: Source, ref: PlanRef, plan: Plan): Record<string, string> {
  const facts = {
    width: String(plan.width),
    height: String(plan.height),
    pages: String(levelsOf(plan).length),
    tilesize: String(plan.recipe.tileSize),
  };
  const prefixed = Object.fromEntries(Object.entries(facts).map(([name, value]) => [`iiif-${name}`, value]));
  const origin = {
    'stepwell-image': source.imageId,
    'stepwell-sequence': source.sequence,
    'stepwell-plan': ref.hash,
  };
  return { ...facts, ...prefixed, ...origin };
}

function isThisWork(there: ObjectInfo, metadata: Record<string, string>, size: number): boolean {
  return there.size === size && Object.entries(metadata).every(([name, value]) => there.metadata[name] === value);
}

function isNewer(there: ObjectInfo, source: Source): boolean {
  const sequence = there.metadata['stepwell-sequence'];
  return there.metadata['stepwell-image'] === source.imageId && sequence !== undefined && sequence > source.sequence;
}

async function findObject(store: ObjectStore, ref: ObjectRef): Promise<ObjectInfo | undefined> {
  try {
    return await store.head(ref);
  } catch (error) {
    if (error instanceof ObjectNotFoundError) return undefined;
    throw error;
  }
}

export const handler = lambdaHandler(AssembledState, makePublishTiff, aboutSource);

import {
  InconsistentWorkError,
  ObjectNotFoundError,
  PreconditionFailedError,
  RejectedImageError,
  ServiceUnavailableError,
  SourceChangedError,
} from '../errors.ts';
import type { Source } from '../execution-input.ts';
import type { Publication } from '../ledger/ledger.ts';
import { levelsOf, type Plan, reducedSize } from '../pyramid/plan.ts';
import { type Call, lambdaHandler, type Ports } from '../runtime.ts';
import type { ObjectInfo, ObjectRef, ObjectStore, WriteOptions } from '../storage/object-store.ts';
import { publishedKey, sidecarKey } from './published-key.ts';
import { readChecksums } from './record-checksums.ts';
import { sidecarOf } from './sidecar-of.ts';
import { AssembledState, type AssembledTiff, aboutSource } from './state.ts';
import { type PlanRef, readHeader, readPlan, workArea } from './work-area.ts';

/**
 * To its public key, with a sidecar beside it; then the ledger, and whoever listens. Public objects carry the sequence they
 * were made from and are only ever replaced by compare-and-swap, so that the newest upload stands whichever execution ends
 * first.
 */
export function makePublishTiff({
  store,
  ledger,
  notifier,
  config,
}: Pick<Ports, 'store' | 'ledger' | 'notifier' | 'config'>) {
  return async ({ source, plan: { ref }, assembled }: AssembledState, { log }: Call): Promise<Publication> => {
    await ledger.assertCurrent(source);
    const area = workArea(config.workBucket, source);
    const plan = await readPlan(store, config.workBucket, ref);
    const target = { bucket: config.publishedBucket, key: publishedKey(source.key) };
    const origin = originOf(source, ref);
    const place = (wanted: Omit<PublicObject, 'bucket'>, put: Put): Promise<ObjectInfo> =>
      placeUnlessNewer(store, source, { ...wanted, bucket: target.bucket }, put);

    const metadata = { ...servingFacts(plan), ...origin };
    const tiff = { key: target.key, size: assembled.size, contentType: 'image/tiff', metadata };
    const published = await place(tiff, (over) => copyAssembled(store, config.workBucket, assembled, target, over));
    const digests = await readChecksums(store, area);
    const bytes = sidecarOf({ header: await readHeader(store, area), plan, source, digests, target, published });
    const sidecar = { bucket: target.bucket, key: sidecarKey(target.key) };
    const json = { key: sidecar.key, size: bytes.length, contentType: 'application/json', metadata: origin };
    await place(json, (over) => store.write(sidecar, bytes, over));
    if (plan.image.converted?.from === 'pdf' && !plan.copyrighted && !reducedSize(plan)) {
      const pdf = { key: source.key, size: source.size, contentType: 'application/pdf', metadata: origin };
      await place(pdf, (over) => copyMaster(store, source, target.bucket, over));
    }

    const publication: Publication = {
      ...target,
      etag: published.etag,
      size: published.size,
      width: plan.width,
      height: plan.height,
      levels: levelsOf(plan).length,
      tileSize: plan.recipe.tileSize,
      sidecar: sidecar.key,
      sha256: digests.sha256,
      md5: digests.md5,
    };
    await ledger.published(source, publication);
    const { imageId, sequence, bucket, key } = source;
    await notifier.published({ ...publication, imageId, sequence, source: { bucket, key } });
    log.info('tiff.published', { target: target.key, bytes: published.size });
    return publication;
  };
}

type Metadata = Readonly<Record<string, string>>;

interface PublicObject extends ObjectRef {
  /** Bytes. */
  readonly size: number;
  readonly contentType: string;
  readonly metadata: Metadata;
}

/** Writes a public object, over nothing but what stood there before. */
type Put = (options: WriteOptions) => Promise<ObjectInfo>;

/** Leaves alone what is there already of this very work. Throws SourceChangedError where the work of a newer upload is. */
async function placeUnlessNewer(
  store: ObjectStore,
  source: Source,
  { size, contentType, metadata, ...target }: PublicObject,
  put: Put,
): Promise<ObjectInfo> {
  const there = await findObject(store, target);
  if (there && isNewer(there, source)) throw new SourceChangedError(`${target.key} was published from a newer upload`);
  const isThisWork = Object.entries(metadata).every(([name, value]) => there?.metadata[name] === value);
  if (there && isThisWork && there.size === size) return there;
  try {
    return await put({ contentType, metadata, over: there ? { etag: there.etag } : 'absent' });
  } catch (error) {
    if (!(error instanceof PreconditionFailedError)) throw error;
    // Another execution came between, or this one's own lost answer: look again at the next try.
    throw new ServiceUnavailableError(`${target.key} changed while it was published`, { cause: error });
  }
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

/** A PDF stays what people want to read; it goes beside the picture of its first page, unless that is all that may leave. */
async function copyMaster(
  store: ObjectStore,
  source: Source,
  publishedBucket: string,
  options: WriteOptions,
): Promise<ObjectInfo> {
  try {
    return await store.copy(source, { bucket: publishedBucket, key: source.key }, options);
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
function servingFacts(plan: Plan): Metadata {
  const facts = {
    width: String(plan.width),
    height: String(plan.height),
    pages: String(levelsOf(plan).length),
    tilesize: String(plan.recipe.tileSize),
  };
  const prefixed = Object.fromEntries(Object.entries(facts).map(([name, value]) => [`iiif-${name}`, value]));
  return { ...facts, ...prefixed };
}

/** What keeps an older execution from replacing the work of a newer one. */
function originOf(source: Source, ref: PlanRef): Metadata {
  return { 'stepwell-image': source.imageId, 'stepwell-sequence': source.sequence, 'stepwell-plan': ref.hash };
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

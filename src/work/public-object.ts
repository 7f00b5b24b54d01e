import {
  ObjectNotFoundError,
  PreconditionFailedError,
  RejectedImageError,
  ServiceUnavailableError,
  SourceChangedError,
} from '../errors.ts';
import type { Source } from './execution-input.ts';
import type { ObjectInfo, ObjectRef, ObjectStore, WriteOptions } from '../storage/object-store.ts';
import type { PlanRef } from './work-area.ts';

type Metadata = Readonly<Record<string, string>>;

export interface PublicObject extends ObjectRef {
  /** Bytes. */
  readonly size: number;
  readonly contentType: string;
  readonly cacheControl?: string;
  /** User metadata besides the origin. */
  readonly metadata?: Metadata;
  /**
   * Whether an object of another image is replaced. Names that derive from a reserved name belong
   * to the image that reserved it; another image's are of its former owner.
   */
  readonly isDerived?: boolean;
}

/** Writes a public object if the object that it replaces is unchanged. */
type Put = (options: WriteOptions) => Promise<ObjectInfo>;

/**
 * Publishes an object. Public objects carry the sequence of their upload and are replaced by
 * compare-and-swap, so that the object of the newest upload remains, whichever execution ends last.
 * An object that this execution has already published is kept. Throws SourceChangedError if the
 * existing object is that of a newer upload, and RejectedImageError(TARGET_TAKEN) if it is that of
 * another image or a master.
 */
export async function publishUnlessNewer(
  store: ObjectStore,
  source: Source,
  plan: PlanRef,
  { size, contentType, cacheControl, metadata: fields, isDerived = false, ...target }: PublicObject,
  put: Put,
): Promise<ObjectInfo> {
  const metadata = { ...fields, ...originOf(source, plan) };
  const existing = await findObject(store, target);
  if (existing && !mayReplace(existing, source, target, isDerived)) {
    throw new RejectedImageError(
      'TARGET_TAKEN',
      `${target.key} exists and was made from another master; give one of the masters another name`,
    );
  }
  if (existing && isNewer(existing, source))
    throw new SourceChangedError(`${target.key} was published from a newer upload`);
  const isThisWork = Object.entries(metadata).every(([name, value]) => existing?.metadata[name] === value);
  if (existing && isThisWork && existing.size === size) return existing;
  try {
    return await put({ contentType, cacheControl, metadata, over: existing ? { etag: existing.etag } : 'absent' });
  } catch (error) {
    if (!(error instanceof PreconditionFailedError)) throw error;
    // Another execution replaced it, or the response to this write was lost. A retry reads it
    // again.
    throw new ServiceUnavailableError(`${target.key} changed while it was published`, { cause: error });
  }
}

/**
 * Publishes a small object beside a pyramid, under a name that derives from that of the pyramid.
 * Expects that there is none: one request, and three if there is. Throws as `publishUnlessNewer`.
 */
export async function publishDerived(
  store: ObjectStore,
  source: Source,
  plan: PlanRef,
  {
    bytes,
    ...file
  }: Pick<PublicObject, 'bucket' | 'key' | 'contentType' | 'cacheControl'> & { readonly bytes: Uint8Array },
): Promise<void> {
  const { bucket, key, contentType, cacheControl } = file;
  const put: Put = (options) => store.write({ bucket, key }, bytes, options);
  try {
    await put({ contentType, cacheControl, metadata: originOf(source, plan), over: 'absent' });
  } catch (error) {
    if (!(error instanceof PreconditionFailedError)) throw error;
    await publishUnlessNewer(store, source, plan, { ...file, size: bytes.length, isDerived: true }, put);
  }
}

/**
 * Removes a public object that this upload or an older one of the same image published, and no
 * newer one.
 */
export async function withdrawOlder(store: ObjectStore, source: Source, target: ObjectRef): Promise<void> {
  const existing = await findObject(store, target);
  const sequence = existing?.metadata['stepwell-sequence'] ?? source.sequence;
  if (existing && imageOf(existing) === source.imageId && sequence < source.sequence) await store.remove(target);
}

/** Removes a public object that this upload or an older one of the same image published. */
export async function withdraw(store: ObjectStore, source: Source, target: ObjectRef): Promise<void> {
  const existing = await findObject(store, target);
  if (existing && imageOf(existing) === source.imageId && !isNewer(existing, source)) await store.remove(target);
}

/** The metadata of an object in the store; undefined if it does not exist. */
export async function findObject(store: ObjectStore, ref: ObjectRef): Promise<ObjectInfo | undefined> {
  try {
    return await store.head(ref);
  } catch (error) {
    if (error instanceof ObjectNotFoundError) return undefined;
    throw error;
  }
}

/**
 * User metadata that names the upload and the plan, by which executions recognise newer objects and
 * their own.
 */
function originOf(source: Source, plan: PlanRef): Metadata {
  return { 'stepwell-image': source.imageId, 'stepwell-sequence': source.sequence, 'stepwell-plan': plan.hash };
}

/** The id of the image that a public object was published for; undefined without origin. */
export function imageOf({ metadata }: ObjectInfo): string | undefined {
  return metadata['stepwell-image'];
}

/**
 * An object without origin was not published by this installation, or its metadata was lost with a
 * workspace. Where masters and pyramids share a bucket, it may be a master.
 */
function mayReplace(existing: ObjectInfo, source: Source, target: ObjectRef, isDerived: boolean): boolean {
  const image = imageOf(existing);
  return image === undefined ? target.bucket !== source.bucket : isDerived || image === source.imageId;
}

function isNewer(existing: ObjectInfo, source: Source): boolean {
  const sequence = existing.metadata['stepwell-sequence'];
  return imageOf(existing) === source.imageId && sequence !== undefined && sequence > source.sequence;
}

import {
  ObjectNotFoundError,
  PreconditionFailedError,
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
  /** Besides what says where it comes from. */
  readonly metadata?: Metadata;
}

/** Writes a public object, over nothing but what stood there before. */
type Put = (options: WriteOptions) => Promise<ObjectInfo>;

/**
 * Puts an object where the public reads it. Such objects carry the sequence they were made from and are only ever replaced
 * by compare-and-swap, so that the newest upload stands whichever execution ends first. What is there already of this very
 * work is left alone. Throws SourceChangedError where the work of a newer upload is.
 */
export async function placeUnlessNewer(
  store: ObjectStore,
  source: Source,
  plan: PlanRef,
  { size, contentType, metadata: facts, ...target }: PublicObject,
  put: Put,
): Promise<ObjectInfo> {
  const metadata = { ...facts, ...originOf(source, plan) };
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

/** Removes what an older upload of this image put there. */
export async function withdraw(store: ObjectStore, source: Source, target: ObjectRef): Promise<void> {
  const there = await findObject(store, target);
  if (there?.metadata['stepwell-image'] === source.imageId && !isNewer(there, source)) await store.remove(target);
}

export async function findObject(store: ObjectStore, ref: ObjectRef): Promise<ObjectInfo | undefined> {
  try {
    return await store.head(ref);
  } catch (error) {
    if (error instanceof ObjectNotFoundError) return undefined;
    throw error;
  }
}

/** What keeps an older execution from replacing the work of a newer one. */
function originOf(source: Source, plan: PlanRef): Metadata {
  return { 'stepwell-image': source.imageId, 'stepwell-sequence': source.sequence, 'stepwell-plan': plan.hash };
}

function isNewer(there: ObjectInfo, source: Source): boolean {
  const sequence = there.metadata['stepwell-sequence'];
  return there.metadata['stepwell-image'] === source.imageId && sequence !== undefined && sequence > source.sequence;
}

/**
 * Reading and copying one version of an object: of the master, or of an object that an earlier step
 * wrote.
 */
import {
  InconsistentWorkError,
  ObjectNotFoundError,
  PreconditionFailedError,
  RejectedImageError,
  SourceChangedError,
} from '../errors.ts';
import type { RangeReader } from '../bytes/range-reader.ts';
import type { SourceImage } from '../pyramid/source-image.ts';
import type { ObjectInfo, ObjectRef, ObjectStore, WriteOptions } from '../storage/object-store.ts';
import type { Source } from './execution-input.ts';
import { findObject } from './public-object.ts';
import { inconsistent, isMissingOrReplaced } from './work-area.ts';

/** Content of one version of an object. Every read returns bytes of that version or throws. */
export interface PinnedContent {
  readonly reader: RangeReader & Required<Pick<RangeReader, 'readInto'>>;
  /** Runs `use` with the path of a file that holds the object. */
  withFile<Result>(use: (file: string) => Promise<Result>): Promise<Result>;
}

/** One version of an object, with its metadata in the store. */
export interface PinnedObject extends PinnedContent {
  readonly info: ObjectInfo;
  tags(): Promise<Readonly<Record<string, string>>>;
}

/** A version of an object, and the errors to throw when it no longer exists. */
interface Pin {
  readonly ref: ObjectRef;
  readonly etag: string;
  /** The error for a version that was removed or replaced. */
  readonly gone: (cause: ObjectNotFoundError | PreconditionFailedError) => Error;
  /** The error for a read that ends before the range does. */
  readonly short: (detail: string) => Error;
}

/**
 * Opens the master. Throws SourceChangedError when it was overwritten,
 * RejectedImageError(SOURCE_GONE) when removed.
 */
export function openSource(store: ObjectStore, source: Source): Promise<PinnedObject> {
  return openPinned(store, pinSource(source));
}

/**
 * Opens the object that has the pixels: the master, or the TIFF that ConvertSource wrote. Throws as
 * `openSource`, and InconsistentWorkError when that TIFF is missing or has been replaced.
 */
export function openPixels(
  store: ObjectStore,
  workBucket: string,
  source: Source,
  { converted }: Pick<SourceImage, 'converted'>,
): Promise<PinnedObject> {
  if (!converted) return openSource(store, source);
  return openPinned(store, pinWork({ bucket: workBucket, key: converted.key }, converted.etag));
}

/**
 * Opens an object of the work area whose ETag and size (bytes) are known; sends no request. Reads
 * throw InconsistentWorkError when it is missing, has been replaced or is shorter.
 */
export function openWork(
  store: ObjectStore,
  ref: ObjectRef,
  { etag, size }: { readonly etag: string; readonly size: number },
): PinnedContent {
  return pinnedContent(store, pinWork(ref, etag), size);
}

/**
 * Copies the master. Throws as `openSource`, and PreconditionFailedError when `options.over` does
 * not hold.
 */
export function copyMaster(
  store: ObjectStore,
  source: Source,
  target: ObjectRef,
  options: WriteOptions,
): Promise<ObjectInfo> {
  return copyPinned(store, pinSource(source), target, options);
}

/**
 * Copies an object of the work area. Throws InconsistentWorkError when it is missing or has been
 * replaced, and PreconditionFailedError when `options.over` does not hold.
 */
export function copyWork(
  store: ObjectStore,
  { bucket, key, etag }: ObjectRef & { readonly etag: string },
  target: ObjectRef,
  options: WriteOptions,
): Promise<ObjectInfo> {
  return copyPinned(store, pinWork({ bucket, key }, etag), target, options);
}

function pinSource(source: Source): Pin {
  return {
    ref: source,
    etag: source.etag,
    gone: (cause) =>
      cause instanceof ObjectNotFoundError
        ? new RejectedImageError('SOURCE_GONE', `${source.key} was removed before it was read`, { cause })
        : new SourceChangedError(`${source.key} was overwritten after this execution was started`, { cause }),
    short: (detail) => new RejectedImageError('TRUNCATED', detail),
  };
}

function pinWork(ref: ObjectRef, etag: string): Pin {
  return {
    ref,
    etag,
    gone: (cause) => inconsistent(ref.key, cause),
    short: (detail) => new InconsistentWorkError(`${ref.key}: ${detail}`),
  };
}

async function translated<Result>({ gone }: Pin, call: Promise<Result>): Promise<Result> {
  try {
    return await call;
  } catch (error) {
    throw isMissingOrReplaced(error) ? gone(error) : error;
  }
}

async function openPinned(store: ObjectStore, pin: Pin): Promise<PinnedObject> {
  const info = await translated(pin, store.head(pin.ref, { ifMatch: pin.etag }));
  return {
    info,
    tags: () => translated(pin, store.tags(pin.ref)),
    ...pinnedContent(store, pin, info.size),
  };
}

function pinnedContent(store: ObjectStore, pin: Pin, size: number): PinnedContent {
  const { ref, etag } = pin;
  return {
    reader: {
      size,
      read: (offset, length) =>
        length === 0
          ? Promise.resolve(new Uint8Array())
          : translated(pin, store.read(ref, { ifMatch: etag, range: { offset, length } })),
      async readInto(target, offset) {
        const range = { offset, length: target.length };
        const bytes = await translated(pin, store.read(ref, { ifMatch: etag, range, into: target }));
        if (bytes.length !== target.length) {
          throw pin.short(`expected ${target.length} bytes at ${offset} of ${size} but received ${bytes.length}`);
        }
      },
    },
    async withFile(use) {
      const file = await translated(pin, store.materialise(ref, { ifMatch: etag }));
      // The file may be the object itself, and may have been replaced while it was read, which then
      // explains an error.
      const assertUnchanged = () => translated(pin, store.head(ref, { ifMatch: etag }));
      try {
        const result = await use(file.path).catch(async (error: unknown) => {
          await assertUnchanged();
          throw error;
        });
        await assertUnchanged();
        return result;
      } finally {
        await file.dispose();
      }
    },
  };
}

async function copyPinned(store: ObjectStore, pin: Pin, target: ObjectRef, options: WriteOptions): Promise<ObjectInfo> {
  try {
    return await store.copy({ ...pin.ref, etag: pin.etag }, target, options);
  } catch (error) {
    if (!isMissingOrReplaced(error)) throw error;
    // The conditions on the target and on the pinned version fail with the same error.
    const isPinned = error instanceof PreconditionFailedError && (await findObject(store, pin.ref))?.etag === pin.etag;
    throw isPinned ? error : pin.gone(error);
  }
}

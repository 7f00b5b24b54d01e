import {
  InconsistentWorkError,
  ObjectNotFoundError,
  PreconditionFailedError,
  RejectedImageError,
  SourceChangedError,
} from '../errors.ts';
import type { Source } from './execution-input.ts';
import type { SourceImage } from '../pyramid/source-image.ts';
import type { ObjectInfo, ObjectRef, ObjectStore } from '../storage/object-store.ts';
import type { RangeReader } from '../bytes/range-reader.ts';

/** One version of an object: every read is of the very bytes that it was opened for, or fails. */
export interface PinnedObject {
  readonly info: ObjectInfo;
  readonly reader: RangeReader & Required<Pick<RangeReader, 'readInto'>>;
  tags(): Promise<Readonly<Record<string, string>>>;
  /** A file that holds the object, while `use` runs. */
  withFile<Result>(use: (file: string) => Promise<Result>): Promise<Result>;
}

/** Opens the master. Throws SourceChangedError when it was overwritten, RejectedImageError(SOURCE_GONE) when removed. */
export function openSource(store: ObjectStore, source: Source): Promise<PinnedObject> {
  return openPinned(store, source, source.etag, (error) => {
    if (error instanceof ObjectNotFoundError) {
      return new RejectedImageError('SOURCE_GONE', `${source.key} was removed before it was read`, { cause: error });
    }
    return new SourceChangedError(`${source.key} was overwritten after this execution was started`, { cause: error });
  });
}

/**
 * Opens what holds the pixels: the master, or the TIFF in the work area that was made of it. Throws as `openSource`, and
 * InconsistentWorkError when that TIFF is not the one that was made.
 */
export function openPixels(
  store: ObjectStore,
  workBucket: string,
  source: Source,
  { converted }: Pick<SourceImage, 'converted'>,
): Promise<PinnedObject> {
  if (!converted) return openSource(store, source);
  const { key, etag } = converted;
  return openPinned(store, { bucket: workBucket, key }, etag, (error) => {
    return new InconsistentWorkError(`Expected ${key} as it was converted`, { cause: error });
  });
}

type Translate = (error: ObjectNotFoundError | PreconditionFailedError) => Error;

async function openPinned(
  store: ObjectStore,
  ref: ObjectRef,
  etag: string,
  translate: Translate,
): Promise<PinnedObject> {
  const pin = { ifMatch: etag };
  const pinned = async <Result>(read: Promise<Result>): Promise<Result> => {
    try {
      return await read;
    } catch (error) {
      const isGone = error instanceof ObjectNotFoundError || error instanceof PreconditionFailedError;
      throw isGone ? translate(error) : error;
    }
  };
  const info = await pinned(store.head(ref, pin));
  return {
    info,
    reader: {
      size: info.size,
      read: (offset, length) =>
        length === 0
          ? Promise.resolve(new Uint8Array())
          : pinned(store.read(ref, { ...pin, range: { offset, length } })),
      async readInto(target, offset) {
        const range = { offset, length: target.length };
        const bytes = await pinned(store.read(ref, { ...pin, range, into: target }));
        if (bytes.length !== target.length) {
          throw new RejectedImageError('TRUNCATED', `expected ${target.length} bytes at ${offset} of ${info.size}`);
        }
      },
    },
    tags: () => pinned(store.tags(ref)),
    async withFile(use) {
      const file = await pinned(store.materialise(ref, pin));
      try {
        const result = await use(file.path);
        // The file may be the object itself, and may have been replaced while it was read.
        await pinned(store.head(ref, pin));
        return result;
      } finally {
        await file.dispose();
      }
    },
  };
}

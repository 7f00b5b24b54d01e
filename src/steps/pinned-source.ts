import { ObjectNotFoundError, PreconditionFailedError, RejectedImageError, SourceChangedError } from '../errors.ts';
import type { Source } from '../execution-input.ts';
import type { ObjectInfo, ObjectStore } from '../storage/object-store.ts';
import type { RangeReader } from '../tiff/range-reader.ts';

/** The master, pinned: every read is of the very bytes that the execution was started for, or fails. */
export interface PinnedSource {
  readonly info: ObjectInfo;
  readonly reader: RangeReader & Required<Pick<RangeReader, 'readInto'>>;
  /** A file that holds the master, while `use` runs. */
  withFile<Result>(use: (file: string) => Promise<Result>): Promise<Result>;
}

/** Opens the master. Throws SourceChangedError when it was overwritten, RejectedImageError(SOURCE_GONE) when removed. */
export async function openSource(store: ObjectStore, source: Source): Promise<PinnedSource> {
  const pin = { ifMatch: source.etag };
  const info = await sourceRead(source, () => store.head(source, pin));
  return {
    info,
    reader: {
      size: info.size,
      read: (offset, length) =>
        length === 0
          ? Promise.resolve(new Uint8Array())
          : sourceRead(source, () => store.read(source, { ...pin, range: { offset, length } })),
      async readInto(target, offset) {
        const range = { offset, length: target.length };
        const bytes = await sourceRead(source, () => store.read(source, { ...pin, range, into: target }));
        if (bytes.length !== target.length) {
          throw new RejectedImageError('TRUNCATED', `expected ${target.length} bytes at ${offset} of ${info.size}`);
        }
      },
    },
    async withFile(use) {
      const file = await sourceRead(source, () => store.materialise(source, pin));
      try {
        const result = await use(file.path);
        // The file may be the object itself, and may have been replaced while it was read.
        await sourceRead(source, () => store.head(source, pin));
        return result;
      } finally {
        await file.dispose();
      }
    },
  };
}

async function sourceRead<Result>(source: Source, read: () => Promise<Result>): Promise<Result> {
  try {
    return await read();
  } catch (error) {
    if (error instanceof ObjectNotFoundError) {
      throw new RejectedImageError('SOURCE_GONE', `${source.key} was removed before it was read`, { cause: error });
    }
    if (error instanceof PreconditionFailedError) {
      throw new SourceChangedError(`${source.key} was overwritten after this execution was started`, { cause: error });
    }
    throw error;
  }
}

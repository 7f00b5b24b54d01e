/**
 * Object store on folders. A key maps to a path below the bucket's folder (`key-paths.ts`), so an
 * existing folder of files can serve as a bucket without conversion, and published files can be
 * opened where they are. Objects have no versions.
 */
import { constants } from 'node:fs';
import { copyFile, type FileHandle, mkdtemp, open, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { bucketDirectories, ownBuckets } from './buckets.ts';
import { appendAll, type Locate, writePieces } from './compose.ts';
import { listFolder } from './listing.ts';
import { describeWrite, MetadataFiles, removeStrayMetadata } from './metadata.ts';
import { checkEtag, findFile, findWorkspaceFile, type FoundFile, OpenFile, requireFile } from './objects.ts';
import { SmallObjects } from './small-objects.ts';
import { removeUnfinished, UnfinishedFiles } from './unfinished.ts';
import { createSmallFile, SMALL_FILE_BYTES } from './create-small.ts';
import { fillFile, linkFile, removeFile, writeAtomically } from './atomic-write.ts';
import { pathFromKey } from './key-paths.ts';
import { PreconditionFailedError } from '../../errors.ts';
import type {
  DescribedBytes,
  ListOptions,
  ObjectInfo,
  ObjectRef,
  ObjectStore,
  Piece,
  ReadOptions,
  WriteOptions,
} from '../object-store.ts';
import { checkBuffer, checkRange } from '../pieces.ts';

export { registerBucket } from './buckets.ts';

/**
 * Removes what a killed process left in a workspace: unfinished files, and the metadata of objects
 * that did not become visible or were replaced since `since`. The caller ensures that no process
 * writes to the workspace.
 */
export async function removeLeftOvers(workspace: string, since: Date): Promise<void> {
  await removeUnfinished(workspace);
  const directoryOf = bucketDirectories(workspace);
  await removeStrayMetadata(workspace, since, async ({ bucket, key }) => {
    const found = await findFile(join(await directoryOf(bucket), pathFromKey(key)));
    return found?.etag;
  });
}

/**
 * An object store in a workspace folder: buckets listed in its `buckets.json` are the folders given
 * there, others are `buckets/<name>`. ETags derive from size, modification time and inode, without
 * reading the file.
 *
 * A conditional write is atomic among all stores of this process; with `over: 'absent'` also among
 * processes.
 */
export function fileStore(workspace: string): ObjectStore {
  return new FileStore(workspace);
}

interface Located {
  readonly root: string;
  readonly path: string;
  readonly name: string;
  /** True below the workspace, where only this store writes and never modifies files in place. */
  readonly isOwn: boolean;
}

class FileStore implements ObjectStore {
  readonly #directoryOf: (bucket: string) => Promise<string>;
  readonly #metadata: MetadataFiles;
  readonly #small = new SmallObjects();
  readonly #unfinished: UnfinishedFiles;
  /** Path prefix of the workspace's own buckets. */
  readonly #own: string;

  constructor(workspace: string) {
    this.#own = ownBuckets(workspace);
    this.#directoryOf = bucketDirectories(workspace);
    this.#metadata = new MetadataFiles(workspace);
    this.#unfinished = new UnfinishedFiles(workspace);
  }

  async tags(ref: ObjectRef): Promise<Readonly<Record<string, string>>> {
    await this.head(ref);
    return {};
  }

  async head(ref: ObjectRef, options: Pick<ReadOptions, 'ifMatch'> = {}): Promise<ObjectInfo> {
    const { path, name } = await this.#locate(ref);
    for (;;) {
      const found = await requireFile(path, name, options.ifMatch);
      const described = await this.#metadata.read(ref, found.etag);
      if (described) return { ...found, ...described };
      // If the file was replaced meanwhile, its metadata file may have been removed too: try again.
      if ((await findFile(path))?.etag === found.etag)
        return { ...found, contentType: undefined, cacheControl: undefined, metadata: {} };
    }
  }

  async read(ref: ObjectRef, options: ReadOptions = {}): Promise<Uint8Array> {
    options.signal?.throwIfAborted();
    const { path, name } = await this.#locate(ref);
    const kept = this.#readKept(path, name, options);
    if (kept) return kept;
    await using file = await OpenFile.open(path, name, options.ifMatch);
    const { offset, length } = clipRange(options.range, file.found.size);
    if (options.into) checkBuffer(options.into, length);
    const bytes = options.into?.subarray(0, length) ?? Buffer.allocUnsafeSlow(length);
    await file.readInto(bytes, offset, options.signal);
    if (options.ifMatch !== undefined) await file.checkUnchanged();
    return bytes;
  }

  async readDescribed(ref: ObjectRef, options: ReadOptions = {}): Promise<DescribedBytes> {
    for (;;) {
      const info = await this.head(ref, options);
      try {
        return { info, bytes: await this.read(ref, { ...options, ifMatch: info.etag }) };
      } catch (error) {
        // The file was replaced after its description was read: read both again.
        if (!(error instanceof PreconditionFailedError)) throw error;
      }
    }
  }

  /**
   * For a whole object, the file itself: callers compare its ETag after reading to detect changes.
   */
  async materialise(ref: ObjectRef, options: ReadOptions = {}): Promise<{ path: string; dispose(): Promise<void> }> {
    options.signal?.throwIfAborted();
    if (options.range) return this.#materialiseRange(ref, options, options.range);
    const { path, name } = await this.#locate(ref);
    await requireFile(path, name, options.ifMatch);
    return { path, dispose: () => Promise.resolve() };
  }

  async write(ref: ObjectRef, body: Uint8Array, options: WriteOptions = {}): Promise<ObjectInfo> {
    const { path, name, root, isOwn } = await this.#locate(ref);
    const isSmall = options.over === 'absent' && body.length <= SMALL_FILE_BYTES;
    const created = isSmall && !this.#unfinished.isForeign(root) && this.#create(ref, { path, name }, body, options);
    const info = created || (await this.#fill(ref, options, (handle) => appendAll(handle, body)));
    if (isOwn) this.#small.keep(path, info.etag, body);
    return info;
  }

  compose(ref: ObjectRef, pieces: Iterable<Piece>, options: WriteOptions = {}): Promise<ObjectInfo> {
    const locate: Locate = (source) => this.#locate(source);
    return this.#fill(ref, options, (handle) => writePieces(handle, pieces, locate));
  }

  async copy(
    from: ObjectRef & { readonly etag: string },
    to: ObjectRef,
    options: WriteOptions = {},
  ): Promise<ObjectInfo> {
    const source = await this.#locate(from);
    const { name } = await this.#locate(to);
    return this.#writeObject(to, options, async (temporary) => {
      await using file = await OpenFile.open(source.path, source.name, from.etag);
      const linked = source.isOwn ? await linkFile(source.path, temporary, name) : undefined;
      if (linked) {
        checkEtag(source.name, linked.etag, from.etag);
        return linked;
      }
      return await fillFile(temporary, name, async () => {
        await copyFile(source.path, temporary, constants.COPYFILE_FICLONE);
        await file.checkUnchanged();
        await requireFile(source.path, source.name, from.etag);
      });
    });
  }

  async *list(
    bucket: string,
    prefix: string,
    { delimiter }: ListOptions = {},
  ): AsyncGenerator<{ key: string; size: number; etag: string }> {
    const root = await this.#directoryOf(bucket);
    for await (const { key, path } of listFolder(root, prefix, { below: delimiter === undefined })) {
      const found = await findFile(join(root, path));
      if (found) yield { key, ...found };
    }
  }

  async remove(ref: ObjectRef): Promise<void> {
    const { path, root } = await this.#locate(ref);
    this.#small.drop(path);
    const etag = await removeFile(path, root);
    if (etag !== undefined) await this.#metadata.remove(ref, etag);
  }

  /** Reads an object from memory; undefined if the file is not the one that was kept. */
  #readKept(path: string, name: string, { range, into, ifMatch }: ReadOptions): Uint8Array | undefined {
    const found = this.#small.has(path) ? findWorkspaceFile(path) : undefined;
    const kept = found && this.#small.find(path, found.etag);
    if (!kept) return undefined;
    checkEtag(name, found.etag, ifMatch);
    const { offset, length } = clipRange(range, kept.length);
    if (into) checkBuffer(into, length);
    const bytes = into?.subarray(0, length) ?? Buffer.allocUnsafeSlow(length);
    bytes.set(kept.subarray(offset, offset + length));
    return bytes;
  }

  async #locate({ bucket, key }: ObjectRef): Promise<Located> {
    const root = await this.#directoryOf(bucket);
    const isOwn = root.startsWith(this.#own);
    return { root, path: join(root, pathFromKey(key)), name: JSON.stringify(`${bucket}/${key}`), isOwn };
  }

  #create(
    ref: ObjectRef,
    at: Pick<Located, 'path' | 'name'>,
    body: Uint8Array,
    options: WriteOptions,
  ): ObjectInfo | undefined {
    const description = describeWrite(options);
    const file = {
      ...at,
      temporary: this.#unfinished.path(),
      beforeVisible: (etag: string) => {
        this.#metadata.writeSync(ref, etag, description);
      },
      afterRemoved: (etag: string) => {
        this.#metadata.removeSync(ref, etag);
      },
    };
    const found = createSmallFile(file, body);
    return found && { ...found, ...description };
  }

  async #fill(ref: ObjectRef, options: WriteOptions, fill: (handle: FileHandle) => Promise<void>): Promise<ObjectInfo> {
    const { name } = await this.#locate(ref);
    return this.#writeObject(ref, options, (temporary) => fillFile(temporary, name, fill));
  }

  async #writeObject(
    ref: ObjectRef,
    options: WriteOptions,
    make: (temporary: string) => Promise<FoundFile>,
  ): Promise<ObjectInfo> {
    const description = describeWrite(options);
    const write = {
      ...(await this.#locate(ref)),
      over: options.over,
      make,
      beforeVisible: (etag: string) => this.#metadata.write(ref, etag, description),
      afterRemoved: (etag: string) => this.#metadata.remove(ref, etag),
    };
    const found = await writeAtomically(write, this.#unfinished);
    return { ...found, ...description };
  }

  async #materialiseRange(
    ref: ObjectRef,
    options: ReadOptions,
    range: NonNullable<ReadOptions['range']>,
  ): Promise<{ path: string; dispose(): Promise<void> }> {
    const info = await this.head(ref, options);
    const piece = { ref, etag: info.etag, ...clipRange(range, info.size) };
    const directory = await mkdtemp(join(tmpdir(), 'stepwell-'));
    const dispose = (): Promise<void> => rm(directory, { recursive: true, force: true });
    const path = join(directory, 'object');
    try {
      await using handle = await open(path, 'wx');
      await writePieces(handle, [piece], (source) => this.#locate(source));
    } catch (error) {
      await dispose();
      throw error;
    }
    return { path, dispose };
  }
}

/** Clips a range to `size` bytes. */
function clipRange(range: ReadOptions['range'], size: number): { offset: number; length: number } {
  if (!range) return { offset: 0, length: size };
  checkRange(range);
  const offset = Math.min(range.offset, size);
  return { offset, length: Math.min(range.length, size - offset) };
}

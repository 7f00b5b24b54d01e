/** Published pyramids by name, with a cache of their directories. */
import { ObjectNotFoundError, PreconditionFailedError, ServiceUnavailableError } from '../errors.ts';
import type { ObjectRef, ObjectStore } from '../storage/object-store.ts';
import { openPublished } from './open-published.ts';
import type { PublishedPyramid } from './published-pyramid.ts';

export interface PyramidCacheOptions {
  /** Memory for directories. Bytes. The image that was used last is kept, whatever its size. */
  readonly cacheBytes?: number | undefined;
  /** Age up to which a version counts as the current one without asking the store. ms. */
  readonly freshMs?: number | undefined;
  /** Milliseconds since some moment. */
  readonly now?: (() => number) | undefined;
}

export interface UseOptions {
  /**
   * Whether `work` needs the current version even if it reads no tile, whose reads fail when the
   * object has been replaced.
   */
  readonly current?: boolean | undefined;
}

interface Entry {
  readonly image: Promise<PublishedPyramid>;
  /** When the store last had this version. ms. */
  seen: number;
  /** Bytes; 0 until the image is open. */
  memory: number;
}

/** Default of `cacheBytes`: the directories of a thousand images of 100 megapixels. */
const CACHE_BYTES = 32 * 2 ** 20;
const FRESH_MS = 2_000;

export class PublishedPyramids {
  readonly #store: ObjectStore;
  readonly #cacheBytes: number;
  readonly #freshMs: number;
  readonly #now: () => number;
  /** Least recently used first. */
  readonly #entries = new Map<string, Entry>();

  constructor(
    store: ObjectStore,
    { cacheBytes = CACHE_BYTES, freshMs = FRESH_MS, now = () => performance.now() }: PyramidCacheOptions = {},
  ) {
    this.#store = store;
    this.#cacheBytes = cacheBytes;
    this.#freshMs = freshMs;
    this.#now = now;
  }

  /**
   * Calls `work` with the image. If it was replaced meanwhile, `work` is called once more with the
   * new version, so that its result never mixes two. Throws ObjectNotFoundError when there is no
   * such object, and ServiceUnavailableError when the image is replaced a second time.
   */
  async use<Result>(
    ref: ObjectRef,
    work: (image: PublishedPyramid) => Promise<Result>,
    { current = false }: UseOptions = {},
  ): Promise<Result> {
    try {
      return await this.#useOnce(ref, work, current);
    } catch (error) {
      if (!(error instanceof PreconditionFailedError)) throw error;
    }
    try {
      return await this.#useOnce(ref, work, current);
    } catch (error) {
      if (!(error instanceof PreconditionFailedError)) throw error;
      throw new ServiceUnavailableError(`${ref.key} was replaced twice while it was read`, { cause: error });
    }
  }

  async #useOnce<Result>(
    ref: ObjectRef,
    work: (image: PublishedPyramid) => Promise<Result>,
    current: boolean,
  ): Promise<Result> {
    const key = `${ref.bucket}\0${ref.key}`;
    const entry = this.#entryOf(key, ref);
    try {
      const image = await entry.image;
      if (current) await this.#assertCurrent(entry, image);
      return await work(image);
    } catch (error) {
      const isGone = error instanceof PreconditionFailedError || error instanceof ObjectNotFoundError;
      if (isGone) this.#drop(key, entry);
      throw error;
    }
  }

  /** Asks the store unless it had this version a moment ago. */
  async #assertCurrent(entry: Entry, { header, etag }: PublishedPyramid): Promise<void> {
    const now = this.#now();
    if (now - entry.seen < this.#freshMs) return;
    await this.#store.head(header.ref, { ifMatch: etag });
    entry.seen = now;
  }

  #entryOf(key: string, ref: ObjectRef): Entry {
    const known = this.#entries.get(key);
    const entry = known ?? { image: openPublished(this.#store, ref), seen: this.#now(), memory: 0 };
    this.#entries.delete(key);
    this.#entries.set(key, entry);
    if (!known) void this.#settle(key, entry);
    return entry;
  }

  async #settle(key: string, entry: Entry): Promise<void> {
    try {
      entry.memory = (await entry.image).header.memory;
      this.#evict();
    } catch {
      // The callers that wait for the image have the error; the next call opens it again.
      this.#drop(key, entry);
    }
  }

  #drop(key: string, entry: Entry): void {
    if (this.#entries.get(key) === entry) this.#entries.delete(key);
  }

  #evict(): void {
    let total = [...this.#entries.values()].reduce((sum, { memory }) => sum + memory, 0);
    for (const [key, { memory }] of this.#entries) {
      if (total <= this.#cacheBytes || this.#entries.size <= 1) return;
      this.#entries.delete(key);
      total -= memory;
    }
  }
}

/**
 * Contents of small objects in the workspace's own buckets, kept from their writes: the steps of an
 * image read its header and plan again and again. A content is returned only for the ETag of the
 * file that is there now, and files of own buckets are never modified in place.
 */

/** Largest object that is kept. Bytes. */
const OBJECT_BYTES = 64 * 2 ** 10;
/** Bound of all contents. Bytes. */
const TOTAL_BYTES = 4 * 2 ** 20;

export class SmallObjects {
  /** By path, in the order of their writes. */
  readonly #kept = new Map<string, { readonly etag: string; readonly bytes: Uint8Array }>();
  #total = 0;

  /** Keeps a copy of an object that was written; the oldest objects are dropped. */
  keep(path: string, etag: string, body: Uint8Array): void {
    this.drop(path);
    if (body.length > OBJECT_BYTES) return;
    this.#kept.set(path, { etag, bytes: Uint8Array.from(body) });
    this.#total += body.length;
    for (const oldest of this.#kept.keys()) {
      if (this.#total <= TOTAL_BYTES) break;
      this.drop(oldest);
    }
  }

  has(path: string): boolean {
    return this.#kept.has(path);
  }

  /** The content of the object, which callers must not modify, if it is the one with this ETag. */
  find(path: string, etag: string): Uint8Array | undefined {
    const kept = this.#kept.get(path);
    return kept?.etag === etag ? kept.bytes : undefined;
  }

  drop(path: string): void {
    this.#total -= this.#kept.get(path)?.bytes.length ?? 0;
    this.#kept.delete(path);
  }
}

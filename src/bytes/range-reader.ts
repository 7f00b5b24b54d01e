/**
 * Ranged reads of one pinned object. Callers implement it over their store, so that this folder
 * does not depend on any.
 */
export interface RangeReader {
  /** Bytes of the whole object. */
  readonly size: number;
  /** Returns `length` bytes from `offset`, or fewer if the object ends before. */
  read(offset: number, length: number): Promise<Uint8Array>;
  /** Fills `target` with the bytes from `offset`. Throws if the object ends before. */
  readInto?(target: Uint8Array, offset: number): Promise<void>;
}

/** A range reader over bytes in memory. The returned arrays are views of `bytes`. */
export function memoryReader(bytes: Uint8Array): Required<RangeReader> {
  return {
    size: bytes.length,
    read: (offset, length) => Promise.resolve(bytes.subarray(offset, offset + length)),
    readInto: (target, offset) => {
      if (offset + target.length > bytes.length) {
        const reason = `Expected ${target.length} bytes at 0x${offset.toString(16)} but received ${bytes.length} in all`;
        return Promise.reject(new RangeError(reason));
      }
      target.set(bytes.subarray(offset, offset + target.length));
      return Promise.resolve();
    },
  };
}

/**
 * A range reader with a least-recently-used cache of `pages` pages of `pageBytes` bytes. Intended
 * for headers, whose directories and values are scattered. Reads longer than a page bypass the
 * cache.
 */
export function pagedReader(reader: RangeReader, pageBytes = 65_536, pages = 16): RangeReader {
  const cache = new Map<number, Promise<Uint8Array>>();
  const page = (index: number): Promise<Uint8Array> => {
    const cached = cache.get(index);
    cache.delete(index);
    const bytes = cached ?? reader.read(index * pageBytes, pageBytes);
    cache.set(index, bytes);
    // A failed read is not cached, so that the next read repeats it.
    bytes.catch(() => cache.get(index) === bytes && cache.delete(index));
    for (const oldest of cache.keys()) {
      if (cache.size <= pages) break;
      cache.delete(oldest);
    }
    return bytes;
  };
  return {
    size: reader.size,
    async read(offset, length) {
      const end = Math.min(offset + length, reader.size);
      if (length > pageBytes || end <= offset) return reader.read(offset, Math.max(0, end - offset));
      const first = Math.floor(offset / pageBytes);
      const last = Math.floor((end - 1) / pageBytes);
      const bytes = await page(first);
      const start = offset - first * pageBytes;
      if (first === last) return bytes.subarray(start, end - first * pageBytes);
      const tail = await page(last);
      const joined = new Uint8Array(end - offset);
      joined.set(bytes.subarray(start));
      joined.set(tail.subarray(0, end - last * pageBytes), pageBytes - start);
      return joined;
    },
  };
}

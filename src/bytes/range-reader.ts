/** Ranged reads of one pinned object. The caller makes one over its store; this folder knows no store. */
export interface RangeReader {
  /** Bytes of the whole object. */
  readonly size: number;
  /** Exactly `length` bytes from `offset`, or fewer where the object ends. */
  read(offset: number, length: number): Promise<Uint8Array>;
  /** Fills `target` from `offset`. Throws when the object ends before. */
  readInto?(target: Uint8Array, offset: number): Promise<void>;
}

/** A reader of bytes in memory. */
export function memoryReader(bytes: Uint8Array): RangeReader {
  return {
    size: bytes.length,
    read: (offset, length) => Promise.resolve(bytes.subarray(offset, offset + length)),
  };
}

/**
 * Small reads near one another are served from pages of `pageBytes`, of which the last `pages` are kept. For headers,
 * whose directories and values lie scattered; reads longer than a page go straight through.
 */
export function pagedReader(reader: RangeReader, pageBytes = 65_536, pages = 16): RangeReader {
  const cache = new Map<number, Promise<Uint8Array>>();
  const page = (index: number): Promise<Uint8Array> => {
    const known = cache.get(index);
    cache.delete(index);
    const bytes = known ?? reader.read(index * pageBytes, pageBytes);
    cache.set(index, bytes);
    // What failed is asked for again by the next read.
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
      const head = await page(first);
      const start = offset - first * pageBytes;
      if (first === last) return head.subarray(start, end - first * pageBytes);
      const tail = await page(last);
      const joined = new Uint8Array(end - offset);
      joined.set(head.subarray(start));
      joined.set(tail.subarray(0, end - last * pageBytes), pageBytes - start);
      return joined;
    },
  };
}

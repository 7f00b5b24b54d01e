import type { RangeReader } from '../bytes/range-reader.ts';

/** Reads bytes of one version of an object. */
export type ReadBytes = (offset: number, length: number) => Promise<Uint8Array>;

/**
 * The first bytes of an object, which hold its directories and tile tables. What lies beyond them
 * is read on demand, up to the end of the request.
 */
export class HeaderBytes implements RangeReader {
  readonly size: number;
  readonly #readMore: ReadBytes;
  #bytes: Uint8Array;

  /** `bytes`: the first bytes of an object of `size` bytes. */
  constructor(bytes: Uint8Array, size: number, readMore: ReadBytes) {
    this.#bytes = bytes;
    this.size = size;
    this.#readMore = readMore;
  }

  /** Reads up to `end`, in one request, unless these bytes are there. */
  async extendTo(end: number): Promise<void> {
    const length = Math.min(end, this.size) - this.#bytes.length;
    if (length <= 0) return;
    const more = await this.#readMore(this.#bytes.length, length);
    const joined = new Uint8Array(this.#bytes.length + more.length);
    joined.set(this.#bytes);
    joined.set(more, this.#bytes.length);
    this.#bytes = joined;
  }

  async read(offset: number, length: number): Promise<Uint8Array> {
    await this.extendTo(offset + length);
    return this.#bytes.subarray(offset, offset + length);
  }
}

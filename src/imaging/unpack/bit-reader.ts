/** Reads bits from the highest to the lowest of each byte; zeros follow after the last byte. */
export class BitReader {
  readonly #bytes: Uint8Array;
  /** Position. Bits. */
  #at: number;

  constructor(bytes: Uint8Array, at = 0) {
    this.#bytes = bytes;
    this.#at = at;
  }

  /** A reader at the same position. */
  copy(): BitReader {
    return new BitReader(this.#bytes, this.#at);
  }

  isAtEnd(): boolean {
    return this.#at >= this.#bytes.length * 8;
  }

  /** Whether only zeros are left, or nothing. */
  isBlankToEnd(): boolean {
    return this.#at + this.zeros() >= this.#bytes.length * 8;
  }

  isPastEnd(): boolean {
    return this.#at > this.#bytes.length * 8;
  }

  /** The next `count` bits, at most 16, which stay unread. */
  peek(count: number): number {
    const first = this.#at >> 3;
    const word =
      ((this.#bytes[first] ?? 0) << 16) | ((this.#bytes[first + 1] ?? 0) << 8) | (this.#bytes[first + 2] ?? 0);
    return (word >> (24 - (this.#at & 7) - count)) & (2 ** count - 1);
  }

  take(count: number): number {
    const bits = this.peek(count);
    this.#at += count;
    return bits;
  }

  skip(count: number): void {
    this.#at += count;
  }

  /** Number of zeros before the next one, which stay unread; all that are left if there is none. */
  zeros(): number {
    const end = this.#bytes.length * 8;
    let at = this.#at;
    while (at < end) {
      if ((at & 7) === 0 && this.#bytes[at >> 3] === 0) at += 8;
      else if (((this.#bytes[at >> 3] ?? 0) & (0x80 >> (at & 7))) !== 0) break;
      else at++;
    }
    return Math.min(at, end) - this.#at;
  }

  /** Skips to the start of a byte. */
  align(): void {
    this.#at = Math.ceil(this.#at / 8) * 8;
  }
}

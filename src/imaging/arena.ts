/**
 * Memory for pixels that is reused within a process. The first access to fresh pages takes as long
 * as reading an uncompressed master into them, and consecutive blocks have about the same size.
 */
export class Arena {
  readonly #taken: Buffer[] = [];
  readonly #adopted: Uint8Array[] = [];
  /** The unused rest of the memory that `pack` took last. */
  #unpacked: Uint8Array = new Uint8Array();

  /** Returns exactly `bytes` of memory, not cleared. It belongs to this arena until `release`. */
  take(bytes: number): Uint8Array {
    const buffer = takeFree(bytes) ?? allocate(Math.ceil(bytes / ALLOCATION_UNIT) * ALLOCATION_UNIT);
    this.#taken.push(buffer);
    return buffer.subarray(0, bytes);
  }

  /**
   * Takes ownership of memory that a decoder or an encoder allocated, and returns it. `release`
   * frees it; otherwise its external memory would trigger repeated full garbage collections.
   */
  adopt<Bytes extends Uint8Array>(bytes: Bytes): Bytes {
    this.#adopted.push(bytes);
    return bytes;
  }

  /** Returns a copy of `bytes`. Copies of any length are stored contiguously. */
  pack(bytes: Uint8Array): Uint8Array {
    if (bytes.length > this.#unpacked.length) this.#unpacked = this.take(Math.max(PACK_BYTES, bytes.length));
    const copy = this.#unpacked.subarray(0, bytes.length);
    this.#unpacked = this.#unpacked.subarray(bytes.length);
    copy.set(bytes);
    return copy;
  }

  /** Frees or recycles all memory of this arena. The caller must not use it afterwards. */
  release(): void {
    this.#unpacked = new Uint8Array();
    for (const { buffer, byteLength } of this.#adopted.splice(0)) {
      // Small buffers may share their memory with others.
      if ('transfer' in buffer && buffer.byteLength === byteLength) buffer.transfer(0);
    }
    for (const buffer of this.#taken.splice(0)) {
      if (freeBytes() + buffer.length <= KEPT_BYTES) free.push(buffer);
    }
  }
}

/** Unit in which `pack` takes memory. Bytes. */
const PACK_BYTES = 4 * 2 ** 20;
/**
 * Allocations are rounded up to a multiple of this, so that blocks of slightly different sizes
 * reuse the same memory. Bytes.
 */
const ALLOCATION_UNIT = 2 ** 20;
/** Upper limit of the free memory that is kept for reuse. Bytes. */
const KEPT_BYTES = 384 * 2 ** 20;

const free: Buffer[] = [];

/**
 * Allocates memory. As much kept memory that is too small for the request is freed first, in
 * ascending order of size.
 */
function allocate(bytes: number): Buffer {
  free.sort((a, b) => a.length - b.length);
  for (let freed = 0; freed < bytes && (free[0]?.length ?? bytes) < bytes;) {
    const small = free.shift();
    freed += small?.length ?? 0;
    if (small && 'transfer' in small.buffer) small.buffer.transfer(0);
  }
  return Buffer.allocUnsafeSlow(bytes);
}

function takeFree(bytes: number): Buffer | undefined {
  const fitting = free.filter(({ length }) => length >= bytes && length <= Math.max(1.5 * bytes, 2 * ALLOCATION_UNIT));
  const best = fitting.sort((a, b) => a.length - b.length)[0];
  if (best) free.splice(free.indexOf(best), 1);
  return best;
}

function freeBytes(): number {
  return free.reduce((sum, { length }) => sum + length, 0);
}

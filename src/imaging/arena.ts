/**
 * Memory for pixels that is used again and again within a process. The first touch of fresh pages costs as much as reading
 * an uncompressed master into them, and every block is of about the same size as the one before.
 */
export class Arena {
  readonly #taken: Buffer[] = [];
  readonly #adopted: Uint8Array[] = [];
  /** What is left of the memory taken last for packed copies. */
  #room: Uint8Array = new Uint8Array();

  /** Exactly `bytes` of memory, its content left over from earlier use; it is this arena's until `release`. */
  take(bytes: number): Uint8Array {
    const buffer = takeFree(bytes) ?? allocate(Math.ceil(bytes / GRAIN) * GRAIN);
    this.#taken.push(buffer);
    return buffer.subarray(0, bytes);
  }

  /**
   * Takes charge of memory that came from a decoder or an encoder, and returns it. Left to the garbage collector it would
   * set off one collection after the other, each of which looks at all that the process has loaded.
   */
  adopt<Bytes extends Uint8Array>(bytes: Bytes): Bytes {
    this.#adopted.push(bytes);
    return bytes;
  }

  /** A copy of `bytes`; copies of any length lie one behind the other. */
  pack(bytes: Uint8Array): Uint8Array {
    if (bytes.length > this.#room.length) this.#room = this.take(Math.max(PACK_BYTES, bytes.length));
    const copy = this.#room.subarray(0, bytes.length);
    this.#room = this.#room.subarray(bytes.length);
    copy.set(bytes);
    return copy;
  }

  /** Gives everything back. Nobody may hold on to what was taken or adopted. */
  release(): void {
    this.#room = new Uint8Array();
    for (const { buffer, byteLength } of this.#adopted.splice(0)) {
      // Small buffers share their memory with others.
      if ('transfer' in buffer && buffer.byteLength === byteLength) buffer.transfer(0);
    }
    for (const buffer of this.#taken.splice(0)) {
      if (freeBytes() + buffer.length <= KEPT_BYTES) free.push(buffer);
    }
  }
}

/** Memory for packed copies is taken in units of this. Bytes. */
const PACK_BYTES = 4 * 2 ** 20;
/** Sizes are rounded up, so that blocks of slightly different size share memory. Bytes. */
const GRAIN = 2 ** 20;
/** Free memory that is kept. Bytes. */
const KEPT_BYTES = 384 * 2 ** 20;

const free: Buffer[] = [];

/** New memory, in exchange for kept memory that is too small for it, the smallest first. */
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
  const fitting = free.filter(({ length }) => length >= bytes && length <= Math.max(1.5 * bytes, 2 * GRAIN));
  const best = fitting.sort((a, b) => a.length - b.length)[0];
  if (best) free.splice(free.indexOf(best), 1);
  return best;
}

function freeBytes(): number {
  return free.reduce((sum, { length }) => sum + length, 0);
}

/**
 * LZMA2 decompression (Igor Pavlov, LZMA specification, 2015; xz, doc/xz-file-format.txt, and
 * XZ Embedded for the chunks of LZMA2). The output is also the dictionary.
 */
import { MalformedTiffError } from '../../errors.ts';

const STATES = 12;
const TOP = 2 ** 24;
const PROBABILITY_BITS = 11;
const HALF = 2 ** (PROBABILITY_BITS - 1);
const ADAPTATION = 5;
const MIN_MATCH = 2;
const LENGTH_TO_DISTANCE_STATES = 4;
/** Slots of distances with bits that are modelled, and the bits after those that are not. */
const [FIRST_MODELLED_SLOT, LAST_MODELLED_SLOT, ALIGN_BITS] = [4, 13, 4];

/** Throws MalformedTiffError for damaged data. */
function damaged(what: string): never {
  throw new MalformedTiffError(`Expected intact LZMA data but received ${what}`);
}

function probabilities(count: number): Uint16Array {
  return new Uint16Array(count).fill(HALF);
}

/** Binary adaptive range decoder. */
class RangeDecoder {
  readonly #bytes: Uint8Array;
  readonly #end: number;
  #at: number;
  #range = 0xffff_ffff;
  #code = 0;

  /** Of `bytes` from `start` to `end`; the first byte is zero. */
  constructor(bytes: Uint8Array, start: number, end: number) {
    this.#bytes = bytes;
    this.#end = end;
    this.#at = start + 5;
    if (start + 5 > end || bytes[start] !== 0) damaged('a chunk without its start');
    for (let at = start + 1; at < start + 5; at++) this.#code = ((this.#code << 8) | (bytes[at] ?? 0)) >>> 0;
  }

  /** Whether all bytes are read and the code is at its end. */
  isFinished(): boolean {
    this.#normalize();
    return this.#code === 0 && this.#at === this.#end;
  }

  #normalize(): void {
    if (this.#range >= TOP) return;
    if (this.#at >= this.#end) damaged('a chunk that ends early');
    this.#range = (this.#range << 8) >>> 0;
    this.#code = ((this.#code << 8) | (this.#bytes[this.#at++] ?? 0)) >>> 0;
  }

  bit(model: Uint16Array, index: number): 0 | 1 {
    this.#normalize();
    const probability = model[index] ?? HALF;
    const bound = (this.#range >>> PROBABILITY_BITS) * probability;
    if (this.#code < bound) {
      this.#range = bound;
      model[index] = probability + ((2 ** PROBABILITY_BITS - probability) >> ADAPTATION);
      return 0;
    }
    this.#range -= bound;
    this.#code -= bound;
    model[index] = probability - (probability >> ADAPTATION);
    return 1;
  }

  direct(count: number): number {
    let value = 0;
    for (let left = count; left > 0; left--) {
      this.#normalize();
      this.#range >>>= 1;
      const isOne = this.#code >= this.#range;
      if (isOne) this.#code -= this.#range;
      value = value * 2 + (isOne ? 1 : 0);
    }
    return value;
  }

  /** `count` bits from the highest on; `at` is the place of the tree in the model. */
  tree(model: Uint16Array, at: number, count: number): number {
    let node = 1;
    for (let left = count; left > 0; left--) node = (node << 1) | this.bit(model, at + node);
    return node - 2 ** count;
  }

  /** `count` bits from the lowest on. */
  reverseTree(model: Uint16Array, at: number, count: number): number {
    let node = 1;
    let value = 0;
    for (let place = 0; place < count; place++) {
      const bit = this.bit(model, at + node);
      node = (node << 1) | bit;
      value |= bit << place;
    }
    return value;
  }
}

/** Lengths of matches: 8 short and 8 medium ones for each position, 256 long ones. */
class LengthModel {
  readonly #choice = probabilities(2);
  readonly #short = probabilities(16 * 8);
  readonly #medium = probabilities(16 * 8);
  readonly #long = probabilities(256);

  decode(range: RangeDecoder, position: number): number {
    if (range.bit(this.#choice, 0) === 0) return range.tree(this.#short, 8 * position, 3);
    if (range.bit(this.#choice, 1) === 0) return 8 + range.tree(this.#medium, 8 * position, 3);
    return 16 + range.tree(this.#long, 0, 8);
  }
}

/** Models and history of a sequence of LZMA chunks. */
class LzmaState {
  readonly #literalContextBits: number;
  readonly #literalPositionMask: number;
  readonly #positionMask: number;
  readonly #literal: Uint16Array;
  readonly #isMatch = probabilities(STATES * 16);
  readonly #isRep = probabilities(STATES);
  readonly #isRep0 = probabilities(STATES);
  readonly #isRep1 = probabilities(STATES);
  readonly #isRep2 = probabilities(STATES);
  readonly #isRep0Long = probabilities(STATES * 16);
  readonly #slots = probabilities(LENGTH_TO_DISTANCE_STATES * 64);
  readonly #special = probabilities(128);
  readonly #align = probabilities(2 ** ALIGN_BITS);
  readonly #matchLength = new LengthModel();
  readonly #repLength = new LengthModel();
  #state = 0;
  /** The last four distances, less one. */
  #distances: [number, number, number, number] = [0, 0, 0, 0];

  /** Properties: (pb · 5 + lp) · 9 + lc. */
  constructor(properties: number) {
    const context = properties % 9;
    const literalPosition = Math.floor(properties / 9) % 5;
    const position = Math.floor(properties / 45);
    if (position > 4 || context + literalPosition > 4) damaged(`the properties ${properties}`);
    this.#literalContextBits = context;
    this.#literalPositionMask = 2 ** literalPosition - 1;
    this.#positionMask = 2 ** position - 1;
    this.#literal = probabilities(0x300 * 2 ** (context + literalPosition));
  }

  /** Decodes into `out` from `start` to `end`; `zero` is where the dictionary begins. */
  decode(range: RangeDecoder, out: Uint8Array, zero: number, start: number, end: number): void {
    for (let at = start; at < end;) {
      const position = (at - zero) & this.#positionMask;
      if (range.bit(this.#isMatch, this.#state * 16 + position) === 0) {
        out[at] = this.#decodeLiteral(range, out, zero, at);
        this.#state = this.#state < 4 ? 0 : this.#state < 10 ? this.#state - 3 : this.#state - 6;
        at++;
        continue;
      }
      const length = this.#decodeMatch(range, position);
      const [distance] = this.#distances;
      if (distance >= at - zero || at + length > end) damaged('a match beyond its chunk');
      for (const stop = at + length; at < stop; at++) out[at] = out[at - distance - 1] ?? 0;
    }
  }

  #decodeLiteral(range: RangeDecoder, out: Uint8Array, zero: number, at: number): number {
    const before = at > zero ? (out[at - 1] ?? 0) : 0;
    const low = (at - zero) & this.#literalPositionMask;
    const context = (low << this.#literalContextBits) + (before >> (8 - this.#literalContextBits));
    const base = 0x300 * context;
    let symbol = 1;
    if (this.#state >= 7) {
      let matched = out[at - this.#distances[0] - 1] ?? 0;
      while (symbol < 0x100) {
        const matchBit = (matched >> 7) & 1;
        matched <<= 1;
        const bit = range.bit(this.#literal, base + ((1 + matchBit) << 8) + symbol);
        symbol = (symbol << 1) | bit;
        if (matchBit !== bit) break;
      }
    }
    while (symbol < 0x100) symbol = (symbol << 1) | range.bit(this.#literal, base + symbol);
    return symbol & 0xff;
  }

  /** Sets the first of the last distances. Returns the length. */
  #decodeMatch(range: RangeDecoder, position: number): number {
    const state = this.#state;
    if (range.bit(this.#isRep, state) === 0) {
      const length = this.#matchLength.decode(range, position);
      const [first, second, third] = this.#distances;
      this.#distances = [this.#decodeDistance(range, length), first, second, third];
      this.#state = state < 7 ? 7 : 10;
      return length + MIN_MATCH;
    }
    if (range.bit(this.#isRep0, state) === 0) {
      if (range.bit(this.#isRep0Long, state * 16 + position) === 0) {
        this.#state = state < 7 ? 9 : 11;
        return 1;
      }
    } else this.#recall(range.bit(this.#isRep1, state) === 0 ? 1 : 2 + range.bit(this.#isRep2, state));
    this.#state = state < 7 ? 8 : 11;
    return this.#repLength.decode(range, position) + MIN_MATCH;
  }

  /** Moves one of the last distances to the front. */
  #recall(index: number): void {
    const [first, second, third, fourth] = this.#distances;
    if (index === 1) this.#distances = [second, first, third, fourth];
    else if (index === 2) this.#distances = [third, first, second, fourth];
    else this.#distances = [fourth, first, second, third];
  }

  #decodeDistance(range: RangeDecoder, length: number): number {
    const slot = range.tree(this.#slots, 64 * Math.min(length, LENGTH_TO_DISTANCE_STATES - 1), 6);
    if (slot < FIRST_MODELLED_SLOT) return slot;
    const bits = (slot >> 1) - 1;
    const high = (2 | (slot & 1)) * 2 ** bits;
    if (slot <= LAST_MODELLED_SLOT) return high + range.reverseTree(this.#special, high - slot, bits);
    return high + range.direct(bits - ALIGN_BITS) * 2 ** ALIGN_BITS + range.reverseTree(this.#align, 0, ALIGN_BITS);
  }
}

/** What a control byte of a chunk resets. */
const [RESET_ALL, RESET_MODELS_AND_PROPERTIES, RESET_MODELS] = [3, 2, 1];

/**
 * Decompresses the chunks from `start` on, until `out` is full or the chunks end. Returns the
 * number of bytes written. Throws MalformedTiffError.
 */
export function unpackLzma2(packed: Uint8Array, start: number, out: Uint8Array): number {
  let at = start;
  let written = 0;
  let zero = 0;
  let properties: number | undefined;
  let state: LzmaState | undefined;
  while (written < out.length) {
    const control = packed[at] ?? damaged('data that ends early');
    if (control === 0) return written;
    if (control >= 3 && control < 0x80) damaged(`the control byte ${control}`);
    const isLzma = control >= 0x80;
    const high = isLzma ? (control & 0x1f) << 16 : 0;
    const size = high + (packed[at + 1] ?? 0) * 256 + (packed[at + 2] ?? 0) + 1;
    // Rows may be fewer than the data has.
    const end = Math.min(out.length, written + size);
    if (!isLzma) {
      if (control === 1) zero = written;
      const from = at + 3;
      if (from + size > packed.length) damaged('data that ends early');
      out.set(packed.subarray(from, from + end - written), written);
      [at, written] = [from + size, end];
      continue;
    }
    const reset = (control >> 5) & 3;
    const packedSize = (packed[at + 3] ?? 0) * 256 + (packed[at + 4] ?? 0) + 1;
    if (reset === RESET_ALL) zero = written;
    if (reset >= RESET_MODELS_AND_PROPERTIES) properties = packed[at + 5];
    const from = at + (reset >= RESET_MODELS_AND_PROPERTIES ? 6 : 5);
    if (from + packedSize > packed.length || properties === undefined) damaged('data that ends early');
    if (reset >= RESET_MODELS) state = new LzmaState(properties);
    if (!state) damaged('a chunk without models');
    const range = new RangeDecoder(packed, from, from + packedSize);
    state.decode(range, out, zero, written, end);
    if (end === written + size && !range.isFinished()) damaged('a chunk of another length');
    [at, written] = [from + packedSize, end];
  }
  return written;
}

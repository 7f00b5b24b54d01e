/** Conversion of a master to a tiled TIFF, within limits of time and memory. */
import { DeadlineExceededError, RejectedImageError } from '../errors.ts';
import { TimeLimitError } from '../isolation/isolated-process.ts';
import { withMemory } from '../isolation/memory.ts';
import type { Reservations } from '../isolation/reservations.ts';
import { DECODING_TIME } from '../limits.ts';
import type { ConvertibleFormat } from '../pyramid/source-image.ts';
import { LARGEST_HEAP, memoryNeed, ONE_PIXEL } from './convert.ts';
import type { ImageShape } from './decoded-image.ts';
import { decodeFile, probeFile } from './decoding.ts';
import type { DecodeOptions } from './format.ts';

export interface MasterToConvert {
  readonly format: ConvertibleFormat;
  /** Path, and size in bytes. */
  readonly file: string;
  readonly fileBytes: number;
  readonly options: DecodeOptions;
}

export interface DecodingLimits {
  /** Memory that decoding may need. Bytes. */
  readonly budget: number;
  /** Milliseconds until the caller needs the result. */
  readonly remainingMs: () => number;
  /** Longest time in the decoder; a constant but in tests. Milliseconds. */
  readonly decodingTime?: number;
  /** The memory that concurrent decoders share; that of the machine but in tests. */
  readonly memory?: Reservations;
}

/**
 * Decodes one master, in processes that are ended when a limit is reached. Throws
 * RejectedImageError, OVER_BUDGET where decoding needs more memory than `budget` or more time than
 * `decodingTime`, and DeadlineExceededError when the caller's time is over before.
 */
export class FileConversion {
  readonly #master: MasterToConvert;
  readonly #limits: DecodingLimits;
  /** Time left in the decoder. Milliseconds. */
  #left: number;

  constructor(master: MasterToConvert, limits: DecodingLimits) {
    this.#master = master;
    this.#limits = limits;
    this.#left = limits.decodingTime ?? DECODING_TIME;
  }

  /** The size and the samples that the master decodes to. Call `assertReadable` before. */
  async probe(): Promise<ImageShape> {
    const { format, fileBytes } = this.#master;
    const { total } = memoryNeed(format, ONE_PIXEL, fileBytes);
    return withMemory(total, () => this.#timed((limit) => probeFile(this.#master, limit)), this.#limits.memory);
  }

  /** Decodes the master of this shape and writes it as a tiled TIFF to `target`. */
  async writeTiff(shape: ImageShape, target: string): Promise<void> {
    const { format, fileBytes, options } = this.#master;
    const { heap, total } = memoryNeed(format, shape, fileBytes);
    const decodeWithin = (heap: number, total: number): Promise<void> => {
      const master = { ...this.#master, options: { ...options, heap } };
      const work = (): Promise<void> => this.#timed((limit) => decodeFile({ ...master, target }, limit));
      return withMemory(total, work, this.#limits.memory);
    };
    try {
      await decodeWithin(heap, total);
    } catch (error) {
      // The estimate is exceeded by files that hold more than their header states.
      const mayHelp = error instanceof RejectedImageError && error.code === 'OVER_BUDGET' && heap > 0 && this.#left > 0;
      const more = total - heap + LARGEST_HEAP;
      if (!mayHelp || more > this.#limits.budget) throw error;
      await decodeWithin(LARGEST_HEAP, more);
    }
  }

  async #timed<Result>(run: (limitMs: number) => Promise<Result>): Promise<Result> {
    const callers = this.#limits.remainingMs();
    const limit = Math.max(1, Math.min(this.#left, callers));
    const start = performance.now();
    try {
      return await run(limit);
    } catch (error) {
      if (!(error instanceof TimeLimitError)) throw error;
      if (callers < this.#left) throw new DeadlineExceededError(error.message, { cause: error });
      this.#left = 0;
      throw this.#tooSlow(error);
    } finally {
      this.#left = Math.max(0, this.#left - (performance.now() - start));
    }
  }

  #tooSlow(cause: TimeLimitError): RejectedImageError {
    const seconds = (this.#limits.decodingTime ?? DECODING_TIME) / 1000;
    const detail = `decoding this ${this.#master.format.toUpperCase()} takes more than ${seconds} s`;
    return new RejectedImageError('OVER_BUDGET', detail, { cause });
  }
}

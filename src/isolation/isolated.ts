/**
 * Functions that run in a process of their own, because they may not end, need too much memory,
 * crash, or share state with others: third-party decoders.
 */
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { ProcessEndedError, RejectedImageError } from '../errors.ts';
import { IsolatedProcess } from './isolated-process.ts';
import { KEPT_RSS, type Request } from './protocol.ts';
import { Reservations } from './reservations.ts';
import { offer } from './serve.ts';

/** Calls the function in an isolated process. Throws its errors and those of `Processes.call`. */
export type Isolated<Input, Output> = (input: Input, limitMs: number) => Promise<Output>;

/**
 * Makes a function that runs in an isolated process: call this at the top level of a module.
 * `program` returns the file that the process is started from, which imports that module; the
 * bundle of a Lambda function contains the module and is started itself. Input and output must be
 * values that can be cloned.
 */
export function isolated<Input, Output>(
  name: string,
  program: () => URL,
  work: (input: Input) => Promise<Output>,
): Isolated<Input, Output> {
  offer(name, work as (input: unknown) => Promise<unknown>);
  return async (input, limitMs) => {
    const entry = moduleUrl() === undefined ? __filename : fileURLToPath(program());
    return (await processesOf(entry).call({ name, input }, limitMs)) as Output;
  };
}

/** Absent in the bundle of a Lambda function. */
function moduleUrl(): string | undefined {
  return import.meta.url;
}

const processes = new Map<string, Processes>();

function processesOf(entry: string): Processes {
  const known = processes.get(entry) ?? new Processes(entry);
  processes.set(entry, known);
  return known;
}

/** Time after which an idle process is ended. Milliseconds. */
const IDLE_MS = 5_000;
/** Signals by which a process ends because of a fault in its code. */
const faults: ReadonlySet<string> = new Set(['SIGSEGV', 'SIGBUS', 'SIGABRT', 'SIGILL', 'SIGFPE', 'SIGTRAP']);

/** The processes of one entry: as many as there are cores, each with one call at a time. */
class Processes {
  readonly #entry: string;
  readonly #running = new Reservations(availableParallelism());
  readonly #idle: { readonly process: IsolatedProcess; readonly timer: NodeJS.Timeout }[] = [];

  constructor(entry: string) {
    this.#entry = entry;
  }

  /**
   * Throws TimeLimitError when the call takes longer than `limitMs`, not counting the time for
   * which it waits, and RejectedImageError when the process crashes twice: OVER_BUDGET when its
   * JavaScript heap was full, else CORRUPT_PIXELS. Throws ProcessEndedError when something else
   * killed it.
   */
  async call(request: Request, limitMs: number): Promise<unknown> {
    const release = await this.#running.take(1);
    try {
      return await this.#callOnce(request, limitMs).catch(async (error: unknown) => {
        if (!isFault(error)) throw error;
        return this.#callOnce(request, limitMs);
      });
    } catch (error) {
      throw isFault(error) ? crashed(error) : error;
    } finally {
      release();
    }
  }

  async #callOnce(request: Request, limitMs: number): Promise<unknown> {
    const process = this.#take();
    try {
      return await process.call(request, limitMs);
    } finally {
      this.#keep(process);
    }
  }

  #take(): IsolatedProcess {
    for (let idle = this.#idle.pop(); idle; idle = this.#idle.pop()) {
      clearTimeout(idle.timer);
      if (!idle.process.ended) return idle.process;
    }
    return new IsolatedProcess(this.#entry);
  }

  #keep(process: IsolatedProcess): void {
    if (process.ended) return;
    if (process.rss > KEPT_RSS) {
      process.kill();
      return;
    }
    const timer = setTimeout(() => {
      process.kill();
    }, IDLE_MS);
    this.#idle.push({ process, timer: timer.unref() });
  }
}

function isFault(error: unknown): error is ProcessEndedError {
  return error instanceof ProcessEndedError && error.signal !== null && faults.has(error.signal);
}

function crashed(error: ProcessEndedError): RejectedImageError {
  return error.output.includes('heap out of memory')
    ? new RejectedImageError('OVER_BUDGET', 'its decoder needs more memory than it has', { cause: error })
    : new RejectedImageError('CORRUPT_PIXELS', 'its decoder crashed', { cause: error });
}

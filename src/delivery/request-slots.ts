import { RefusedRequestError } from './refused.ts';

interface Waiting {
  readonly begin: () => void;
}

/**
 * Runs a limited number of tasks at the same time; a limited number wait, in the order of their
 * arrival.
 */
export class RequestSlots {
  readonly #limit: number;
  readonly #queue: number;
  readonly #waiting = new Set<Waiting>();
  #running = 0;

  constructor(limit: number, queue: number) {
    this.#limit = limit;
    this.#queue = queue;
  }

  /**
   * Runs the task when it is its turn. Throws RefusedRequestError(503) when too many wait, and the
   * reason of the signal when that is aborted before the task has begun.
   */
  async run<Result>(task: () => Promise<Result>, signal: AbortSignal): Promise<Result> {
    signal.throwIfAborted();
    if (this.#running >= this.#limit) await this.#turn(signal);
    else this.#running += 1;
    try {
      return await task();
    } finally {
      this.#end();
    }
  }

  #turn(signal: AbortSignal): Promise<void> {
    if (this.#waiting.size >= this.#queue) {
      throw new RefusedRequestError(503, `The server is busy: ${this.#queue} requests are waiting; try again.`);
    }
    return new Promise((resolve, reject) => {
      const leave = (): void => {
        this.#waiting.delete(waiting);
        reject(signal.reason as Error);
      };
      const waiting = {
        begin: () => {
          signal.removeEventListener('abort', leave);
          resolve();
        },
      };
      this.#waiting.add(waiting);
      signal.addEventListener('abort', leave, { once: true });
    });
  }

  /** Passes the slot on to the request that has waited longest. */
  #end(): void {
    const [next] = this.#waiting;
    if (!next) {
      this.#running -= 1;
      return;
    }
    this.#waiting.delete(next);
    next.begin();
  }
}

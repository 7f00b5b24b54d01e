/** One child process that calls isolated functions, one call at a time. */
import { type ChildProcess, fork } from 'node:child_process';
import { ProcessEndedError } from '../errors.ts';
import { receivedError, type Reply, type Request } from './protocol.ts';
import { ISOLATED } from './serve.ts';

/** The call took longer than its limit; the process was killed. */
export class TimeLimitError extends Error {
  override readonly name = 'TimeLimitError';
}

/** Largest size of the JavaScript heap; pixels and WebAssembly memory are outside it. MiB. */
const HEAP_MIB = 512;
/** Characters of standard error that are kept. */
const KEPT_OUTPUT = 2_000;

interface Pending {
  readonly resolve: (reply: Reply) => void;
  readonly reject: (error: Error) => void;
}

export class IsolatedProcess {
  readonly #child: ChildProcess;
  #pending: Pending | undefined;
  #output = '';
  #rss = 0;
  #ended = false;

  /** Starts `entry`, a file that offers its functions when it is started with `ISOLATED`. */
  constructor(entry: string) {
    this.#child = fork(entry, [ISOLATED, String(process.pid)], {
      serialization: 'advanced',
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
      execArgv: [`--max-old-space-size=${HEAP_MIB}`, '--expose-gc'],
    });
    this.#child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.#output = (this.#output + text).slice(-KEPT_OUTPUT);
    });
    this.#child.on('message', (reply: Reply) => {
      this.#pending?.resolve(reply);
    });
    this.#child.on('error', (error) => {
      this.#end(error);
    });
    // After 'exit', when standard error has been read.
    this.#child.on('close', (code, signal) => {
      this.#end(new ProcessEndedError(code, signal, this.#output.trim()));
    });
    this.#hold(false);
  }

  /** Resident memory after the last call. Bytes. */
  get rss(): number {
    return this.#rss;
  }

  get ended(): boolean {
    return this.#ended;
  }

  /**
   * Calls a function of the process. Throws its error, TimeLimitError after `limitMs`, or
   * ProcessEndedError.
   */
  async call(request: Request, limitMs: number): Promise<unknown> {
    const { promise, resolve, reject } = Promise.withResolvers<Reply>();
    this.#pending = { resolve, reject };
    const timer = setTimeout(() => {
      this.kill();
      reject(new TimeLimitError(`Expected ${request.name} to end within ${limitMs} ms`));
    }, limitMs);
    this.#hold(true);
    try {
      // Errors of sending are reported by 'error' or 'close'.
      if (!this.#ended) this.#child.send(request, () => undefined);
      const reply = await promise;
      this.#rss = reply.rss;
      if ('error' in reply) throw receivedError(reply.error);
      return reply.result;
    } finally {
      clearTimeout(timer);
      this.#pending = undefined;
      this.#hold(false);
    }
  }

  kill(): void {
    this.#ended = true;
    this.#child.kill('SIGKILL');
  }

  #end(error: Error): void {
    this.#ended = true;
    this.#pending?.reject(error);
  }

  /** Whether this process waits for the other one. An idle one does not keep it running. */
  #hold(isHeld: boolean): void {
    const { channel, stderr } = this.#child;
    const handles = [this.#child, channel, stderr as unknown as { ref(): void; unref(): void } | null];
    for (const handle of handles) {
      if (isHeld) handle?.ref();
      else handle?.unref();
    }
  }
}

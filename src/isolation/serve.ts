/** The side of the isolated process: answers calls, one at a time. */
import { Worker } from 'node:worker_threads';
import { KEPT_RSS, type Reply, type Request, sentError } from './protocol.ts';

/** First argument of a program that is started as an isolated process; its parent's id follows. */
export const ISOLATED = '--isolated';

type Work = (input: unknown) => Promise<unknown>;

const offered = new Map<string, Work>();

/**
 * Offers a function to the parent, if this process is an isolated one. All modules have offered
 * their functions before the first message is read.
 */
export function offer(name: string, work: Work): void {
  if (process.argv[2] !== ISOLATED || process.send === undefined) return;
  if (offered.size === 0) serve();
  offered.set(name, work);
}

function serve(): void {
  endWithParent(Number(process.argv[3]));
  process.on('disconnect', () => process.exit());
  // Ctrl-C reaches every process of a terminal. The parent decides when this one ends.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => undefined);
  process.on('message', (request: Request) => {
    void answer(request).then((reply) => process.send?.(reply));
  });
}

async function answer({ name, input }: Request): Promise<Reply> {
  try {
    const work = offered.get(name);
    if (!work) throw new Error(`Expected one of ${[...offered.keys()].join(', ')} but received ${name}`);
    const result = await work(input);
    return { result, rss: keptMemory() };
  } catch (thrown) {
    return { error: sentError(thrown), rss: keptMemory() };
  }
}

/**
 * Resident memory; where it would end this process, without what the call no longer uses: pixels,
 * and memory of WebAssembly.
 */
function keptMemory(): number {
  const rss = process.memoryUsage.rss();
  if (rss <= KEPT_RSS || globalThis.gc === undefined) return rss;
  // The first collection leaves memory that the call held when it returned.
  globalThis.gc();
  globalThis.gc();
  return process.memoryUsage.rss();
}

/** Interval at which the watching thread looks for the parent. Milliseconds. */
const WATCH_MS = 250;

/**
 * Ends this process when its parent has ended, even while a decoder occupies the main thread, which
 * then does not learn that the channel is closed. The thread is CommonJS text, so that it needs no
 * file.
 */
function endWithParent(parent: number): void {
  const program = `
    const { workerData: { parent, interval } } = require('node:worker_threads');
    setInterval(() => {
      if (process.ppid !== parent) process.kill(process.pid, 'SIGKILL');
    }, interval);
  `;
  const watch = new Worker(program, { eval: true, workerData: { parent, interval: WATCH_MS }, execArgv: [] });
  watch.unref();
}

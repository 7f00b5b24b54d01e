/** Incremental digests, on the calling thread or on a thread of their own. */
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';

export interface Hasher {
  /** Adds a piece. Resolves with memory of the same size that the caller may use again. */
  update(piece: Uint8Array): Promise<Uint8Array>;
  /** Digests in hex, in the order of the algorithms. No piece can be added afterwards. */
  digest(): Promise<string[]>;
  close(): Promise<void>;
}

export function directHasher(algorithms: readonly string[]): Hasher {
  const hashes = algorithms.map((algorithm) => createHash(algorithm));
  return {
    update(piece) {
      for (const hash of hashes) hash.update(piece);
      return Promise.resolve(piece);
    },
    digest: () => Promise.resolve(hashes.map((hash) => hash.digest('hex'))),
    close: () => Promise.resolve(),
  };
}

/**
 * CommonJS text and not a file, so that the bundles of functions contain it. A message is the
 * memory of a piece and its length, or null for the end; the answer is the memory, or the digests.
 */
const program = `
const { createHash } = require('node:crypto');
const { parentPort, workerData } = require('node:worker_threads');
const hashes = workerData.map((algorithm) => createHash(algorithm));
parentPort.on('message', (message) => {
  if (message === null) {
    parentPort.postMessage(hashes.map((hash) => hash.digest('hex')));
    return;
  }
  for (const hash of hashes) hash.update(new Uint8Array(message.memory, 0, message.length));
  parentPort.postMessage(message.memory, [message.memory]);
});
`;

/**
 * Hashes on a worker thread, so that the main thread, which decodes, halves and encodes meanwhile,
 * does not wait: SHA-256 takes 0.8 s a gigabyte. Pieces must begin at the start of their memory,
 * which moves to the thread and back without being copied. Starting the thread takes about 30 ms.
 */
export function threadHasher(algorithms: readonly string[]): Hasher {
  const worker = new Worker(program, { eval: true, workerData: algorithms, execArgv: [] });
  const ask = async (message: unknown, transfer: readonly ArrayBuffer[]): Promise<unknown> => {
    worker.postMessage(message, transfer);
    // An error of the thread rejects here.
    const [answer] = (await once(worker, 'message')) as [unknown];
    return answer;
  };
  return {
    async update({ buffer, length }) {
      const memory = await ask({ memory: buffer, length }, [buffer as ArrayBuffer]);
      return new Uint8Array(memory as ArrayBuffer);
    },
    digest: async () => (await ask(null, [])) as string[],
    async close() {
      await worker.terminate();
    },
  };
}

import { parentPort, workerData } from 'node:worker_threads';
import { paintSampleRows } from './sample-pixels.ts';

/** Worker thread: computes a range of rows of the sample image in shared memory. */
const { memory, from, to } = workerData as { memory: SharedArrayBuffer; from: number; to: number };
paintSampleRows(new Uint8Array(memory), from, to);
parentPort?.postMessage('painted');

import { parentPort, workerData } from 'node:worker_threads';
import { paintSampleRows } from './sample-pixels.ts';

/** Paints the rows it was given into shared memory, then says so. */
const { memory, from, to } = workerData as { memory: SharedArrayBuffer; from: number; to: number };
paintSampleRows(new Uint8Array(memory), from, to);
parentPort?.postMessage('painted');

import { once } from 'node:events';
import { mkdir, rename, stat } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { Worker } from 'node:worker_threads';
import { writeTiff } from '../imaging/write-tiff.ts';
import { SAMPLE_HEIGHT, SAMPLE_WIDTH } from './sample-pixels.ts';

/** Rows per worker. */
const ROWS = 200;

/**
 * Creates the sample image unless the file exists: 61 megapixels, RGB, uncompressed strips. Returns
 * its path. The file is unfinished in `temporaryFolder`. `onProgress` receives fractions from 0 to
 * 1.
 */
export async function makeSample(
  directory: string,
  temporaryFolder: string,
  onProgress: (fraction: number) => void,
): Promise<string> {
  const file = path.join(directory, `julia-${SAMPLE_WIDTH}x${SAMPLE_HEIGHT}.tif`);
  if (await stat(file).catch(() => undefined)) return file;
  const memory = new SharedArrayBuffer(SAMPLE_WIDTH * SAMPLE_HEIGHT * 3);
  await computePixels(memory, onProgress);
  await mkdir(directory, { recursive: true });
  const unfinished = path.join(temporaryFolder, `sample-${process.pid}.tif`);
  await writeTiff(unfinished, { width: SAMPLE_WIDTH, height: SAMPLE_HEIGHT, bands: 3, data: new Uint8Array(memory) });
  await rename(unfinished, file);
  return file;
}

async function computePixels(memory: SharedArrayBuffer, onProgress: (fraction: number) => void): Promise<void> {
  const half = SAMPLE_HEIGHT / 2;
  let next = 0;
  let painted = 0;
  const painter = async (): Promise<void> => {
    while (next < half) {
      const from = next;
      const to = Math.min(half, from + ROWS);
      next = to;
      const worker = new Worker(new URL('./sample-worker.ts', import.meta.url), { workerData: { memory, from, to } });
      await once(worker, 'message');
      painted += to - from;
      onProgress(painted / half);
    }
  };
  await Promise.all(Array.from({ length: os.availableParallelism() }, painter));
}

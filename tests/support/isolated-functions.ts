/** Functions for the tests of isolated processes, and the program that offers them. */
import { writeFileSync } from 'node:fs';
import { RejectedImageError } from '../../src/errors.ts';
import { isolated } from '../../src/isolation/isolated.ts';

const program = (): URL => new URL('./isolated-functions.ts', import.meta.url);

export const identify = isolated('identify', program, (value: unknown) => Promise.resolve({ value, pid: process.pid }));

export const wait = isolated('wait', program, async (ms: number) => {
  await new Promise((resolve) => setTimeout(resolve, ms));
  return process.pid;
});

/** Occupies the thread, as a decoder does that does not end, after it has written the file. */
export const spin = isolated('spin', program, (mark: string | undefined) => {
  if (mark !== undefined) writeFileSync(mark, '');
  for (;;);
});

export const reject = isolated('reject', program, (detail: string): Promise<never> => {
  throw new RejectedImageError('CORRUPT_PIXELS', detail);
});

export const fail = isolated('fail', program, (message: string): Promise<never> => {
  throw Object.assign(new Error(message), { name: 'ToyError' });
});

export const endBy = isolated('endBy', program, (signal: NodeJS.Signals): Promise<never> => {
  process.kill(process.pid, signal);
  return new Promise(() => undefined);
});

export const exhaustHeap = isolated('exhaustHeap', program, (): Promise<never> => {
  const numbers: number[][] = [];
  for (;;) numbers.push(new Array<number>(1_000_000).fill(1.5));
});

const held: Buffer[] = [];
export const discard = isolated('discard', program, (bytes: number) => Promise.resolve(Buffer.alloc(bytes, 1).length));

export const grow = isolated('grow', program, (bytes: number) => {
  held.push(Buffer.alloc(bytes, 1));
  return Promise.resolve(bytes);
});

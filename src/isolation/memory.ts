/** The memory of the machine, shared between decoders that run at the same time. */
import { totalmem } from 'node:os';
import { DECODING_MEMORY_SHARE } from '../limits.ts';
import { Reservations } from './reservations.ts';

/** The memory that this process may use, that of its container if that has less. Bytes. */
function machineMemory(): number {
  const constrained = process.constrainedMemory();
  return constrained > 0 ? Math.min(constrained, totalmem()) : totalmem();
}

const decoding = new Reservations(machineMemory() * DECODING_MEMORY_SHARE);

/**
 * Runs `work` when `bytes` of memory are free for it: decoders that would need more than their
 * share of the machine wait for each other. One that needs more than all of it runs alone. `memory`
 * is a constant but in tests.
 */
export async function withMemory<Result>(
  bytes: number,
  work: () => Promise<Result>,
  memory: Reservations = decoding,
): Promise<Result> {
  const release = await memory.take(bytes);
  try {
    return await work();
  } finally {
    release();
  }
}

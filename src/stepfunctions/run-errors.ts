import { StateError } from './asl/state-errors.ts';

/** The error of a run whose signal was aborted. No Retry or Catch applies. */
export function runEnded(): Error {
  return new StateError('Aborted', 'The run has ended', { isTerminal: true });
}

/**
 * Resolves with `promise`, or rejects as soon as the signal is aborted; the promise is then
 * ignored.
 */
export async function untilAborted<Result>(promise: Promise<Result>, signal: AbortSignal): Promise<Result> {
  const { promise: aborted, reject } = Promise.withResolvers<never>();
  const onAbort = (): void => {
    reject(runEnded());
  };
  signal.addEventListener('abort', onAbort, { once: true });
  try {
    if (signal.aborted) onAbort();
    return await Promise.race([promise, aborted]);
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}

import { ExecutionError } from 'aws-local-stepfunctions';
import { maxPayloadBytes } from './asl.ts';
import type { Failure } from './history.ts';

/** Fails the execution whatever it catches, as States.Runtime does. The engine asks an error for these fields. */
export class UncatchableError extends Error {
  readonly isRetryable = false;
  readonly isCatchable = false;

  constructor(name: string, message: string) {
    super(message);
    this.name = name;
  }
}

/** What a state threw, from the engine's wrapping. */
export function unwrapped(error: unknown): unknown {
  return error instanceof ExecutionError ? error.cause : error;
}

/** Name and message of whatever was thrown, as an execution reports them. */
export function failureOf(error: unknown): Required<Failure> {
  if (typeof error !== 'object' || error === null) return { error: 'States.Runtime', cause: String(error) };
  const { name, message } = error as Partial<Error>;
  return { error: String(name), cause: String(message) };
}

/** Throws what AWS fails an execution with when a payload exceeds 256 KiB. */
export function checkPayload(what: string, text: string): void {
  if (Buffer.byteLength(text) <= maxPayloadBytes) return;
  throw new UncatchableError(
    'States.DataLimitExceeded',
    `Expected ${what} of at most ${maxPayloadBytes} bytes but received ${Buffer.byteLength(text)}`,
  );
}

/** What a run whose signal was aborted fails with. */
export function ended(): Error {
  return new UncatchableError('Aborted', 'The run has ended');
}

/** The engine must not wait for an invocation whose result nobody will use. */
export async function untilAborted<Result>(promise: Promise<Result>, signal: AbortSignal): Promise<Result> {
  const { promise: aborted, reject } = Promise.withResolvers<never>();
  const onAbort = (): void => {
    reject(ended());
  };
  signal.addEventListener('abort', onAbort, { once: true });
  try {
    if (signal.aborted) onAbort();
    return await Promise.race([promise, aborted]);
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}

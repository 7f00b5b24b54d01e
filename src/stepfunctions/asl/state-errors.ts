/** Errors that states fail with, and the payload quota. */

/** Error name and cause as an execution reports them. A Fail state may set neither. */
export interface Failure {
  readonly error?: string;
  readonly cause?: string;
}

/**
 * Error of the States Language itself, such as States.IntrinsicFailure; a terminal one is matched
 * by no Retry and no Catch, as AWS treats States.Runtime and States.DataLimitExceeded.
 * https://docs.aws.amazon.com/step-functions/latest/dg/concepts-error-handling.html#error-handling-error-representation
 */
export class StateError extends Error {
  readonly isTerminal: boolean;

  constructor(name: string, message: string, { isTerminal = false }: { readonly isTerminal?: boolean } = {}) {
    super(message);
    this.name = name;
    this.isTerminal = isTerminal;
  }
}

/** The error of a Fail state. */
export class FailStateError extends Error {
  override readonly name = 'FailStateError';
  readonly failure: Failure;

  constructor(failure: Failure) {
    super(failure.cause ?? '');
    this.failure = failure;
  }
}

/** States.Runtime: the state cannot process its data, and no Retry or Catch applies. */
export function runtimeError(message: string): StateError {
  return new StateError('States.Runtime', message, { isTerminal: true });
}

/** Error name and cause of a value that a state threw. */
export function failureOf(error: unknown): Failure {
  if (error instanceof FailStateError) return error.failure;
  if (typeof error !== 'object' || error === null) return { error: 'States.Runtime', cause: String(error) };
  const { name, message } = error as Partial<Error>;
  return { error: String(name), cause: String(message) };
}

/**
 * Largest input, output or result, in bytes of UTF-8.
 * https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html
 */
export const maxPayloadBytes = 262_144;

/** Throws States.DataLimitExceeded when a payload (JSON text) is larger than the quota. */
export function assertPayloadSize(what: string, text: string): void {
  // A UTF-16 code unit takes at most 3 bytes of UTF-8.
  if (3 * text.length <= maxPayloadBytes) return;
  const bytes = Buffer.byteLength(text);
  if (bytes <= maxPayloadBytes) return;
  throw new StateError(
    'States.DataLimitExceeded',
    `Expected ${what} of at most ${maxPayloadBytes} bytes but received ${bytes}`,
    { isTerminal: true },
  );
}

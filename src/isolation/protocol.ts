/** The messages between a process and its isolated processes. */
import { DeadlineExceededError, RejectedImageError, type RejectionCode } from '../errors.ts';

/** An idle process with more resident memory is ended: WebAssembly memory never shrinks. Bytes. */
export const KEPT_RSS = 256 * 2 ** 20;

/** A call of an isolated function. Structured clones of input and result travel. */
export interface Request {
  readonly name: string;
  readonly input: unknown;
}

/** The outcome of a call, and the memory that the process keeps, in bytes. */
export type Reply = { readonly rss: number } & ({ readonly result: unknown } | { readonly error: SentError });

interface SentError {
  readonly name: string;
  readonly message: string;
  readonly stack?: string | undefined;
  readonly code?: string | undefined;
}

/** What of a thrown value is sent. */
export function sentError(thrown: unknown): SentError {
  if (thrown instanceof RejectedImageError) return { name: thrown.name, code: thrown.code, message: thrown.message };
  // Errors may come from another realm, where `instanceof` fails.
  if (typeof thrown !== 'object' || thrown === null || !('message' in thrown))
    return { name: 'Error', message: String(thrown) };
  const { name, message, stack } = thrown as Error;
  return { name, message, stack };
}

/** The error as it was thrown, as far as the callers distinguish errors. */
export function receivedError({ name, message, stack, code }: SentError): Error {
  if (name === 'RejectedImageError' && code !== undefined) {
    return new RejectedImageError(code as RejectionCode, message.slice(`${code}: `.length));
  }
  if (name === 'DeadlineExceededError') return new DeadlineExceededError(message);
  return Object.assign(new Error(message), { name, ...(stack === undefined ? {} : { stack }) });
}

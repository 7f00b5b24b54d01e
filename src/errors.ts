/**
 * The errors of the steps, distinguished by `name`. Step Functions matches `error.name` and
 * minifiers rename classes, so each name is a literal. `state-machines/pyramid.asl.yml` states how
 * each of them is handled.
 */

/** The reason why an image cannot become a pyramid. Written to the ledger and shown to users. */
export type RejectionCode =
  | 'EMPTY_OBJECT'
  | 'SOURCE_GONE'
  | 'UNSUPPORTED_FORMAT'
  | 'UNSUPPORTED_PIXELS'
  | 'CORRUPT_HEADER'
  | 'CORRUPT_PIXELS'
  | 'TRUNCATED'
  | 'TOO_MANY_PIXELS'
  | 'OVER_BUDGET'
  | 'MULTI_PAGE'
  | 'CHECKSUM_MISMATCH'
  | 'TARGET_TAKEN'
  | 'KEY_TOO_LONG';

/**
 * Advice to the sender of a rejected master, for the codes whose detail gives none. Appended to the
 * detail.
 */
export const rejectionAdvice: Readonly<Partial<Record<RejectionCode, string>>> = {
  EMPTY_OBJECT: 'send the file again',
  SOURCE_GONE: 'send the file again',
  TRUNCATED: 'the file is incomplete: send the whole file again',
  CORRUPT_HEADER: 'the file is damaged: export it again from its original and send that',
  CORRUPT_PIXELS: 'the file is damaged: export it again from its original and send that',
  MULTI_PAGE: 'send each picture as a separate file',
  TOO_MANY_PIXELS: 'cut the image into parts and send each as a separate file',
  OVER_BUDGET: 'send it as a tiled TIFF, which is read in parts and may be larger',
};

/** The master cannot be processed. Recorded in the image's ledger entry, never retried. */
export class RejectedImageError extends Error {
  override readonly name = 'RejectedImageError';
  readonly code: RejectionCode;

  constructor(code: RejectionCode, detail: string, options?: ErrorOptions) {
    super(`${code}: ${detail}`, options);
    this.code = code;
  }
}

/**
 * The source was replaced after the execution was started, or a newer upload owns its key. Never
 * retried.
 */
export class SourceChangedError extends Error {
  override readonly name = 'SourceChangedError';
}

/**
 * A storage, ledger or engine call was throttled, timed out or failed on the service's side.
 * Retried with back-off.
 */
export class ServiceUnavailableError extends Error {
  override readonly name = 'ServiceUnavailableError';
}

/** The function reached its deadline before it had finished. Retried once. */
export class DeadlineExceededError extends Error {
  override readonly name = 'DeadlineExceededError';
}

/**
 * A process that decodes was ended from outside, probably for want of memory. Retried once.
 */
export class ProcessEndedError extends Error {
  override readonly name = 'ProcessEndedError';
  readonly signal: NodeJS.Signals | null;
  /** The end of what the process wrote to its standard error. */
  readonly output: string;

  constructor(code: number | null, signal: NodeJS.Signals | null, output: string) {
    super(`A decoding process ended with ${signal ?? `exit code ${code}`}${output === '' ? '' : `: ${output}`}`);
    this.signal = signal;
    this.output = output;
  }
}

/**
 * Objects in the work area are missing or inconsistent. Fails the execution, which can be redriven.
 */
export class InconsistentWorkError extends Error {
  override readonly name = 'InconsistentWorkError';
}

/**
 * The object store has no object of this key, or not in this version. Steps translate it. Never
 * retried.
 */
export class ObjectNotFoundError extends Error {
  override readonly name = 'ObjectNotFoundError';
}

/**
 * The ETag of an object differs from that of a conditional read or write. Steps translate it. Never
 * retried.
 */
export class PreconditionFailedError extends Error {
  override readonly name = 'PreconditionFailedError';
}

/**
 * The object store ignores conditions of requests, on which the pipeline relies. Fails the
 * execution.
 */
export class UnsuitableStoreError extends Error {
  override readonly name = 'UnsuitableStoreError';
}

/**
 * A malformed TIFF. Thrown by `src/tiff`; steps translate it into RejectedImageError or
 * InconsistentWorkError.
 */
export class MalformedTiffError extends Error {
  override readonly name = 'MalformedTiffError';
  /** An offset lies past the end of the file, which was probably truncated. */
  readonly cutShort: boolean;

  constructor(message: string, options?: ErrorOptions & { cutShort?: boolean }) {
    super(message, options);
    this.cutShort = options?.cutShort ?? false;
  }
}

/**
 * An argument, a setting or a file given by the user is invalid; the message says how to correct
 * it.
 */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

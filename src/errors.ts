/**
 * Every way a step can fail, told apart by `name`. Step Functions matches `error.name` and minifiers rename classes, so
 * each name is a literal. `state-machines/pyramid.asl.yml` says what happens to each of them.
 */

/** Why an image can never become a pyramid. Written to the ledger and shown to people. */
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

/** What people can do about a rejection, where its own words do not say. */
export const whatToDo: Readonly<Partial<Record<RejectionCode, string>>> = {
  EMPTY_OBJECT: 'send it again',
  SOURCE_GONE: 'send it again',
  TRUNCATED: 'send it again, all of it',
  CORRUPT_HEADER: 'it is damaged: export it from its original again',
  CORRUPT_PIXELS: 'it is damaged: export it from its original again',
  MULTI_PAGE: 'send each picture as a file of its own',
  TOO_MANY_PIXELS: 'cut it into parts and send those',
  OVER_BUDGET: 'send it as a TIFF in tiles, which is read by region and may be larger',
};

/** The input can never succeed: recorded against the image, never retried. */
export class RejectedImageError extends Error {
  override readonly name = 'RejectedImageError';
  readonly code: RejectionCode;

  constructor(code: RejectionCode, detail: string, options?: ErrorOptions) {
    super(`${code}: ${detail}`, options);
    this.code = code;
  }
}

/** The source is no longer the object this execution was started for, or a newer upload owns its key. Never retried. */
export class SourceChangedError extends Error {
  override readonly name = 'SourceChangedError';
}

/** A storage, ledger or engine call was throttled, timed out or failed on the service's side. Retried with back-off. */
export class ServiceUnavailableError extends Error {
  override readonly name = 'ServiceUnavailableError';
}

/** The function's own deadline came before its work was done. Retried once. */
export class DeadlineExceededError extends Error {
  override readonly name = 'DeadlineExceededError';
}

/** Objects in the work area are missing or contradict each other. Fails the execution, which stays redrivable. */
export class InconsistentWorkError extends Error {
  override readonly name = 'InconsistentWorkError';
}

/** The object store has no object under this key (or not this version of it). Steps translate it; it is never retried. */
export class ObjectNotFoundError extends Error {
  override readonly name = 'ObjectNotFoundError';
}

/** A conditional read or write met another ETag than it expected. Steps translate it; it is never retried. */
export class PreconditionFailedError extends Error {
  override readonly name = 'PreconditionFailedError';
}

/** Bytes that do not follow their format. Thrown by `src/tiff`; steps translate it into a rejection or an inconsistency. */
export class MalformedTiffError extends Error {
  override readonly name = 'MalformedTiffError';
  /** What is missing lies past the end of the file: it was probably cut short. */
  readonly cutShort: boolean;

  constructor(message: string, options?: ErrorOptions & { cutShort?: boolean }) {
    super(message, options);
    this.cutShort = options?.cutShort ?? false;
  }
}

/** Something a person typed or wrote in a file is wrong; the message says what to do about it. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

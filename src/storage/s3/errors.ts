/** Translation of S3 errors into those of the ObjectStore port. */
import { ObjectNotFoundError, PreconditionFailedError, ServiceUnavailableError } from '../../errors.ts';
import { isServiceUnavailable } from '../../service-errors.ts';

/** https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html */
const NOT_FOUND = new Set(['NoSuchKey', 'NotFound', 'NoSuchVersion']);
const PRECONDITION_FAILED = new Set(['PreconditionFailed', 'ConditionalRequestConflict']);

/**
 * Awaits a call and translates its error; `name` is the object. An abort rejects with its reason.
 */
export async function fromS3<Result>(call: Promise<Result>, name: string, signal?: AbortSignal): Promise<Result> {
  try {
    return await call;
  } catch (error) {
    if (signal?.aborted) throw signal.reason;
    throw translateS3Error(error, name);
  }
}

/**
 * The error of the ObjectStore port that corresponds to an error of S3; other errors are returned
 * unchanged.
 */
export function translateS3Error(error: unknown, name: string): unknown {
  if (!isErrorOfS3(error)) return error;
  const status = httpStatusOf(error);
  const detail = `received ${error.name}${status === undefined ? '' : ` (${status})`}: ${error.message}`;
  if (error.name === 'NoSuchBucket') {
    return new Error(`Expected a bucket for ${name} but ${detail}`, { cause: error });
  }
  if (PRECONDITION_FAILED.has(error.name) || status === 412) {
    return new PreconditionFailedError(`Expected the requested ETag for ${name} but ${detail}`, { cause: error });
  }
  if (isServiceUnavailable(error)) {
    return new ServiceUnavailableError(`Expected a response for ${name} but ${detail}`, { cause: error });
  }
  if (NOT_FOUND.has(error.name) || status === 404 || isDeleteMarker(error, status)) {
    return new ObjectNotFoundError(`Expected an object for ${name} but ${detail}`, { cause: error });
  }
  return error;
}

/** True for the errors with which S3 refuses a range outside the object. */
export function isOutOfRange(error: unknown): error is Error {
  if (!isErrorOfS3(error)) return false;
  return error.name === 'InvalidRange' || (error.name === 'InvalidArgument' && /range/i.test(error.message));
}

/**
 * `instanceof` does not know the errors of another realm, as those of Node are to code that runs in
 * a vm context.
 */
export function isErrorOfS3(error: unknown): error is Error {
  return typeof error === 'object' && error !== null && 'name' in error && 'message' in error;
}

/** S3 answers 405 to reading a version that is a delete marker, which has no object. */
function isDeleteMarker(error: Error, status: number | undefined): boolean {
  return error.name === 'MethodNotAllowed' || status === 405;
}

/** HTTP status of the answer of S3; undefined if there was none. */
export function httpStatusOf(error: Error): number | undefined {
  const metadata = '$metadata' in error ? error.$metadata : undefined;
  if (typeof metadata !== 'object' || metadata === null || !('httpStatusCode' in metadata)) return undefined;
  return typeof metadata.httpStatusCode === 'number' ? metadata.httpStatusCode : undefined;
}

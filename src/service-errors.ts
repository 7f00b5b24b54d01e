/** Classification of AWS SDK errors as retryable or not. */
import { isServerError, isThrottlingError, isTransientError } from '@smithy/core/retry';
import { ServiceUnavailableError } from './errors.ts';

/** Names of retryable errors that the SDK does not classify as such, or only by their status. */
const RETRYABLE_NAMES = new Set([
  // S3 (https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html)
  'BadDigest', // 400: the bytes changed in transit
  'IncompleteBody', // 400: the connection ended before the body did
  'InternalError', // also in the body of a 200 response to CopyObject or CompleteMultipartUpload
  // 404: completed by an attempt whose response was lost, or aborted by a lifecycle rule
  'NoSuchUpload',
  'OperationAborted', // 409: a conflicting operation was in progress
  'ServiceUnavailable', // as InternalError
  // Step Functions: 400, the quota of open executions
  'ExecutionLimitExceeded',
]);

/** Node.js codes of connection errors that the SDK does not classify. */
const CONNECTION_CODES = new Set(['ECONNABORTED', 'ERR_STREAM_PREMATURE_CLOSE']);

/** Messages of connection errors, whose codes the SDK and its streams do not always keep. */
const CONNECTION_MESSAGE =
  /socket hang up|^aborted$|premature close|^checksum mismatch|\b(?:EAI_AGAIN|ECONNABORTED|ECONNREFUSED|ECONNRESET|EHOSTUNREACH|ENETUNREACH|EPIPE|ETIMEDOUT)\b/iu;

/** An error of the SDK: `$metadata.attempts` is set once the request was sent. */
type SdkError = Parameters<typeof isTransientError>[0] & { readonly code?: unknown };

/**
 * Makes one SDK call. Throws ServiceUnavailableError for retryable errors and all others unchanged.
 */
export async function callService<Answer>(service: string, call: () => Promise<Answer>): Promise<Answer> {
  try {
    return await call();
  } catch (error) {
    if (!(error instanceof Error) || !isServiceUnavailable(error)) throw error;
    throw new ServiceUnavailableError(
      `Expected an answer from ${service} but received ${error.name}: ${error.message}`,
      { cause: error },
    );
  }
}

/** Throttling, server errors, timeouts and lost connections. */
export function isServiceUnavailable(thrown: Error): boolean {
  const error = thrown as SdkError;
  // Without credentials no request is sent; the connection errors of credential providers do not
  // count.
  if (error.name === 'CredentialsProviderError') return false;
  return (
    isThrottlingError(error) ||
    isTransientError(error) ||
    isServerError(error) ||
    RETRYABLE_NAMES.has(error.name) ||
    isConnectionLost(error)
  );
}

function isConnectionLost({ $metadata, code, message }: SdkError): boolean {
  if (typeof code === 'string' && CONNECTION_CODES.has(code)) return true;
  if (CONNECTION_MESSAGE.test(message)) return true;
  return $metadata?.attempts !== undefined && $metadata.httpStatusCode === undefined;
}

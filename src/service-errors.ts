/** Classification of AWS SDK errors: which of them a service may answer otherwise when it is asked again. */
import { isServerError, isThrottlingError, isTransientError } from '@smithy/core/retry';
import { ServiceUnavailableError } from './errors.ts';

/** Names that the SDK's own classification does not retry, or only by their status. */
const RETRYABLE_NAMES = new Set([
  // S3 (https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html)
  'BadDigest', // 400: the bytes changed in transit
  'IncompleteBody', // 400: the connection ended before the body did
  'InternalError', // may come in the body of a 200 answer to CopyObject and CompleteMultipartUpload
  'NoSuchUpload', // 404: completed by an attempt whose answer was lost, or aborted by a lifecycle rule
  'OperationAborted', // 409: a conflicting operation was in progress
  'ServiceUnavailable', // as InternalError
  // Step Functions: 400, the quota of open executions
  'ExecutionLimitExceeded',
]);

/** Node.js error codes of connections that were not made or did not last, besides those that the SDK classifies. */
const CONNECTION_CODES = new Set(['ECONNABORTED', 'ERR_STREAM_PREMATURE_CLOSE']);

/** The SDK and its streams wrap connection errors and keep only the message, sometimes with the code in it. */
const CONNECTION_MESSAGE =
  /socket hang up|^aborted$|premature close|^checksum mismatch|\b(?:EAI_AGAIN|ECONNABORTED|ECONNREFUSED|ECONNRESET|EHOSTUNREACH|ENETUNREACH|EPIPE|ETIMEDOUT)\b/iu;

/** An error of the SDK: `$metadata.attempts` is set once the request was sent. */
type SdkError = Parameters<typeof isTransientError>[0] & { readonly code?: unknown };

/** Runs one SDK call. Throws ServiceUnavailableError for what may succeed when it is tried again; the rest passes. */
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
  // Without credentials nothing was sent, whatever the credential providers met.
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

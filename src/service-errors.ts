/** Which errors of the AWS SDK say that a service could not answer now, and may when asked again. */
import { ServiceUnavailableError } from './errors.ts';

/** Throttles answer with status 400, so only their names tell them from a wrong request. */
const throttles = new Set([
  'ExecutionLimitExceeded',
  'LimitExceededException',
  'ProvisionedThroughputExceededException',
  'RequestLimitExceeded',
  'SlowDown',
  'ThrottledException',
  'Throttling',
  'ThrottlingException',
  'TooManyRequestsException',
]);

/** Runs one SDK call. Throttles, 5xx, timeouts and lost connections become ServiceUnavailableError; the rest passes. */
export async function callService<Answer>(service: string, call: () => Promise<Answer>): Promise<Answer> {
  try {
    return await call();
  } catch (error) {
    if (!(error instanceof Error) || !isServiceTrouble(error)) throw error;
    throw new ServiceUnavailableError(
      `Expected an answer from ${service} but received ${error.name}: ${error.message}`,
      { cause: error },
    );
  }
}

/** What the SDK puts on errors. `attempts` is there once the request was sent. */
interface SdkError extends Error {
  readonly $metadata?: { readonly httpStatusCode?: number; readonly attempts?: number };
}

function isServiceTrouble({ name, $metadata }: SdkError): boolean {
  const status = $metadata?.httpStatusCode;
  if (status !== undefined) return status >= 500 || status === 429 || throttles.has(name);
  // Sent and never answered: refused, reset, timed out, not resolved. Without credentials nothing was sent.
  return $metadata?.attempts !== undefined && name !== 'CredentialsProviderError';
}

import { describe, expect, test } from '@jest/globals';
import { callService, isServiceUnavailable } from '../src/service-errors.ts';

function sdkError(fields: {
  name?: string;
  status?: number;
  attempts?: number;
  code?: string;
  message?: string;
}): Error {
  const { name = 'Error', status, attempts, code, message = 'refused' } = fields;
  const $metadata = { ...(status ? { httpStatusCode: status } : {}), ...(attempts ? { attempts } : {}) };
  return Object.assign(new Error(message), { name, $metadata, ...(code ? { code } : {}) });
}

describe('an error is retried', () => {
  test.each([
    ...['ProvisionedThroughputExceededException', 'RequestLimitExceeded', 'LimitExceededException'],
    ...['ThrottlingException', 'ThrottledException', 'Throttling', 'TooManyRequestsException', 'SlowDown'],
    ...['ExecutionLimitExceeded', 'RequestTimeout', 'BadDigest', 'IncompleteBody'],
  ])('when its name is %s, although its status is 400', (name) => {
    expect(isServiceUnavailable(sdkError({ name, status: 400, attempts: 3 }))).toBe(true);
  });

  test.each([429, 500, 501, 502, 503, 504, 507])('when its status is %i', (status) => {
    expect(isServiceUnavailable(sdkError({ status, attempts: 1 }))).toBe(true);
  });

  test.each([
    ...['ECONNRESET', 'ECONNREFUSED', 'ECONNABORTED', 'EPIPE', 'ETIMEDOUT', 'EHOSTUNREACH', 'ENETUNREACH', 'EAI_AGAIN'],
    'ERR_STREAM_PREMATURE_CLOSE',
  ])('when the connection ended with %s', (code) => {
    expect(isServiceUnavailable(sdkError({ code }))).toBe(true);
  });

  test.each(['socket hang up', 'aborted', 'Premature close', 'Checksum mismatch: expected "a"', 'read ECONNRESET'])(
    'when only its message says that the connection was lost: %s',
    (message) => {
      expect(isServiceUnavailable(sdkError({ message }))).toBe(true);
    },
  );

  test.each(['InternalError', 'ServiceUnavailable'])('when S3 answers 200 with the error %s in its body', (name) => {
    expect(isServiceUnavailable(sdkError({ name, status: 200 }))).toBe(true);
  });

  test.each([
    ['NoSuchUpload', 404],
    ['OperationAborted', 409],
  ])('when S3 answers %s', (name, status) => {
    expect(isServiceUnavailable(sdkError({ name, status }))).toBe(true);
  });

  test('when the request was sent and never answered', () => {
    expect(isServiceUnavailable(sdkError({ attempts: 3 }))).toBe(true);
  });
});

test.each([
  ['a refusal', sdkError({ name: 'AccessDenied', status: 403, attempts: 1 })],
  ['a failed condition', sdkError({ name: 'ConditionalCheckFailedException', status: 400, attempts: 1 })],
  ['a missing object', sdkError({ name: 'NoSuchKey', status: 404, attempts: 1 })],
  ['missing credentials', sdkError({ name: 'CredentialsProviderError', attempts: 1, code: 'ECONNREFUSED' })],
  ['a defect that no request was made for', new TypeError('Expected a string')],
])('%s is not retried', (_, error) => {
  expect(isServiceUnavailable(error)).toBe(false);
});

test('callService names the service and keeps the cause', async () => {
  const cause = sdkError({ name: 'ThrottlingException', status: 400 });
  await expect(callService('DynamoDB', () => Promise.reject(cause))).rejects.toMatchObject({
    name: 'ServiceUnavailableError',
    message: 'Expected an answer from DynamoDB but received ThrottlingException: refused',
    cause,
  });
});

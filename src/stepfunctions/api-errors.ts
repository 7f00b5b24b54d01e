/** The errors of the Step Functions API that the embedded engine answers with. */
export type ApiErrorType =
  | 'AccessDeniedException'
  | 'ExecutionAlreadyExists'
  | 'ExecutionDoesNotExist'
  | 'ExecutionNotRedrivable'
  | 'InvalidArn'
  | 'InvalidExecutionInput'
  | 'InvalidName'
  | 'InvalidToken'
  | 'ServiceUnavailable'
  | 'StateMachineDoesNotExist'
  | 'UnsupportedOperation'
  | 'ValidationException';

/** A request that the API refuses; the SDK makes an exception class of `type`. */
export class ApiError extends Error {
  override readonly name = 'ApiError';
  readonly type: ApiErrorType;

  constructor(type: ApiErrorType, message: string) {
    super(message);
    this.type = type;
  }
}

/** The port to the functions that tasks call. */

export interface InvokeOptions {
  /** Milliseconds from the beginning of the invocation. The function's own timeout also applies. */
  readonly timeoutMs?: number;
  /** If it is aborted while the invocation is queued, the invocation does not begin. */
  readonly signal?: AbortSignal;
  /** Called when the invocation begins. */
  readonly onStart?: () => void;
}

/** Runs functions. */
export interface FunctionHost {
  /**
   * Resolves with the function's result as JSON. Rejects as Step Functions reports it: `name` is
   * the error type and `message` the JSON cause; `States.Timeout` if `timeoutMs` expired first.
   */
  invoke(functionKey: string, event: unknown, options?: InvokeOptions): Promise<unknown>;
}

/**
 * Finds the key of a function by the names that a definition may give it; undefined when there is
 * none.
 */
export interface FunctionResolver {
  /** By CloudFormation logical id. */
  byLogicalId(id: string): string | undefined;
  /** By the name in a Lambda ARN. */
  byName(name: string): string | undefined;
}

/** What the engine needs of the functions that its tasks call. */

export interface InvokeOptions {
  /** Milliseconds from where the invocation begins; the function's own timeout holds as well. */
  readonly timeoutMs?: number;
  /** Aborted while the invocation waits for its turn, it never begins. */
  readonly signal?: AbortSignal;
  /** Called when the invocation begins. */
  readonly onStart?: () => void;
}

/** Runs functions. */
export interface FunctionHost {
  /**
   * Resolves with the function's result as JSON. Rejects as Step Functions reports it: `name` is
   * the error type and `message` the JSON cause; `States.Timeout` when `timeoutMs` ran out first.
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

/**
 * The port to the engine that runs executions. `sfn.ts` is the adapter on AWS, `embedded.ts` the
 * one in process.
 */

export interface ExecutionState {
  /** RUNNING, SUCCEEDED, FAILED, ABORTED or TIMED_OUT. */
  readonly status: string;
  readonly error?: string | undefined;
  readonly cause?: string | undefined;
}

/**
 * Executions of one state machine. Methods throw ServiceUnavailableError when the engine cannot
 * answer.
 */
export interface Executions {
  /** ARN of the execution of this name. */
  arnOf(name: string): string;
  /**
   * Starts the execution of this name unless it was started before, whether it runs or has ended.
   * Returns its ARN. A name must always be passed with the same input.
   */
  start(name: string, input: string): Promise<string>;
  /** Throws an error named ExecutionDoesNotExist if there is no such execution. */
  describe(executionArn: string): Promise<ExecutionState>;
  /**
   * FAILED, ABORTED or TIMED_OUT → RUNNING, from the state that failed. Throws an error named
   * ExecutionNotRedrivable in any other status.
   */
  redrive(executionArn: string): Promise<void>;
}

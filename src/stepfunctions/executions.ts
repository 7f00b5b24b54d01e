import { ApiError } from './api-errors.ts';
import type { Failure } from './asl/state-errors.ts';

export const executionStatuses = ['RUNNING', 'SUCCEEDED', 'FAILED', 'TIMED_OUT', 'ABORTED'] as const;
export type ExecutionStatus = (typeof executionStatuses)[number];

/** An execution as ListExecutions reports it. Times in milliseconds since the epoch. */
export interface ExecutionSummary {
  readonly name: string;
  readonly status: ExecutionStatus;
  readonly startDate: number;
  readonly stopDate?: number | undefined;
  readonly redriveCount: number;
  readonly redriveDate?: number | undefined;
}

/** The stored record of an execution, without its history. */
export interface ExecutionRecord extends ExecutionSummary, Failure {
  readonly input: string;
  readonly output?: string | undefined;
  /**
   * Number of times that the process ended during this execution without stopping the engine. A
   * redrive counts at most one of them.
   */
  readonly crashes: number;
  /** Client token of the last redrive. */
  readonly redriveToken?: string | undefined;
}

/** An execution as DescribeExecution reports it. */
export interface ExecutionDescription extends ExecutionRecord {
  /** The reason why it cannot be redriven; undefined when it can. */
  readonly notRedrivable?: string | undefined;
}

/** Time after its end during which an execution can be redriven. */
const redrivableMs = 14 * 24 * 3600 * 1000;

export function describeExecution(execution: ExecutionRecord, now: number): ExecutionDescription {
  return { ...execution, notRedrivable: whyNotRedrivable(execution, now) };
}

export function whyNotRedrivable({ status, stopDate }: ExecutionSummary, now: number): string | undefined {
  if (status === 'RUNNING') return 'Execution is RUNNING and cannot be redriven';
  if (status === 'SUCCEEDED') return 'Execution is SUCCEEDED and cannot be redriven';
  if (stopDate !== undefined && now - stopDate > redrivableMs) return 'Execution ended more than 14 days ago';
  return undefined;
}

/**
 * Characters that names must not have: white space, brackets, wildcards, `" # % \ ^ | ~ $ & , ; :
 * /`, backticks and control characters.
 */
const forbiddenInNames = /[\s<>{}[\]?*"#%\\^|~`$&,;:/\p{Cc}\p{Cs}\uFFFE\uFFFF]/u;

/** Throws an ApiError unless a name has 1 to 80 characters, all of which StartExecution accepts. */
export function assertExecutionName(name: string): void {
  if (name.length < 1 || name.length > 80 || forbiddenInNames.test(name)) {
    throw new ApiError('InvalidName', `Invalid Name: ${JSON.stringify(name)}`);
  }
}

import { ApiError } from './api-errors.ts';
import type { Failure } from './history.ts';
import type { Line } from './journal.ts';

export const executionStatuses = ['RUNNING', 'SUCCEEDED', 'FAILED', 'TIMED_OUT', 'ABORTED'] as const;
export type ExecutionStatus = (typeof executionStatuses)[number];

/** What is known of an execution without reading its file. Times in milliseconds since the epoch. */
export interface ExecutionSummary {
  readonly name: string;
  readonly status: ExecutionStatus;
  readonly startDate: number;
  readonly stopDate?: number | undefined;
  readonly redriveCount: number;
  readonly redriveDate?: number | undefined;
  /** Client token of the last redrive. */
  readonly redriveToken?: string | undefined;
}

/** An execution with all that its file says. */
export interface ExecutionDescription extends ExecutionSummary, Failure {
  readonly input: string;
  readonly output?: string | undefined;
  /** Why it cannot be redriven; undefined when it can. */
  readonly notRedrivable?: string | undefined;
}

/** How long an execution can be redriven after it ended. */
const redrivableMs = 14 * 24 * 3600 * 1000;

/** Puts a description together from a summary and the lines of the execution's file. */
export function describe(summary: ExecutionSummary, lines: readonly Line[], now: number): ExecutionDescription {
  const last = summary.status === 'RUNNING' ? undefined : lines.findLast((line) => line.summary)?.event;
  const started = lines[0]?.event?.['executionStartedEventDetails'];
  const output = text(last?.['executionSucceededEventDetails']?.['output']);
  const ended =
    last?.['executionFailedEventDetails'] ??
    last?.['executionAbortedEventDetails'] ??
    last?.['executionTimedOutEventDetails'];
  const error = text(ended?.['error']);
  const cause = text(ended?.['cause']);
  return {
    ...summary,
    input: text(started?.['input']) ?? '{}',
    output,
    ...(error === undefined ? {} : { error }),
    ...(cause === undefined ? {} : { cause }),
    notRedrivable: whyNotRedrivable(summary, now),
  };
}

export function whyNotRedrivable({ status, stopDate }: ExecutionSummary, now: number): string | undefined {
  if (status === 'RUNNING') return 'Execution is RUNNING and cannot be redriven';
  if (status === 'SUCCEEDED') return 'Execution is SUCCEEDED and cannot be redriven';
  if (stopDate !== undefined && now - stopDate > redrivableMs) return 'Execution ended more than 14 days ago';
  return undefined;
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

/** White space, brackets, wildcards, `" # % \ ^ | ~ $ & , ; : /`, backticks and control characters. */
const forbiddenInNames = /[\s<>{}[\]?*"#%\\^|~`$&,;:/\p{Cc}\p{Cs}\uFFFE\uFFFF]/u;

/** 1 to 80 characters without those that StartExecution refuses. */
export function checkName(name: string): void {
  if (name.length < 1 || name.length > 80 || forbiddenInNames.test(name)) {
    throw new ApiError('InvalidName', `Invalid Name: ${JSON.stringify(name)}`);
  }
}

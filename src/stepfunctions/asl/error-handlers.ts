/**
 * Retry and Catch: schemas, matching of error names, waits.
 * https://states-language.net/spec.html#errors
 */
import { z } from 'zod';
import { integer, resultPath, stateName } from './fields.ts';
import type { Failure } from './state-errors.ts';

/** Seconds; AWS states no larger bound for any wait or timeout. */
export const longestWaitSeconds = 99_999_999;

/** Reserved names that the engine raises and that Retry and Catch match as on AWS. */
const reservedErrors = [
  'States.ALL',
  'States.TaskFailed',
  'States.Timeout',
  'States.NoChoiceMatched',
  'States.IntrinsicFailure',
  'States.ResultPathMatchFailure',
];

const errorName = z.string().refine((name) => !name.startsWith('States.') || reservedErrors.includes(name), {
  error: ({ input }) =>
    `the embedded engine never matches ${String(input)}; name the errors themselves, or ${reservedErrors.join(', ')}`,
});
const errorNames = z.array(errorName).min(1, { error: 'Expected a list of error names' });

const retrier = z
  .strictObject({
    Comment: z.string().optional(),
    ErrorEquals: errorNames,
    IntervalSeconds: integer(1, longestWaitSeconds).default(1),
    MaxAttempts: integer(0, longestWaitSeconds).default(3),
    BackoffRate: z.number().min(1, { error: 'Expected a number of 1 or more' }).default(2),
    MaxDelaySeconds: integer(1, 31_622_399).optional(),
    JitterStrategy: z.enum(['FULL', 'NONE'], { error: 'Expected FULL or NONE' }).default('NONE'),
  })
  .refine(
    ({ IntervalSeconds, MaxDelaySeconds }) => !(MaxDelaySeconds !== undefined && MaxDelaySeconds <= IntervalSeconds),
    {
      path: ['MaxDelaySeconds'],
      error: 'Expected more than IntervalSeconds',
    },
  );

const catcher = z.strictObject({
  Comment: z.string().optional(),
  ErrorEquals: errorNames,
  ResultPath: resultPath,
  Next: stateName,
});

export type Retrier = z.output<typeof retrier>;

/** AWS requires States.ALL to be alone in its entry, and its entry to be the last. */
function catchAllIsLast(
  entries: readonly { readonly ErrorEquals: readonly string[] }[],
  issues: z.core.ParsePayload,
): void {
  entries.forEach(({ ErrorEquals: names }, index) => {
    if (!names.includes('States.ALL') || (names.length === 1 && index === entries.length - 1)) return;
    const message = 'Expected States.ALL alone and in the last entry';
    issues.issues.push({ code: 'custom', message, input: names, path: [index, 'ErrorEquals'] });
  });
}

/** Fields of the states that have Retry and Catch: Task, Map and Parallel. */
export const errorHandlers = {
  Retry: z
    .array(retrier)
    .check((payload) => {
      catchAllIsLast(payload.value, payload);
    })
    .default([]),
  Catch: z
    .array(catcher)
    .check((payload) => {
      catchAllIsLast(payload.value, payload);
    })
    .default([]),
};

/**
 * Whether a retrier or catcher matches an error. States.TaskFailed matches every error except
 * States.Timeout.
 */
export function matchesError({ ErrorEquals: names }: Pick<Retrier, 'ErrorEquals'>, { error }: Failure): boolean {
  if (names.includes('States.ALL') || (error !== undefined && names.includes(error))) return true;
  return names.includes('States.TaskFailed') && error !== 'States.Timeout';
}

/**
 * Seconds to wait before retry number `attempt` (from 0) of a retrier: exponential backoff, bounded
 * by MaxDelaySeconds; with FULL jitter a random part of it. `random` is 0 to 1.
 */
function retryDelaySeconds(
  { IntervalSeconds, BackoffRate, MaxDelaySeconds = Number.POSITIVE_INFINITY, JitterStrategy }: Retrier,
  attempt: number,
  random: () => number,
): number {
  const delay = Math.min(IntervalSeconds * BackoffRate ** attempt, MaxDelaySeconds);
  return JitterStrategy === 'FULL' ? delay * random() : delay;
}

/** The retries of one execution of a state. Every retrier counts its own attempts. */
export class RetryPolicy {
  readonly #retriers: readonly Retrier[];
  readonly #attempts = new Map<Retrier, number>();
  readonly #random: () => number;

  constructor(retriers: readonly Retrier[], random: () => number) {
    this.#retriers = retriers;
    this.#random = random;
  }

  /** Seconds until the retry after a failure, or undefined if there is none. Counts the attempt. */
  nextDelaySeconds(failure: Failure): number | undefined {
    const found = this.#retriers.find((candidate) => matchesError(candidate, failure));
    if (!found) return undefined;
    const attempt = this.#attempts.get(found) ?? 0;
    if (attempt >= found.MaxAttempts) return undefined;
    this.#attempts.set(found, attempt + 1);
    return retryDelaySeconds(found, attempt, this.#random);
  }
}

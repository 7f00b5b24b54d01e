/** Events of an execution, as GetExecutionHistory reports them. */
import type { Failure } from './asl/state-errors.ts';
import type { Json } from './json.ts';

/** `timestamp` in milliseconds since the epoch. */
export interface HistoryEvent {
  readonly id: number;
  readonly previousEventId: number;
  readonly timestamp: number;
  readonly type: string;
  readonly [details: `${string}EventDetails`]: Readonly<Record<string, Json>>;
}

/** An event before it is part of a history. */
export interface NewEvent {
  readonly type: string;
  readonly details?: Readonly<Record<string, Json>>;
  readonly mark?: ScopeMark;
}

/**
 * The progress of a run at an event, for redrives. It is not part of the API.
 * `entered`: the run entered the state of the event. `ended`: the run ended with the output of the
 * event. `restarted`: the Map or Parallel of the scope started its iterations or branches from the
 * beginning.
 */
export interface ScopeMark {
  /** '' for the state machine, then `/<state>#<index>` for every iteration or branch. */
  readonly scope: string;
  readonly kind: 'entered' | 'ended' | 'restarted';
}

/** An event as it is stored. */
export interface StoredEvent extends NewEvent {
  readonly id: number;
  readonly previousEventId: number;
  /** Milliseconds since the epoch. */
  readonly timestamp: number;
}

/**
 * A Standard execution has no more.
 * https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html
 */
export const maxHistoryEvents = 25_000;

export const historyEvents = {
  executionStarted: (input: string): NewEvent => ({ type: 'ExecutionStarted', details: { input } }),
  executionRedriven: (redriveCount: number): NewEvent => ({ type: 'ExecutionRedriven', details: { redriveCount } }),
  executionSucceeded: (output: string): NewEvent => ({ type: 'ExecutionSucceeded', details: { output } }),
  executionEnded: (type: 'ExecutionFailed' | 'ExecutionAborted' | 'ExecutionTimedOut', failure: Failure): NewEvent => ({
    type,
    details: { ...failure },
  }),
  stateEntered: (stateType: string, name: string, input: string, scope: string): NewEvent => ({
    type: `${stateType}StateEntered`,
    details: { name, input },
    mark: { scope, kind: 'entered' },
  }),
  stateExited: (stateType: string, name: string, output: string, endedScope?: string): NewEvent => ({
    type: `${stateType}StateExited`,
    details: { name, output },
    ...(endedScope === undefined ? {} : { mark: { scope: endedScope, kind: 'ended' } }),
  }),
  groupStarted: (stateType: 'Map' | 'Parallel', count: number, restartedScope?: string): NewEvent => ({
    type: `${stateType}StateStarted`,
    ...(stateType === 'Map' ? { details: { length: count } } : {}),
    ...(restartedScope === undefined ? {} : { mark: { scope: restartedScope, kind: 'restarted' } }),
  }),
  groupEnded: (stateType: 'Map' | 'Parallel', how: 'Succeeded' | 'Failed'): NewEvent => ({
    type: `${stateType}State${how}`,
  }),
  mapIteration: (what: 'Started' | 'Succeeded' | 'Failed' | 'Aborted', name: string, index: number): NewEvent => ({
    type: `MapIteration${what}`,
    details: { name, index },
  }),
  lambdaScheduled: (resource: string, input: string, timeoutInSeconds: number): NewEvent => ({
    type: 'LambdaFunctionScheduled',
    details: { resource, input, timeoutInSeconds },
  }),
  lambdaStarted: { type: 'LambdaFunctionStarted' } satisfies NewEvent,
  lambdaSucceeded: (output: string): NewEvent => ({ type: 'LambdaFunctionSucceeded', details: { output } }),
  lambdaEnded: (type: 'LambdaFunctionFailed' | 'LambdaFunctionTimedOut', failure: Failure): NewEvent => ({
    type,
    details: { ...failure },
  }),
};

/** The event in the shape of the API; `withData` is the API's includeExecutionData. */
export function reportedEvent(
  { id, previousEventId, timestamp, type, details }: StoredEvent,
  withData = true,
): HistoryEvent {
  const event = { id, previousEventId, timestamp, type };
  if (!details) return event;
  const reported: Record<string, Json> = {};
  for (const [name, value] of Object.entries(details)) {
    const isData = name === 'input' || name === 'output';
    if (isData && !withData) continue;
    reported[name] = value;
    if (isData) reported[`${name}Details`] = { truncated: false };
  }
  return { ...event, [detailsName(type)]: reported };
}

/** The member of an event in which the API reports its details. */
function detailsName(type: string): `${string}EventDetails` {
  if (type.endsWith('StateEntered')) return 'stateEnteredEventDetails';
  if (type.endsWith('StateExited')) return 'stateExitedEventDetails';
  return `${type.charAt(0).toLowerCase()}${type.slice(1)}EventDetails`;
}

import type { Json } from './json.ts';

/** An event as GetExecutionHistory reports it; `timestamp` in milliseconds since the epoch. */
export interface HistoryEvent {
  readonly id: number;
  readonly previousEventId: number;
  readonly timestamp: number;
  readonly type: string;
  readonly [details: `${string}EventDetails`]: Readonly<Record<string, Json>>;
}

/** An event before it has its place in a history. */
export interface NewEvent {
  readonly type: string;
  /** Under the name the Step Functions API gives it. */
  readonly details?: readonly [name: `${string}EventDetails`, value: Readonly<Record<string, Json>>];
}

/** The history of a Standard execution ends here. https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html */
export const maxHistoryEvents = 25_000;

const whole = { truncated: false };

export const historyEvents = {
  executionStarted: (input: string): NewEvent => event('ExecutionStarted', { input, inputDetails: whole }),
  executionRedriven: (redriveCount: number): NewEvent => event('ExecutionRedriven', { redriveCount }),
  executionSucceeded: (output: string): NewEvent => event('ExecutionSucceeded', { output, outputDetails: whole }),
  executionEnded: (type: 'ExecutionFailed' | 'ExecutionAborted' | 'ExecutionTimedOut', failure: Failure): NewEvent =>
    event(type, { ...failure }),
  stateEntered: (stateType: string, name: string, input: string): NewEvent => ({
    type: `${stateType}StateEntered`,
    details: ['stateEnteredEventDetails', { name, input, inputDetails: whole }],
  }),
  stateExited: (stateType: string, name: string, output: string): NewEvent => ({
    type: `${stateType}StateExited`,
    details: ['stateExitedEventDetails', { name, output, outputDetails: whole }],
  }),
  mapStateStarted: (length: number): NewEvent => event('MapStateStarted', { length }),
  mapIteration: (what: 'Started' | 'Succeeded' | 'Failed' | 'Aborted', name: string, index: number): NewEvent =>
    event(`MapIteration${what}`, { name, index }),
  lambdaScheduled: (resource: string, input: string, timeoutInSeconds: number): NewEvent =>
    event('LambdaFunctionScheduled', { resource, input, inputDetails: whole, timeoutInSeconds }),
  lambdaSucceeded: (output: string): NewEvent => event('LambdaFunctionSucceeded', { output, outputDetails: whole }),
  lambdaEnded: (type: 'LambdaFunctionFailed' | 'LambdaFunctionTimedOut', failure: Failure): NewEvent =>
    event(type, { ...failure }),
};

export interface Failure {
  readonly error?: string;
  readonly cause?: string;
}

function event(type: string, details: Readonly<Record<string, Json>>): NewEvent {
  return { type, details: [`${type.charAt(0).toLowerCase()}${type.slice(1)}EventDetails`, details] };
}

/** The event without inputs and outputs, as `includeExecutionData: false` asks for. */
export function withoutExecutionData(entry: HistoryEvent): HistoryEvent {
  const stripped = Object.entries(entry).map(([name, value]: [string, unknown]) => [
    name,
    typeof value === 'object' && value !== null
      ? Object.fromEntries(
          Object.entries(value).filter(([key]) => !['input', 'output', 'inputDetails', 'outputDetails'].includes(key)),
        )
      : value,
  ]);
  return Object.fromEntries(stripped) as HistoryEvent;
}

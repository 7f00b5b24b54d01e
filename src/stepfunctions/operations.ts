import { randomUUID } from 'node:crypto';
import { ApiError } from './api-errors.ts';
import { type Failure, maxPayloadBytes } from './asl/state-errors.ts';
import type { ExecutionLog } from './execution-log.ts';
import {
  assertExecutionName,
  describeExecution,
  type ExecutionDescription,
  type ExecutionRecord,
  type ExecutionStatus,
  type ExecutionSummary,
  whyNotRedrivable,
} from './executions.ts';
import type { Executor, LiveExecution } from './executor.ts';
import { historyEvents, type StoredEvent } from './history.ts';

/**
 * The operations of the Step Functions API on executions; refusals are ApiErrors. See `Engine` for
 * each of them. The changes of an operation are committed before it returns.
 */
export class Operations {
  readonly #log: ExecutionLog;
  readonly #executor: Executor;
  readonly #arnOf: (name: string) => string;
  readonly #clock: () => Date;

  constructor(log: ExecutionLog, executor: Executor, arnOf: (name: string) => string, clock: () => Date) {
    this.#log = log;
    this.#executor = executor;
    this.#arnOf = arnOf;
    this.#clock = clock;
  }

  start({ name = randomUUID(), input = '{}' }: { readonly name?: string; readonly input?: string }): {
    executionArn: string;
    startDate: Date;
  } {
    assertExecutionName(name);
    assertInput(input);
    const executionArn = this.#arnOf(name);
    const known = this.#executor.find(name)?.record ?? this.#log.find(name);
    if (known) {
      if (known.status === 'RUNNING' && known.input === input) {
        return { executionArn, startDate: new Date(known.startDate) };
      }
      throw new ApiError('ExecutionAlreadyExists', `Execution Already Exists: '${executionArn}'`);
    }
    const startDate = this.#clock();
    const record = {
      name,
      status: 'RUNNING',
      startDate: startDate.getTime(),
      redriveCount: 0,
      crashes: 0,
      input,
    } as const;
    this.#executor.submit(live(record, 0), historyEvents.executionStarted(input));
    this.#log.flush();
    return { executionArn, startDate };
  }

  describe(arn: string): ExecutionDescription {
    return describeExecution(this.#find(arn), this.#clock().getTime());
  }

  list(status?: ExecutionStatus): ExecutionSummary[] {
    return this.#log.list(status);
  }

  history(arn: string): StoredEvent[] {
    return this.#log.events(this.#find(arn).name);
  }

  stopExecution(arn: string, failure: Failure = {}): { stopDate: Date } {
    const running = this.#executor.find(this.#find(arn).name);
    if (running) this.#executor.abort(running, failure);
    return { stopDate: new Date(this.#find(arn).stopDate ?? this.#clock()) };
  }

  redrive(arn: string, clientToken?: string): { redriveDate: Date } {
    const record = this.#find(arn);
    if (clientToken !== undefined && record.redriveToken === clientToken) {
      return { redriveDate: new Date(record.redriveDate ?? record.startDate) };
    }
    const redriveDate = this.#clock();
    const refusal = whyNotRedrivable(record, redriveDate.getTime());
    if (refusal !== undefined) throw new ApiError('ExecutionNotRedrivable', `${refusal}: '${arn}'`);
    const { name, startDate, input } = record;
    const redriveCount = record.redriveCount + 1;
    const redriven = {
      name,
      status: 'RUNNING',
      startDate,
      redriveCount,
      redriveDate: redriveDate.getTime(),
      redriveToken: clientToken,
      crashes: Math.min(record.crashes, 1),
      input,
    } as const;
    const execution = live(redriven, this.#log.eventCount(name));
    this.#executor.submit(execution, historyEvents.executionRedriven(redriveCount));
    this.#log.flush();
    return { redriveDate };
  }

  /** Commits pending changes and reads an execution's record. */
  #find(arn: string): ExecutionRecord {
    const prefix = this.#arnOf('');
    if (!arn.startsWith('arn:aws:states:')) throw new ApiError('InvalidArn', `Invalid Arn: '${arn}'`);
    const name = arn.startsWith(prefix) ? arn.slice(prefix.length) : undefined;
    const record = name === undefined ? undefined : this.#log.find(name);
    if (!record) throw new ApiError('ExecutionDoesNotExist', `Execution Does Not Exist: '${arn}'`);
    return record;
  }
}

function live(record: ExecutionRecord, lastEventId: number): LiveExecution {
  return { record, lastEventId, ending: new AbortController() };
}

function assertInput(input: string): void {
  if (Buffer.byteLength(input) > maxPayloadBytes) {
    throw new ApiError('ValidationException', `Expected an input of at most ${maxPayloadBytes} bytes`);
  }
  try {
    JSON.parse(input);
  } catch {
    throw new ApiError('InvalidExecutionInput', 'Invalid State Machine Execution Input: Expected JSON');
  }
}

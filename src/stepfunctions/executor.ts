import { randomUUID } from 'node:crypto';
import { ApiError } from './api-errors.ts';
import type { RegionDefinition } from './asl/definition.ts';
import { assertPayloadSize, type Failure, failureOf, runtimeError } from './asl/state-errors.ts';
import type { ExecutionLog } from './execution-log.ts';
import { describeExecution, type ExecutionRecord } from './executions.ts';
import type { FunctionHost } from './function-host.ts';
import { historyEvents, maxHistoryEvents, type NewEvent } from './history.ts';
import type { Json, JsonObject } from './json.ts';
import type { Progress } from './progress.ts';
import { nothingRecovered, recoverScopes } from './recovery.ts';
import { type RunPorts, runRegion } from './region-run.ts';
import type { BoundFunction } from './state-machine.ts';
import { statusChangeEvent, type StatusChangeEvent } from './status-event.ts';
import type { Sleep } from './timing.ts';

/** An execution whose status is RUNNING, begun or queued. */
export interface LiveExecution {
  record: ExecutionRecord;
  lastEventId: number;
  /** Aborted when the execution ends. */
  readonly ending: AbortController;
}

export interface ExecutorOptions {
  readonly region: RegionDefinition;
  readonly functions: ReadonlyMap<string, BoundFunction>;
  readonly timeoutSeconds: number | undefined;
  readonly host: FunctionHost;
  readonly concurrency: number;
  readonly stateMachine: { readonly arn: string; readonly name: string };
  readonly arnOf: (name: string) => string;
  readonly log: ExecutionLog;
  readonly onStatusChange: (event: StatusChangeEvent) => void | Promise<void>;
  readonly onProgress: (step: Progress) => void;
  readonly clock: () => Date;
  readonly sleep: Sleep;
  readonly random: () => number;
}

/** Abort reason; without one, every abort creates a DOMException with a stack trace. */
const endedReason = 'The execution has ended';

/**
 * Runs executions in order of their start, `concurrency` of them at a time. An execution during
 * which the process crashed runs alone after the others, so that a second crash is known to be its
 * own.
 */
export class Executor {
  readonly #queue: LiveExecution[] = [];
  readonly #live = new Map<string, LiveExecution>();
  readonly #deliveries = new Set<Promise<void>>();
  readonly #options: ExecutorOptions;
  #active = 0;
  /** Whether the active execution runs alone. */
  #isExclusive = false;
  #isStopped = false;
  #idleWaiters: (() => void)[] = [];

  constructor(options: ExecutorOptions) {
    this.#options = options;
  }

  find(name: string): LiveExecution | undefined {
    return this.#live.get(name);
  }

  /**
   * Records an execution as RUNNING and puts it in the queue. Throws an ApiError when the executor
   * is stopped.
   */
  submit(execution: LiveExecution, event: NewEvent): void {
    if (this.#isStopped) {
      throw new ApiError('ServiceUnavailable', 'The engine is stopping; start it again and repeat the request');
    }
    this.#live.set(execution.record.name, execution);
    this.#record(execution, event, execution.lastEventId);
    this.#changed(execution.record);
    this.#queue.push(execution);
    this.#drain();
  }

  /**
   * Ends a begun or queued execution. None of its further tasks starts.
   */
  end(execution: LiveExecution, end: Pick<ExecutionRecord, 'status' | 'output'> & Failure, event: NewEvent): void {
    if (execution.ending.signal.aborted) return;
    execution.record = { ...execution.record, ...end, stopDate: this.#options.clock().getTime() };
    this.#record(execution, event, execution.lastEventId);
    execution.ending.abort(endedReason);
    this.#live.delete(execution.record.name);
    this.#changed(execution.record);
  }

  /** Ends an execution as ABORTED. */
  abort(execution: LiveExecution, failure: Failure): void {
    const event = historyEvents.executionEnded('ExecutionAborted', failure);
    this.end(execution, { status: 'ABORTED', ...failure }, event);
  }

  /** Ends an execution as FAILED. */
  fail(execution: LiveExecution, failure: Failure): void {
    const event = historyEvents.executionEnded('ExecutionFailed', failure);
    this.end(execution, { status: 'FAILED', ...failure }, event);
  }

  /** Resolves when no execution is RUNNING and the listener has handled every status change. */
  async idle(): Promise<void> {
    if (this.#isIdle()) return;
    await new Promise<void>((resolve) => this.#idleWaiters.push(resolve));
  }

  /** Accepts and begins no more executions and ends those that are RUNNING. */
  async stop(failure: Failure): Promise<void> {
    this.#isStopped = true;
    for (const execution of [...this.#live.values()]) this.abort(execution, failure);
    this.#options.log.flush();
    await this.idle();
    this.#options.log.flush();
  }

  /** Stores a new status and passes it to the listener after the commit. */
  #changed(record: ExecutionRecord): void {
    const { onStatusChange, arnOf, stateMachine, clock, log } = this.#options;
    log.put(record);
    const now = clock();
    const arns = { executionArn: arnOf(record.name), stateMachineArn: stateMachine.arn };
    const { promise: committed, resolve } = Promise.withResolvers<undefined>();
    log.whenCommitted(() => {
      resolve(undefined);
    });
    const delivery = committed
      .then(() => onStatusChange(statusChangeEvent(describeExecution(record, now.getTime()), arns, now)))
      .catch((error: unknown) => {
        process.emitWarning(`The listener of ${record.name}'s status ${record.status} failed: ${String(error)}`);
      })
      .finally(() => {
        this.#deliveries.delete(delivery);
        this.#settle();
      });
    this.#deliveries.add(delivery);
  }

  #drain(): void {
    while (!this.#isStopped && this.#active < this.#options.concurrency) {
      const next = this.#next();
      if (!next) return;
      if (next.ending.signal.aborted) continue;
      this.#active++;
      this.#isExclusive = next.record.crashes > 0;
      void this.#execute(next).finally(() => {
        this.#active--;
        this.#isExclusive = false;
        this.#drain();
        this.#settle();
      });
    }
  }

  /** Takes the execution that may begin now from the queue. */
  #next(): LiveExecution | undefined {
    if (this.#isExclusive) return undefined;
    const index = this.#queue.findIndex(({ record }) => record.crashes === 0);
    if (index >= 0) return this.#queue.splice(index, 1)[0];
    return this.#active === 0 ? this.#queue.shift() : undefined;
  }

  async #execute(execution: LiveExecution): Promise<void> {
    const { region, log } = this.#options;
    this.#startTimeout(execution);
    try {
      const scope = { path: '', firstEventId: execution.lastEventId, signal: execution.ending.signal };
      const input = JSON.parse(execution.record.input) as Json;
      const run = runRegion(this.#portsFor(execution), region, scope, input);
      // The commit of its first event distinguishes it from queued executions after a crash.
      if (execution.record.crashes > 0) log.flush();
      const output = JSON.stringify(await run);
      assertPayloadSize('an output', output);
      this.end(execution, { status: 'SUCCEEDED', output }, historyEvents.executionSucceeded(output));
    } catch (error) {
      this.fail(execution, failureOf(error));
    }
  }

  /** Sets the timer of the execution's timeout, which is cleared at its end. */
  #startTimeout(execution: LiveExecution): void {
    const { timeoutSeconds, sleep } = this.#options;
    if (timeoutSeconds === undefined) return;
    const failure = { error: 'States.Timeout' };
    void sleep(timeoutSeconds * 1000, execution.ending.signal).then((hasPassed) => {
      if (!hasPassed) return;
      const event = historyEvents.executionEnded('ExecutionTimedOut', failure);
      this.end(execution, { status: 'TIMED_OUT', ...failure }, event);
    });
  }

  #portsFor(execution: LiveExecution): RunPorts {
    const { functions, host, onProgress, log, clock, sleep, random } = this.#options;
    const { name, redriveCount } = execution.record;
    return {
      functions,
      host,
      clock,
      sleep,
      random,
      uuid: randomUUID,
      context: this.#contextOf(execution.record),
      recovered: redriveCount > 0 ? recoverScopes(log.events(name)) : nothingRecovered(),
      record: (event, previousEventId) => {
        if (execution.ending.signal.aborted) return previousEventId;
        if (execution.lastEventId >= maxHistoryEvents - 1) {
          throw runtimeError(`The execution reached ${maxHistoryEvents} history events`);
        }
        return this.#record(execution, event, previousEventId);
      },
      progress: (step) => {
        if (execution.ending.signal.aborted) return;
        log.whenCommitted(() => {
          onProgress({ execution: name, ...step });
        });
      },
    };
  }

  #contextOf({ name, input, startDate, redriveCount }: ExecutionRecord): {
    Execution: JsonObject;
    StateMachine: JsonObject;
  } {
    const { stateMachine, arnOf } = this.#options;
    return {
      Execution: {
        Id: arnOf(name),
        Name: name,
        Input: JSON.parse(input) as Json,
        StartTime: new Date(startDate).toISOString(),
        RedriveCount: redriveCount,
      },
      StateMachine: { Id: stateMachine.arn, Name: stateMachine.name },
    };
  }

  #record(execution: LiveExecution, event: NewEvent, previousEventId: number): number {
    const id = ++execution.lastEventId;
    const timestamp = this.#options.clock().getTime();
    this.#options.log.add(execution.record.name, { id, previousEventId, timestamp, ...event });
    return id;
  }

  #isIdle(): boolean {
    return this.#live.size === 0 && this.#active === 0 && this.#deliveries.size === 0;
  }

  #settle(): void {
    if (!this.#isIdle()) return;
    for (const resolve of this.#idleWaiters.splice(0)) resolve();
  }
}

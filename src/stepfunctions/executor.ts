import { runRegion } from './run.ts';
import { checkPayload, failureOf, UncatchableError } from './run-errors.ts';
import type { CompiledRegion } from './compile.ts';
import { describe, type ExecutionStatus, type ExecutionSummary } from './executions.ts';
import type { FunctionHost } from './functions.ts';
import { type Failure, historyEvents, maxHistoryEvents, type NewEvent } from './history.ts';
import type { Json, JsonObject } from './json.ts';
import type { Journal, Line } from './journal.ts';
import type { Progress } from './progress.ts';
import { type Note, nothingRecovered, recover } from './resume.ts';
import { statusChangeEvent, type StatusChangeEvent } from './status-event.ts';

/** An execution whose status is RUNNING, begun or waiting for its turn. */
export interface LiveExecution {
  summary: ExecutionSummary;
  readonly input: string;
  readonly journal: Journal;
  lastEventId: number;
  readonly ending: AbortController;
}

export interface ExecutorOptions {
  readonly region: CompiledRegion;
  readonly tasks: ReadonlyMap<string, string>;
  readonly timeoutSeconds: number | undefined;
  readonly host: FunctionHost;
  readonly concurrency: number;
  readonly stateMachine: { readonly arn: string; readonly name: string };
  readonly arnOf: (name: string) => string;
  readonly onStatusChange: (event: StatusChangeEvent) => void | Promise<void>;
  readonly onProgress: (step: Progress) => void;
  readonly clock: () => Date;
  /** The summary of an execution changed. */
  readonly onSummary: (summary: ExecutionSummary) => void;
}

/** Runs executions, `concurrency` of them at once and the others in order of their start. */
export class Executor {
  private readonly queue: LiveExecution[] = [];
  private readonly live = new Map<string, LiveExecution>();
  private readonly deliveries = new Set<Promise<void>>();
  private active = 0;
  private stopped = false;
  private idleWaiters: (() => void)[] = [];
  private readonly options: ExecutorOptions;

  constructor(options: ExecutorOptions) {
    this.options = options;
  }

  find(name: string): LiveExecution | undefined {
    return this.live.get(name);
  }

  /** Puts an execution on record as RUNNING and in the queue. */
  submit(execution: LiveExecution, event: NewEvent): void {
    this.live.set(execution.summary.name, execution);
    this.write(execution, event, execution.lastEventId, { summary: execution.summary });
    execution.journal.rest();
    this.changed(execution);
    this.queue.push(execution);
    this.drain();
  }

  /** Ends an execution that has not ended, whether it has begun or not. No further task of it starts. */
  end(execution: LiveExecution, status: Exclude<ExecutionStatus, 'RUNNING'>, event: NewEvent): void {
    if (execution.ending.signal.aborted) return;
    execution.summary = { ...execution.summary, status, stopDate: this.options.clock().getTime() };
    this.write(execution, event, execution.lastEventId, { summary: execution.summary });
    execution.ending.abort();
    execution.journal.rest();
    this.live.delete(execution.summary.name);
    this.changed(execution);
    this.settle();
  }

  /** Resolves when no execution is RUNNING and every status change was taken by its listener. */
  async idle(): Promise<void> {
    if (this.isIdle()) return;
    await new Promise<void>((resolve) => this.idleWaiters.push(resolve));
  }

  /** Begins no more executions and ends those that are RUNNING. */
  async stop(failure: Failure): Promise<void> {
    this.stopped = true;
    for (const execution of [...this.live.values()]) {
      this.end(execution, 'ABORTED', historyEvents.executionEnded('ExecutionAborted', failure));
    }
    await this.idle();
  }

  /** Tells the listener of a status, which nobody needs to be waiting for. */
  changed({ summary, journal }: Pick<LiveExecution, 'summary' | 'journal'>): void {
    const { onStatusChange, onSummary, arnOf, stateMachine, clock } = this.options;
    onSummary(summary);
    const now = clock();
    const execution = describe(summary, journal.lines(), now.getTime());
    const arns = { executionArn: arnOf(summary.name), stateMachineArn: stateMachine.arn };
    const delivery = (async (): Promise<void> => {
      await onStatusChange(statusChangeEvent(execution, arns, now));
    })()
      .catch((error: unknown) => {
        process.emitWarning(`The listener of ${summary.name}'s status ${summary.status} failed: ${String(error)}`);
      })
      .finally(() => {
        this.deliveries.delete(delivery);
        this.settle();
      });
    this.deliveries.add(delivery);
  }

  private drain(): void {
    while (!this.stopped && this.active < this.options.concurrency) {
      const next = this.queue.shift();
      if (!next) return;
      if (next.ending.signal.aborted) continue;
      this.active++;
      void this.execute(next).finally(() => {
        this.active--;
        this.drain();
        this.settle();
      });
    }
  }

  private async execute(execution: LiveExecution): Promise<void> {
    const { timeoutSeconds, region } = this.options;
    const onTimeout = (): void => {
      this.end(execution, 'TIMED_OUT', historyEvents.executionEnded('ExecutionTimedOut', { error: 'States.Timeout' }));
    };
    const timer = timeoutSeconds === undefined ? undefined : setTimeout(onTimeout, timeoutSeconds * 1000);
    try {
      const scope = { path: '', firstEventId: execution.lastEventId, signal: execution.ending.signal };
      const output = await runRegion(this.portsFor(execution), region, scope, JSON.parse(execution.input) as Json);
      const text = JSON.stringify(output);
      checkPayload('an output', text);
      this.end(execution, 'SUCCEEDED', historyEvents.executionSucceeded(text));
    } catch (error) {
      this.end(execution, 'FAILED', historyEvents.executionEnded('ExecutionFailed', failureOf(error)));
    } finally {
      clearTimeout(timer);
    }
  }

  private portsFor(execution: LiveExecution): Parameters<typeof runRegion>[0] {
    const { tasks, host, onProgress } = this.options;
    const { name, redriveCount } = execution.summary;
    return {
      tasks,
      host,
      context: this.contextOf(execution),
      recovered: redriveCount > 0 ? recover(execution.journal.lines()) : nothingRecovered(),
      record: (event, previousEventId, note) => {
        if (execution.ending.signal.aborted) return previousEventId;
        if (execution.lastEventId >= maxHistoryEvents - 1) {
          throw new UncatchableError('States.Runtime', `The execution reached ${maxHistoryEvents} history events`);
        }
        return this.write(execution, event, previousEventId, { note });
      },
      keep: (note: Note) => {
        if (!execution.ending.signal.aborted) execution.journal.append({ note });
      },
      progress: (step) => {
        if (!execution.ending.signal.aborted) onProgress({ execution: name, ...step });
      },
    };
  }

  private contextOf({ summary, input }: LiveExecution): { Execution: JsonObject; StateMachine: JsonObject } {
    const { stateMachine, arnOf } = this.options;
    return {
      Execution: {
        Id: arnOf(summary.name),
        Name: summary.name,
        Input: JSON.parse(input) as Json,
        StartTime: new Date(summary.startDate).toISOString(),
        RedriveCount: summary.redriveCount,
      },
      StateMachine: { Id: stateMachine.arn, Name: stateMachine.name },
    };
  }

  private write(execution: LiveExecution, event: NewEvent, previousEventId: number, rest: Omit<Line, 'event'>): number {
    const id = execution.lastEventId + 1;
    const { type, details } = event;
    const timestamp = this.options.clock().getTime();
    const placed = { id, previousEventId, timestamp, type, ...(details ? { [details[0]]: details[1] } : {}) };
    execution.journal.append({ event: placed, ...rest });
    execution.lastEventId = id;
    return id;
  }

  private isIdle(): boolean {
    return this.live.size === 0 && this.active === 0 && this.deliveries.size === 0;
  }

  private settle(): void {
    if (!this.isIdle()) return;
    for (const resolve of this.idleWaiters.splice(0)) resolve();
  }
}

import { randomUUID } from 'node:crypto';
import { ApiError } from './api-errors.ts';
import { maxPayloadBytes } from './asl.ts';
import {
  checkName,
  describe,
  type ExecutionDescription,
  type ExecutionStatus,
  type ExecutionSummary,
  whyNotRedrivable,
} from './executions.ts';
import type { Executor } from './executor.ts';
import { type Failure, type HistoryEvent, historyEvents } from './history.ts';
import { journalFor } from './journal.ts';

/** What the Step Functions API does with executions; refusals are ApiErrors. See `Engine` for each of them. */
export class Operations {
  private readonly summaries: Map<string, ExecutionSummary>;
  private readonly executor: Executor;
  private readonly directory: string;
  private readonly arnOf: (name: string) => string;
  private readonly clock: () => Date;

  constructor(
    summaries: Map<string, ExecutionSummary>,
    executor: Executor,
    directory: string,
    arnOf: (name: string) => string,
    clock: () => Date,
  ) {
    this.summaries = summaries;
    this.executor = executor;
    this.directory = directory;
    this.arnOf = arnOf;
    this.clock = clock;
  }

  start({ name = randomUUID(), input = '{}' }: { readonly name?: string; readonly input?: string }): {
    executionArn: string;
    startDate: Date;
  } {
    checkName(name);
    checkInput(input);
    const executionArn = this.arnOf(name);
    const known = this.summaries.get(name);
    if (known) {
      if (this.executor.find(name)?.input === input) return { executionArn, startDate: new Date(known.startDate) };
      throw new ApiError('ExecutionAlreadyExists', `Execution Already Exists: '${executionArn}'`);
    }
    const startDate = this.clock();
    const summary = { name, status: 'RUNNING', startDate: startDate.getTime(), redriveCount: 0 } as const;
    const journal = journalFor(this.directory, name);
    this.executor.submit(
      { summary, input, journal, lastEventId: 0, ending: new AbortController() },
      historyEvents.executionStarted(input),
    );
    return { executionArn, startDate };
  }

  describe(arn: string): ExecutionDescription {
    const summary = this.find(arn);
    return describe(summary, journalFor(this.directory, summary.name).lines(), this.clock().getTime());
  }

  list(status?: ExecutionStatus): ExecutionSummary[] {
    return [...this.summaries.values()]
      .filter((summary) => status === undefined || summary.status === status)
      .sort((a, b) => b.startDate - a.startDate || (a.name < b.name ? 1 : -1));
  }

  history(arn: string): HistoryEvent[] {
    return journalFor(this.directory, this.find(arn).name)
      .lines()
      .flatMap(({ event }) => (event ? [event] : []));
  }

  stopExecution(arn: string, failure: Failure = {}): { stopDate: Date } {
    const summary = this.find(arn);
    const live = this.executor.find(summary.name);
    if (live) this.executor.end(live, 'ABORTED', historyEvents.executionEnded('ExecutionAborted', failure));
    return { stopDate: new Date(this.find(arn).stopDate ?? this.clock()) };
  }

  redrive(arn: string, clientToken?: string): { redriveDate: Date } {
    const summary = this.find(arn);
    if (clientToken !== undefined && summary.redriveToken === clientToken) {
      return { redriveDate: new Date(summary.redriveDate ?? summary.startDate) };
    }
    const redriveDate = this.clock();
    const refusal = whyNotRedrivable(summary, redriveDate.getTime());
    if (refusal !== undefined) throw new ApiError('ExecutionNotRedrivable', `${refusal}: '${arn}'`);
    const journal = journalFor(this.directory, summary.name);
    const lines = journal.lines();
    const { input } = describe(summary, lines, redriveDate.getTime());
    const redriveCount = summary.redriveCount + 1;
    this.executor.submit(
      {
        summary: {
          ...summary,
          status: 'RUNNING',
          stopDate: undefined,
          redriveCount,
          redriveDate: redriveDate.getTime(),
          redriveToken: clientToken,
        },
        input,
        journal,
        lastEventId: lines.findLast((line) => line.event)?.event?.id ?? 0,
        ending: new AbortController(),
      },
      historyEvents.executionRedriven(redriveCount),
    );
    return { redriveDate };
  }

  private find(arn: string): ExecutionSummary {
    const prefix = this.arnOf('');
    if (!arn.startsWith('arn:aws:states:')) throw new ApiError('InvalidArn', `Invalid Arn: '${arn}'`);
    const summary = arn.startsWith(prefix) ? this.summaries.get(arn.slice(prefix.length)) : undefined;
    if (!summary) throw new ApiError('ExecutionDoesNotExist', `Execution Does Not Exist: '${arn}'`);
    return summary;
  }
}

function checkInput(input: string): void {
  if (Buffer.byteLength(input) > maxPayloadBytes) {
    throw new ApiError('ValidationException', `Expected an input of at most ${maxPayloadBytes} bytes`);
  }
  try {
    JSON.parse(input);
  } catch {
    throw new ApiError('InvalidExecutionInput', 'Invalid State Machine Execution Input: Expected JSON');
  }
}

import { availableParallelism } from 'node:os';
import { basename, join } from 'node:path';
import type { CheckedDefinitions } from './checked-definitions.ts';
import { compileRegion } from './compile.ts';
import { lockDirectory } from './directory-lock.ts';
import type { ExecutionDescription, ExecutionStatus, ExecutionSummary } from './executions.ts';
import { Executor } from './executor.ts';
import type { FunctionHost, FunctionTable } from './functions.ts';
import type { Failure, HistoryEvent } from './history.ts';
import { loadExecutions } from './load.ts';
import { Operations } from './operations.ts';
import type { Progress } from './progress.ts';
import { readStateMachine } from './state-machine.ts';
import { account, region, type StatusChangeEvent } from './status-event.ts';

export interface EngineOptions {
  /** Executions are kept below its `executions` folder; one process at a time. */
  readonly directory: string;
  /** An ASL file, YAML or JSON. */
  readonly definitionFile: string;
  readonly functions: FunctionTable;
  /** Definitions that need not be checked again. */
  readonly checked?: CheckedDefinitions;
  readonly host: FunctionHost;
  /** Name of the state machine; by default the file's up to its first dot. */
  readonly name?: string;
  /** Executions that run at once; the others are RUNNING but not begun. By default four a core. */
  readonly concurrency?: number;
  readonly onStatusChange?: (event: StatusChangeEvent) => void | Promise<void>;
  readonly onProgress?: (step: Progress) => void;
  readonly clock?: () => Date;
}

/** One state machine and its executions, with the semantics of a Standard workflow. Refusals are ApiErrors. */
export interface Engine {
  readonly stateMachine: {
    readonly arn: string;
    readonly name: string;
    readonly definition: string;
    readonly createdAt: Date;
  };
  /** ARN of the execution of a name. */
  arnOf(name: string): string;
  /** The same name and input while RUNNING is the same execution; any other use of a name is refused. */
  start(request: { readonly name?: string; readonly input?: string }): { executionArn: string; startDate: Date };
  describe(executionArn: string): ExecutionDescription;
  /** Newest first. */
  list(status?: ExecutionStatus): ExecutionSummary[];
  /** Oldest first. */
  history(executionArn: string): HistoryEvent[];
  /** RUNNING → ABORTED. No further task starts; one that runs is left to end by itself, and its result dropped. */
  stopExecution(executionArn: string, failure?: Failure): { stopDate: Date };
  /**
   * FAILED, ABORTED or TIMED_OUT → RUNNING, from the state that failed, with its recorded input. Iterations and branches
   * that succeeded are not run again. The same client token twice is one redrive.
   */
  redrive(executionArn: string, clientToken?: string): { redriveDate: Date };
  /** Resolves when nothing runs and every status change was taken by its listener. */
  idle(): Promise<void>;
  /** Ends what runs as ABORTED (`Stepwell.Interrupted`), so that it can be redriven, and gives the directory back. */
  stop(): Promise<void>;
}

/** Error of an execution that the process did not live to end. */
export const interrupted: Required<Failure> = {
  error: 'Stepwell.Interrupted',
  cause: 'The engine stopped before the execution ended; redrive it to go on',
};

/**
 * Starts the embedded engine. Executions that an earlier process left without an end are recorded as ABORTED.
 * Throws a UsageError when the definition would run differently on AWS, or another process owns the directory.
 */
export function startEngine(options: EngineOptions): Engine {
  const { definition, tasks } = readStateMachine(options.definitionFile, options.functions, options.checked);
  const { clock = () => new Date(), onStatusChange = () => undefined, onProgress = () => undefined } = options;
  const name = options.name ?? basename(options.definitionFile).replace(/\..*$/u, '');
  const directory = join(options.directory, 'executions');
  const unlock = lockDirectory(directory);
  const summaries = new Map<string, ExecutionSummary>();
  const stateMachine = { arn: `arn:aws:states:${region}:${account}:stateMachine:${name}`, name };
  const arnOf = (execution: string): string => `arn:aws:states:${region}:${account}:execution:${name}:${execution}`;
  const executor = new Executor({
    region: compileRegion(definition),
    tasks,
    timeoutSeconds: definition.TimeoutSeconds,
    host: options.host,
    concurrency: options.concurrency ?? 4 * availableParallelism(),
    stateMachine,
    arnOf,
    onStatusChange,
    onProgress,
    clock,
    onSummary: (summary) => summaries.set(summary.name, summary),
  });
  try {
    for (const { summary, journal, wasInterrupted } of loadExecutions(directory, interrupted, clock)) {
      summaries.set(summary.name, summary);
      if (wasInterrupted) executor.changed({ summary, journal });
    }
  } catch (error) {
    unlock();
    throw error;
  }
  const operations = new Operations(summaries, executor, directory, arnOf, clock);
  return {
    stateMachine: { ...stateMachine, definition: JSON.stringify(definition), createdAt: clock() },
    arnOf,
    start: (request) => operations.start(request),
    describe: (arn) => operations.describe(arn),
    list: (status) => operations.list(status),
    history: (arn) => operations.history(arn),
    stopExecution: (arn, failure) => operations.stopExecution(arn, failure),
    redrive: (arn, clientToken) => operations.redrive(arn, clientToken),
    idle: () => executor.idle(),
    stop: async () => {
      await executor.stop(interrupted);
      unlock();
    },
  };
}

import { availableParallelism } from 'node:os';
import { basename } from 'node:path';
import { account, region } from './arns.ts';
import type { Failure } from './asl/state-errors.ts';
import { ExecutionLog } from './execution-log.ts';
import type { ExecutionStore } from './execution-store.ts';
import type { ExecutionDescription, ExecutionRecord, ExecutionStatus, ExecutionSummary } from './executions.ts';
import { Executor, type LiveExecution } from './executor.ts';
import type { FunctionHost, FunctionResolver } from './function-host.ts';
import { type HistoryEvent, reportedEvent } from './history.ts';
import { Operations } from './operations.ts';
import type { Progress } from './progress.ts';
import { readStateMachine } from './state-machine.ts';
import type { StatusChangeEvent } from './status-event.ts';
import { type Sleep, sleepByTimer } from './timing.ts';

export interface EngineOptions {
  /** The store of executions. The caller ensures that one engine uses it at a time. */
  readonly store: ExecutionStore;
  /** An ASL file, YAML or JSON. */
  readonly definitionFile: string;
  readonly functions: FunctionResolver;
  readonly host: FunctionHost;
  /** Name of the state machine; by default the file's up to its first dot. */
  readonly name?: string;
  /**
   * Number of executions that run concurrently; the others are RUNNING and queued. By default four
   * per core.
   */
  readonly concurrency?: number;
  /** Called after the status is committed. */
  readonly onStatusChange?: (event: StatusChangeEvent) => void | Promise<void>;
  /** Called after the step is committed. */
  readonly onProgress?: (step: Progress) => void;
  readonly clock?: () => Date;
  readonly sleep?: Sleep;
  /** 0 to 1, for the jitter of retries. */
  readonly random?: () => number;
}

/**
 * One state machine and its executions, with the semantics of a Standard workflow. Refusals are
 * ApiErrors.
 */
export interface Engine {
  readonly stateMachine: {
    readonly arn: string;
    readonly name: string;
    readonly definition: string;
    readonly createdAt: Date;
  };
  /** ARN of the execution of a name. */
  arnOf(name: string): string;
  /**
   * The same name and input while RUNNING is the same execution; any other use of a known name is
   * refused.
   */
  start(request: { readonly name?: string; readonly input?: string }): { executionArn: string; startDate: Date };
  describe(executionArn: string): ExecutionDescription;
  /** Newest first. */
  list(status?: ExecutionStatus): ExecutionSummary[];
  /** Oldest first; `includeData: false` leaves inputs and outputs out. */
  history(executionArn: string, options?: { readonly includeData?: boolean }): HistoryEvent[];
  /**
   * RUNNING → ABORTED. No further task starts; a running task is not interrupted, and its result is
   * discarded.
   */
  stopExecution(executionArn: string, failure?: Failure): { stopDate: Date };
  /**
   * FAILED, ABORTED or TIMED_OUT → RUNNING, from the state that failed, with its recorded input.
   * Iterations and branches that succeeded are not run again. The same client token twice is one
   * redrive.
   */
  redrive(executionArn: string, clientToken?: string): { redriveDate: Date };
  /** Resolves when no execution is running and the listener has handled every status change. */
  idle(): Promise<void>;
  /**
   * Ends running executions as ABORTED (`Stepwell.Interrupted`), so that they can be redriven.
   * Later starts and redrives are refused.
   */
  stop(): Promise<void>;
}

/** Error of an execution whose process ended before the execution did. */
export const interrupted: Required<Failure> = {
  error: 'Stepwell.Interrupted',
  cause: 'The engine stopped before the execution ended; redrive it to go on',
};

/**
 * Error of an execution during which the process ended twice without stopping the engine. It is
 * continued only by a redrive.
 */
export const crashed: Required<Failure> = {
  error: 'CRASHED',
  cause: 'The process ended unexpectedly both times that this execution ran; redrive it to try again',
};
/** Number of crashes after which an execution is FAILED. */
const MAX_CRASHES = 2;

/**
 * Starts the embedded engine. Executions that an earlier process left RUNNING are recorded as
 * ABORTED, or as FAILED after a second crash. Throws a UsageError when the engine cannot run the
 * definition as AWS does.
 */
export function startEngine(options: EngineOptions): Engine {
  const { definition, functions, text } = readStateMachine(options.definitionFile, options.functions);
  const { clock = () => new Date(), onStatusChange = () => undefined, onProgress = () => undefined } = options;
  const name = options.name ?? basename(options.definitionFile).replace(/\..*$/u, '');
  const stateMachine = { arn: `arn:aws:states:${region}:${account}:stateMachine:${name}`, name };
  const arnOf = (execution: string): string => `arn:aws:states:${region}:${account}:execution:${name}:${execution}`;
  const log = new ExecutionLog(options.store);
  const executor = new Executor({
    region: definition,
    functions,
    timeoutSeconds: definition.TimeoutSeconds,
    host: options.host,
    concurrency: options.concurrency ?? 4 * availableParallelism(),
    stateMachine,
    arnOf,
    log,
    onStatusChange,
    onProgress,
    clock,
    sleep: options.sleep ?? sleepByTimer,
    random: options.random ?? Math.random,
  });
  for (const execution of unfinished(log)) {
    if (execution.record.crashes < MAX_CRASHES) executor.abort(execution, interrupted);
    else executor.fail(execution, crashed);
  }
  log.flush();
  const operations = new Operations(log, executor, arnOf, clock);
  return {
    stateMachine: { ...stateMachine, definition: text, createdAt: clock() },
    arnOf,
    start: (request) => operations.start(request),
    describe: (arn) => operations.describe(arn),
    list: (status) => operations.list(status),
    history: (arn, { includeData = true } = {}) =>
      operations.history(arn).map((event) => reportedEvent(event, includeData)),
    stopExecution: (arn, failure) => operations.stopExecution(arn, failure),
    redrive: (arn, clientToken) => operations.redrive(arn, clientToken),
    idle: () => executor.idle(),
    stop: () => executor.stop(interrupted),
  };
}

/** Executions recorded as RUNNING that no process runs, with the crash that ended them. */
function unfinished(log: ExecutionLog): LiveExecution[] {
  return log.list('RUNNING').flatMap(({ name }) => {
    const record = log.find(name);
    if (!record) return [];
    const crashes = record.crashes + (wasBegun(log, record) ? 1 : 0);
    return [{ record: { ...record, crashes }, lastEventId: log.eventCount(name), ending: new AbortController() }];
  });
}

/**
 * Whether an execution was begun and not only queued. The first events of one without crashes may
 * not have been committed, so it counts as begun.
 */
function wasBegun(log: ExecutionLog, { name, crashes }: ExecutionRecord): boolean {
  const last = log.events(name).at(-1)?.type;
  return crashes === 0 || (last !== 'ExecutionStarted' && last !== 'ExecutionRedriven');
}

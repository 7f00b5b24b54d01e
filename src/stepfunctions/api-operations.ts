import { z } from 'zod';
import { ApiError } from './api-errors.ts';
import type { Engine } from './engine.ts';
import { type ExecutionDescription, executionStatuses, type ExecutionSummary } from './executions.ts';
import type { HistoryEvent } from './history.ts';

type Operation = (body: unknown) => object;

const arn = z.string().min(1).max(2048);
const page = { maxResults: z.int().min(0).max(1000).optional(), nextToken: z.string().min(1).max(1024).optional() };
const included = { included: true };

const requests = {
  StartExecution: z.object({
    stateMachineArn: arn,
    name: z.string().optional(),
    input: z.string().optional(),
    traceHeader: z.string().optional(),
  }),
  DescribeExecution: z.object({ executionArn: arn, includedData: z.string().optional() }),
  ListExecutions: z.object({
    stateMachineArn: arn.optional(),
    statusFilter: z.enum(executionStatuses).optional(),
    redriveFilter: z.enum(['REDRIVEN', 'NOT_REDRIVEN']).optional(),
    ...page,
  }),
  GetExecutionHistory: z.object({
    executionArn: arn,
    reverseOrder: z.boolean().default(false),
    includeExecutionData: z.boolean().default(true),
    ...page,
  }),
  StopExecution: z.object({
    executionArn: arn,
    error: z.string().max(256).optional(),
    cause: z.string().max(32_768).optional(),
  }),
  RedriveExecution: z.object({ executionArn: arn, clientToken: z.string().min(1).max(64).optional() }),
  ListStateMachines: z.object(page),
  DescribeStateMachine: z.object({ stateMachineArn: arn, includedData: z.string().optional() }),
  DescribeStateMachineForExecution: z.object({ executionArn: arn, includedData: z.string().optional() }),
};

/**
 * The operations of the Step Functions API by name. Each maps a request's body to the response's.
 */
export function apiOperations(engine: Engine): ReadonlyMap<string, Operation> {
  return new Map<string, Operation>([...executionOperations(engine), ...stateMachineOperations(engine)]);
}

function executionOperations(engine: Engine): [string, Operation][] {
  return [
    [
      'StartExecution',
      operation(requests.StartExecution, ({ stateMachineArn, name, input }) => {
        checkStateMachine(engine, stateMachineArn);
        const started = engine.start({
          ...(name === undefined ? {} : { name }),
          ...(input === undefined ? {} : { input }),
        });
        return { executionArn: started.executionArn, startDate: seconds(started.startDate) };
      }),
    ],
    [
      'DescribeExecution',
      operation(requests.DescribeExecution, ({ executionArn }) => described(engine, engine.describe(executionArn))),
    ],
    ['ListExecutions', operation(requests.ListExecutions, (request) => listExecutions(engine, request))],
    ['GetExecutionHistory', operation(requests.GetExecutionHistory, (request) => getHistory(engine, request))],
    [
      'StopExecution',
      operation(requests.StopExecution, ({ executionArn, error, cause }) => ({
        stopDate: seconds(
          engine.stopExecution(executionArn, {
            ...(error === undefined ? {} : { error }),
            ...(cause === undefined ? {} : { cause }),
          }).stopDate,
        ),
      })),
    ],
    [
      'RedriveExecution',
      operation(requests.RedriveExecution, ({ executionArn, clientToken }) => ({
        redriveDate: seconds(engine.redrive(executionArn, clientToken).redriveDate),
      })),
    ],
  ];
}

function stateMachineOperations(engine: Engine): [string, Operation][] {
  const { arn: stateMachineArn, name, definition, createdAt } = engine.stateMachine;
  const listed = { stateMachineArn, name, type: 'STANDARD', creationDate: seconds(createdAt) };
  const role = { roleArn: 'arn:aws:iam::000000000000:role/embedded-engine' };
  return [
    ['ListStateMachines', operation(requests.ListStateMachines, () => ({ stateMachines: [listed] }))],
    [
      'DescribeStateMachine',
      operation(requests.DescribeStateMachine, (request) => {
        checkStateMachine(engine, request.stateMachineArn);
        return { ...listed, ...role, definition, status: 'ACTIVE' };
      }),
    ],
    [
      'DescribeStateMachineForExecution',
      operation(requests.DescribeStateMachineForExecution, ({ executionArn }) => {
        engine.describe(executionArn);
        return { stateMachineArn, name, ...role, definition, updateDate: seconds(createdAt) };
      }),
    ],
  ];
}

function operation<Request>(request: z.ZodType<Request>, run: (request: Request) => object): Operation {
  return (body) => {
    const parsed = request.safeParse(body);
    if (!parsed.success) throw new ApiError('ValidationException', z.prettifyError(parsed.error));
    return run(parsed.data);
  };
}

function checkStateMachine(engine: Engine, requested: string): void {
  if (!requested.startsWith('arn:')) throw new ApiError('InvalidArn', `Invalid Arn: '${requested}'`);
  if (requested !== engine.stateMachine.arn) {
    throw new ApiError(
      'StateMachineDoesNotExist',
      `State Machine Does Not Exist: '${requested}'; the embedded engine runs ${engine.stateMachine.arn}`,
    );
  }
}

function listExecutions(engine: Engine, request: z.infer<typeof requests.ListExecutions>): object {
  if (request.stateMachineArn === undefined) throw new ApiError('ValidationException', 'Expected a stateMachineArn');
  checkStateMachine(engine, request.stateMachineArn);
  const { statusFilter, redriveFilter, maxResults, nextToken } = request;
  const matching = engine
    .list(statusFilter)
    .filter(({ redriveCount }) => redriveFilter === undefined || redriveCount > 0 === (redriveFilter === 'REDRIVEN'));
  const after = nextToken === undefined ? undefined : readToken(cursor, nextToken);
  const rest = after
    ? matching.filter(({ startDate, name }) => startDate < after[0] || (startDate === after[0] && name < after[1]))
    : matching;
  const shown = rest.slice(0, maxResults || 100);
  const last = shown.at(-1);
  return {
    executions: shown.map((summary) => listedExecution(engine, summary)),
    ...(last && shown.length < rest.length ? { nextToken: token([last.startDate, last.name]) } : {}),
  };
}

function getHistory(engine: Engine, request: z.infer<typeof requests.GetExecutionHistory>): object {
  const { reverseOrder, includeExecutionData, maxResults, nextToken } = request;
  const events = engine.history(request.executionArn, { includeData: includeExecutionData });
  const ordered = reverseOrder ? events.toReversed() : events;
  const from = nextToken === undefined ? undefined : readToken(eventCursor, nextToken)[0];
  const rest = from === undefined ? ordered : ordered.filter(({ id }) => (reverseOrder ? id < from : id > from));
  const shown = rest.slice(0, maxResults || 100);
  const last = shown.at(-1);
  return {
    events: shown.map(withSeconds),
    ...(last && shown.length < rest.length ? { nextToken: token([last.id]) } : {}),
  };
}

function withSeconds(event: HistoryEvent): object {
  return { ...event, timestamp: event.timestamp / 1000 };
}

function listedExecution(engine: Engine, summary: ExecutionSummary): object {
  const { name, status, startDate, stopDate, redriveCount, redriveDate } = summary;
  return {
    executionArn: engine.arnOf(name),
    stateMachineArn: engine.stateMachine.arn,
    name,
    status,
    startDate: startDate / 1000,
    ...(stopDate === undefined ? {} : { stopDate: stopDate / 1000 }),
    redriveCount,
    ...(redriveDate === undefined ? {} : { redriveDate: redriveDate / 1000 }),
  };
}

function described(engine: Engine, execution: ExecutionDescription): object {
  const { input, output, error, cause, notRedrivable } = execution;
  return {
    ...listedExecution(engine, execution),
    input,
    inputDetails: included,
    ...(output === undefined ? {} : { output, outputDetails: included }),
    error,
    cause,
    redriveStatus: notRedrivable === undefined ? 'REDRIVABLE' : 'NOT_REDRIVABLE',
    redriveStatusReason: notRedrivable,
  };
}

/** Start date and name of the last execution shown. */
const cursor = z.tuple([z.number(), z.string()]);
const eventCursor = z.tuple([z.int()]);

function token(value: readonly (number | string)[]): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url');
}

function readToken<Value>(shape: z.ZodType<Value>, text: string): Value {
  try {
    return shape.parse(JSON.parse(Buffer.from(text, 'base64url').toString('utf8')));
  } catch {
    throw new ApiError('InvalidToken', `Invalid Token: '${text}'`);
  }
}

function seconds(date: Date): number {
  return date.getTime() / 1000;
}

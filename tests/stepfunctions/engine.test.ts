import { afterAll, afterEach, describe, expect, test } from '@jest/globals';
import {
  DescribeExecutionCommand,
  DescribeStateMachineCommand,
  DescribeStateMachineForExecutionCommand,
  ExecutionAlreadyExists,
  ExecutionDoesNotExist,
  InvalidArn,
  InvalidExecutionInput,
  InvalidName,
  InvalidToken,
  ListExecutionsCommand,
  ListStateMachinesCommand,
  ListTagsForResourceCommand,
  paginateGetExecutionHistory,
  paginateListExecutions,
  GetExecutionHistoryCommand,
  StartExecutionCommand,
  StateMachineDoesNotExist,
  StopExecutionCommand,
} from '@aws-sdk/client-sfn';
import { serveApi } from '../../src/stepfunctions/api.ts';
import {
  definitionFile,
  type Fixture,
  functions,
  hostOf,
  namedError,
  removeFolders,
  serve,
  task,
  until,
} from './project.ts';

let fixture: Fixture | undefined;
afterEach(async () => {
  await fixture?.stop();
  fixture = undefined;
});
afterAll(removeFolders);

async function served(states: object, startAt: string, behaviours: Parameters<typeof hostOf>[0], more = {}) {
  const host = hostOf(behaviours);
  const definition = definitionFile({ StartAt: startAt, States: states, ...more });
  fixture = await serve({ definitionFile: definition, host, functions: functions() });
  return { ...fixture, host, stateMachineArn: fixture.engine.stateMachine.arn };
}

/** Starts one execution and waits for its end. */
async function runOne(setup: Awaited<ReturnType<typeof served>>, input: unknown = {}) {
  const { client, engine, stateMachineArn } = setup;
  const { executionArn } = await client.send(
    new StartExecutionCommand({ stateMachineArn, name: 'one', input: JSON.stringify(input) }),
  );
  await engine.idle();
  const description = await client.send(new DescribeExecutionCommand({ executionArn }));
  const { events = [] } = await client.send(new GetExecutionHistoryCommand({ executionArn, maxResults: 1000 }));
  return { description, events, types: events.map(({ type }) => String(type)), executionArn };
}

test('a stopped engine refuses starts and redrives, and its executions can be redriven by the next one', async () => {
  const { client, engine, stateMachineArn } = await served({ A: task('a') }, 'A', {
    a: () => new Promise(() => undefined),
  });
  const { executionArn } = engine.start({ name: 'first' });
  await engine.stop();
  expect(engine.describe(executionArn)).toMatchObject({ status: 'ABORTED', error: 'Stepwell.Interrupted' });
  const refusal = { type: 'ServiceUnavailable' };
  expect(() => engine.start({ name: 'second' })).toThrow(expect.objectContaining(refusal));
  expect(() => engine.redrive(executionArn)).toThrow(expect.objectContaining(refusal));
  await expect(client.send(new StartExecutionCommand({ stateMachineArn, name: 'third' }))).rejects.toMatchObject({
    name: 'ServiceUnavailable',
    $metadata: { httpStatusCode: 503 },
  });
  expect(engine.list()).toHaveLength(1);
  await engine.idle();
});

describe('an execution', () => {
  test('passes each function its input and returns the last output', async () => {
    const setup = await served(
      { A: task('a', { ResultPath: '$.sum', End: undefined, Next: 'B' }), B: task('b') },
      'A',
      { a: (event) => (event as { x: number }).x + 1, b: (event) => ({ got: event }) },
    );
    const { description, events, types } = await runOne(setup, { x: 1 });
    expect(description).toMatchObject({ status: 'SUCCEEDED', redriveCount: 0, redriveStatus: 'NOT_REDRIVABLE' });
    expect(JSON.parse(description.output ?? '')).toEqual({ got: { x: 1, sum: 2 } });
    expect(types).toEqual([
      'ExecutionStarted',
      'TaskStateEntered',
      'LambdaFunctionScheduled',
      'LambdaFunctionStarted',
      'LambdaFunctionSucceeded',
      'TaskStateExited',
      'TaskStateEntered',
      'LambdaFunctionScheduled',
      'LambdaFunctionStarted',
      'LambdaFunctionSucceeded',
      'TaskStateExited',
      'ExecutionSucceeded',
    ]);
    expect(events.map(({ id, previousEventId }) => [id, previousEventId])).toEqual(
      events.map((_event, index) => [index + 1, index]),
    );
    expect(events[1]?.stateEnteredEventDetails).toMatchObject({ name: 'A', input: '{"x":1}' });
    expect(events[0]?.timestamp?.getFullYear()).toBeGreaterThan(2025);
  });

  test('fails with an error that no state catches, as Lambda reports it', async () => {
    const setup = await served({ A: task('a') }, 'A', {
      a: () => {
        throw namedError('BadLuckError', 'no luck');
      },
    });
    const { description, types } = await runOne(setup);
    expect(description).toMatchObject({ status: 'FAILED', error: 'BadLuckError', redriveStatus: 'REDRIVABLE' });
    expect(JSON.parse(description.cause ?? '')).toMatchObject({ errorType: 'BadLuckError', errorMessage: 'no luck' });
    expect(types.slice(-2)).toEqual(['LambdaFunctionFailed', 'ExecutionFailed']);
  });

  test('continues at the Next of a catcher with error and cause', async () => {
    const setup = await served(
      {
        A: task('a', { Catch: [{ ErrorEquals: ['Known'], ResultPath: '$.error', Next: 'B' }] }),
        B: task('b'),
      },
      'A',
      {
        a: () => {
          throw namedError('Known', 'why');
        },
        b: (event) => event,
      },
    );
    const { description } = await runOne(setup, { keep: 1 });
    const output = JSON.parse(description.output ?? '') as { keep: number; error: { Error: string; Cause: string } };
    expect(output).toMatchObject({ keep: 1, error: { Error: 'Known' } });
    expect(JSON.parse(output.error.Cause)).toMatchObject({ errorMessage: 'why' });
  });

  test('waits before a retry and reports it as progress', async () => {
    let calls = 0;
    const setup = await served(
      { A: task('a', { Retry: [{ ErrorEquals: ['Busy'], IntervalSeconds: 1, MaxAttempts: 2 }] }) },
      'A',
      {
        a: () => {
          if (++calls === 1) throw namedError('Busy', 'later');
          return 'done';
        },
      },
    );
    const before = Date.now();
    const { description } = await runOne(setup);
    expect(Date.now() - before).toBeGreaterThanOrEqual(990);
    expect(description.output).toBe('"done"');
    expect(setup.progress.filter(({ kind }) => kind === 'task-retried')).toMatchObject([
      { execution: 'one', state: 'A', attempt: 1, error: 'Busy' },
    ]);
  });

  test('fails when a payload exceeds 256 KiB, which no Catch handles', async () => {
    const setup = await served(
      { A: task('a', { Catch: [{ ErrorEquals: ['States.ALL'], Next: 'B' }] }), B: task('b') },
      'A',
      { a: () => 'x'.repeat(262_144) },
    );
    const { description } = await runOne(setup);
    expect(description).toMatchObject({ status: 'FAILED', error: 'States.DataLimitExceeded' });
    expect(setup.host.calls).toHaveLength(1);
  });

  test('fails at 25,000 events', async () => {
    const setup = await served(
      {
        Ping: { Type: 'Pass', Next: 'Pong' },
        Pong: { Type: 'Choice', Choices: [{ Variable: '$.stop', IsPresent: true, Next: 'End' }], Default: 'Ping' },
        End: { Type: 'Succeed' },
      },
      'Ping',
      {},
    );
    const { description } = await runOne(setup);
    expect(description).toMatchObject({ status: 'FAILED', error: 'States.Runtime' });
    expect(setup.engine.history(String(description.executionArn))).toHaveLength(25_000);
  });

  test('compares numbers only with numbers and provides the context object inside a Map', async () => {
    const setup = await served(
      {
        Start: { Type: 'Choice', Choices: [{ Variable: '$.n', NumericLessThan: 10, Next: 'Bad' }], Default: 'Each' },
        Bad: { Type: 'Fail', Error: 'Coerced', Cause: 'text was compared with a number' },
        Each: {
          Type: 'Map',
          ItemsPath: '$.list',
          ItemSelector: { 'item.$': '$$.Map.Item.Value', 'index.$': '$$.Map.Item.Index', 'n.$': '$.n' },
          ItemProcessor: {
            StartAt: 'Inner',
            States: {
              Inner: task('a', {
                Parameters: { 'item.$': '$', 'start.$': '$$.Execution.Input.n', 'name.$': '$$.Execution.Name' },
              }),
            },
          },
          End: true,
        },
      },
      'Start',
      { a: (event) => event },
    );
    const { description } = await runOne(setup, { n: '5', list: ['x', null] });
    expect(JSON.parse(description.output ?? '')).toEqual([
      { item: { item: 'x', index: 0, n: '5' }, start: '5', name: 'one' },
      { item: { item: null, index: 1, n: '5' }, start: '5', name: 'one' },
    ]);
  });

  test('is TIMED_OUT when its timeout expires', async () => {
    const setup = await served({ A: task('a') }, 'A', { a: () => new Promise(() => undefined) }, { TimeoutSeconds: 1 });
    const { description, types } = await runOne(setup);
    expect(description).toMatchObject({ status: 'TIMED_OUT', redriveStatus: 'REDRIVABLE' });
    expect(types.at(-1)).toBe('ExecutionTimedOut');
  });
});

describe('a Map', () => {
  const map = (more = {}): object => ({
    Each: {
      Type: 'Map',
      ItemsPath: '$.items',
      ItemProcessor: { StartAt: 'Inner', States: { Inner: task('a') } },
      ResultPath: '$.done',
      End: true,
      ...more,
    },
  });

  test('keeps the order of its items and runs at most MaxConcurrency iterations concurrently', async () => {
    let running = 0;
    let most = 0;
    const setup = await served(map({ MaxConcurrency: 3 }), 'Each', {
      a: async (event) => {
        most = Math.max(most, ++running);
        await new Promise((resolve) => setTimeout(resolve, 10 - Number(event)));
        running--;
        return Number(event) * 2;
      },
    });
    const { description, types } = await runOne(setup, { items: [0, 1, 2, 3, 4, 5, 6, 7] });
    expect(JSON.parse(description.output ?? '')).toMatchObject({ done: [0, 2, 4, 6, 8, 10, 12, 14] });
    expect(most).toBe(3);
    expect(types.slice(0, 3)).toEqual(['ExecutionStarted', 'MapStateEntered', 'MapStateStarted']);
    expect(types.slice(-3)).toEqual(['MapStateSucceeded', 'MapStateExited', 'ExecutionSucceeded']);
    expect(types.filter((type) => type === 'MapIterationSucceeded')).toHaveLength(8);
    const succeeded = setup.progress.filter(({ kind }) => kind === 'iteration-succeeded');
    expect(succeeded).toHaveLength(8);
    expect(succeeded[0]).toMatchObject({ state: 'Each', count: 8 });
  });

  test('fails with the error of the failed iteration and ends the others', async () => {
    const setup = await served(map(), 'Each', {
      a: (event) => {
        if (event === 1) throw namedError('Broken');
        return new Promise(() => undefined);
      },
    });
    const { description, types } = await runOne(setup, { items: [0, 1, 2] });
    expect(description).toMatchObject({ status: 'FAILED', error: 'Broken' });
    expect(types.filter((type) => type === 'MapIterationAborted')).toHaveLength(2);
    expect(types.slice(-2)).toEqual(['MapStateFailed', 'ExecutionFailed']);
  });

  test('returns an empty array for an empty one and fails with States.Runtime for another value', async () => {
    const setup = await served(map({ Catch: [{ ErrorEquals: ['States.ALL'], Next: 'Each' }] }), 'Each', {});
    expect(JSON.parse((await runOne(setup, { items: [] })).description.output ?? '')).toEqual({ items: [], done: [] });
    const { executionArn } = setup.engine.start({ name: 'two', input: '{"items":{}}' });
    await setup.engine.idle();
    expect(setup.engine.describe(executionArn)).toMatchObject({ status: 'FAILED', error: 'States.Runtime' });
  });
});

test('a Parallel passes its input to every branch and returns the outputs in order', async () => {
  const branch = (key: string): object => ({ StartAt: `In${key}`, States: { [`In${key}`]: task(key) } });
  const setup = await served({ Both: { Type: 'Parallel', Branches: [branch('a'), branch('b')], End: true } }, 'Both', {
    a: (event) => ['a', event],
    b: (event) => ['b', event],
  });
  const { description, types } = await runOne(setup, { x: 1 });
  expect(JSON.parse(description.output ?? '')).toEqual([
    ['a', { x: 1 }],
    ['b', { x: 1 }],
  ]);
  expect(types).toContain('ParallelStateStarted');
  expect(types).toContain('ParallelStateExited');
});

describe('StartExecution', () => {
  const hanging = (): Promise<unknown> => new Promise(() => undefined);

  test('returns the running execution for the same name and input and refuses other uses of the name', async () => {
    const { client, stateMachineArn, host, engine } = await served({ A: task('a') }, 'A', { a: hanging });
    const start = (input: string) => client.send(new StartExecutionCommand({ stateMachineArn, name: 'n', input }));
    const first = await start('{"a":1}');
    const second = await start('{"a":1}');
    expect(second).toMatchObject({ executionArn: first.executionArn, startDate: first.startDate });
    await expect(start('{"a":2}')).rejects.toThrow(ExecutionAlreadyExists);
    await client.send(new StopExecutionCommand({ executionArn: first.executionArn }));
    await engine.idle();
    await expect(start('{"a":1}')).rejects.toThrow(ExecutionAlreadyExists);
    expect(host.calls).toHaveLength(1);
  });

  test('refuses invalid names, inputs and state machines with the exceptions of the SDK', async () => {
    const { client, stateMachineArn } = await served({ A: task('a') }, 'A', { a: hanging });
    const start = (more: object) => client.send(new StartExecutionCommand({ stateMachineArn, ...more }));
    await expect(start({ name: 'a b' })).rejects.toThrow(InvalidName);
    await expect(start({ name: 'a/b' })).rejects.toThrow(InvalidName);
    await expect(start({ name: 'x'.repeat(81) })).rejects.toThrow(InvalidName);
    await expect(start({ name: 'ok', input: '{' })).rejects.toThrow(InvalidExecutionInput);
    await expect(start({ input: JSON.stringify('x'.repeat(262_143)) })).rejects.toMatchObject({
      name: 'ValidationException',
    });
    await expect(start({ stateMachineArn: `${stateMachineArn}2` })).rejects.toThrow(StateMachineDoesNotExist);
    await expect(start({ stateMachineArn: 'x' })).rejects.toThrow(InvalidArn);
  });

  test('queues ten thousand executions and completes all of them', async () => {
    let running = 0;
    let most = 0;
    const definition = definitionFile({ StartAt: 'A', States: { A: task('a') } });
    const host = hostOf({
      a: async () => {
        most = Math.max(most, ++running);
        await new Promise((resolve) => setImmediate(resolve));
        running--;
      },
    });
    fixture = await serve({ definitionFile: definition, host, concurrency: 4 });
    for (let index = 0; index < 10_000; index++) fixture.engine.start({ name: `e${index}`, input: '{}' });
    expect(fixture.engine.list('RUNNING')).toHaveLength(10_000);
    await fixture.engine.idle();
    expect(fixture.engine.list('SUCCEEDED')).toHaveLength(10_000);
    expect(most).toBe(4);
  });
});

test('StopExecution aborts the execution, and no further task starts', async () => {
  const gate = Promise.withResolvers<string>();
  const setup = await served(
    { A: task('a', { End: undefined, Next: 'B', Retry: [{ ErrorEquals: ['States.ALL'] }] }), B: task('b') },
    'A',
    { a: () => gate.promise },
  );
  const { client, engine, host, stateMachineArn } = setup;
  const { executionArn } = await client.send(new StartExecutionCommand({ stateMachineArn }));
  await until(() => host.calls.length === 1);
  await client.send(new StopExecutionCommand({ executionArn, error: 'Operator', cause: 'enough' }));
  gate.resolve('late');
  await engine.idle();
  await new Promise((resolve) => setTimeout(resolve, 20));
  const description = await client.send(new DescribeExecutionCommand({ executionArn }));
  expect(description).toMatchObject({ status: 'ABORTED', error: 'Operator', cause: 'enough' });
  expect(host.calls).toHaveLength(1);
  const again = await client.send(new StopExecutionCommand({ executionArn }));
  expect(again.stopDate).toEqual(description.stopDate);
});

test('status changes are reported in the format of EventBridge', async () => {
  const setup = await served({ A: task('a') }, 'A', { a: () => ({ ok: true }) });
  await runOne(setup, { x: 1 });
  expect(setup.events.map(({ detail }) => detail.status)).toEqual(['RUNNING', 'SUCCEEDED']);
  expect(setup.events[0]).toMatchObject({
    source: 'aws.states',
    'detail-type': 'Step Functions Execution Status Change',
  });
  expect(setup.events[1]?.detail).toMatchObject({
    name: 'one',
    input: '{"x":1}',
    output: '{"ok":true}',
    error: null,
    redriveCount: 0,
    stateMachineArn: setup.stateMachineArn,
  });
});

test('lists and histories are paged, in either order, with or without data', async () => {
  const setup = await served({ A: task('a') }, 'A', { a: () => 1 });
  const { client, engine, stateMachineArn } = setup;
  for (const name of ['e1', 'e2', 'e3', 'e4', 'e5']) engine.start({ name, input: '{"secret":1}' });
  await engine.idle();
  const names: string[] = [];
  for await (const { executions = [] } of paginateListExecutions(
    { client, pageSize: 2 },
    { stateMachineArn, statusFilter: 'SUCCEEDED' },
  )) {
    names.push(...executions.map(({ name }) => String(name)));
  }
  expect(names.toSorted()).toEqual(['e1', 'e2', 'e3', 'e4', 'e5']);
  const failed = await client.send(new ListExecutionsCommand({ stateMachineArn, statusFilter: 'FAILED' }));
  expect(failed.executions).toEqual([]);
  const ids: number[] = [];
  const request = { executionArn: engine.arnOf('e1'), reverseOrder: true, includeExecutionData: false };
  for await (const { events = [] } of paginateGetExecutionHistory({ client, pageSize: 3 }, request)) {
    ids.push(...events.map(({ id }) => Number(id)));
    expect(JSON.stringify(events)).not.toContain('secret');
  }
  expect(ids).toEqual([7, 6, 5, 4, 3, 2, 1]);
  await expect(client.send(new ListExecutionsCommand({ stateMachineArn, nextToken: 'bad' }))).rejects.toThrow(
    InvalidToken,
  );
});

describe('the Step Functions API', () => {
  test('describes the state machine and refuses unknown executions and operations', async () => {
    const { client, stateMachineArn, engine } = await served({ A: task('a') }, 'A', { a: () => 1 });
    const { stateMachines } = await client.send(new ListStateMachinesCommand({}));
    expect(stateMachines).toMatchObject([{ stateMachineArn, name: 'machine', type: 'STANDARD' }]);
    const described = await client.send(new DescribeStateMachineCommand({ stateMachineArn }));
    expect(described.definition).toContain('arn:aws:lambda:us-east-1:000000000000:function:a');
    const { executionArn } = engine.start({ name: 'x' });
    expect(await client.send(new DescribeStateMachineForExecutionCommand({ executionArn }))).toMatchObject({
      name: 'machine',
    });
    await expect(client.send(new ListTagsForResourceCommand({ resourceArn: stateMachineArn }))).rejects.toThrow(
      /does not have ListTagsForResource/,
    );
    const missing = new DescribeExecutionCommand({ executionArn: engine.arnOf('missing') });
    await expect(client.send(missing)).rejects.toThrow(ExecutionDoesNotExist);
    await expect(client.send(new DescribeExecutionCommand({ executionArn: 'x' }))).rejects.toThrow(InvalidArn);
  });

  test('refuses requests that a web page of another origin could send', async () => {
    const { api } = await served({ A: task('a') }, 'A', {});
    const { hostname, port } = new URL(api.endpoint);
    expect(hostname).toBe('127.0.0.1');
    const http = await import('node:http');
    const post = (headers: Record<string, string>, body = '{}', method = 'POST'): Promise<number> =>
      new Promise((resolve, reject) => {
        const request = http.request({ host: '127.0.0.1', port, method, headers }, (response) => {
          response.resume();
          resolve(response.statusCode ?? 0);
        });
        request.on('error', reject);
        request.end(body);
      });
    const good = { 'x-amz-target': 'AWSStepFunctions.ListStateMachines', 'content-type': 'application/x-amz-json-1.0' };
    expect(await post(good)).toBe(200);
    expect(await post({ ...good, host: `localhost:${port}` })).toBe(200);
    expect(await post({ ...good, origin: api.endpoint })).toBe(200);
    expect(await post({ ...good, origin: `http://localhost:${port}` })).toBe(200);
    expect(await post({ ...good, 'content-type': `${good['content-type']}; charset=utf-8` })).toBe(200);
    for (const host of ['evil.example', `evil.example:${port}`, '127.0.0.1', `127.0.0.1:${Number(port) ^ 1}`]) {
      expect([host, await post({ ...good, host })]).toEqual([host, 403]);
    }
    const origins = [
      'https://evil.example',
      'null',
      `https://127.0.0.1:${port}`,
      `http://localhost:${Number(port) ^ 1}`,
    ];
    for (const origin of [...origins, `http://evil.example:${port}`]) {
      expect([origin, await post({ ...good, origin })]).toEqual([origin, 403]);
    }
    for (const type of ['text/plain', 'application/json', 'application/x-www-form-urlencoded', '']) {
      expect([type, await post({ ...good, 'content-type': type })]).toEqual([type, 403]);
    }
    expect(await post({ ...good, origin: 'https://evil.example' }, '', 'OPTIONS')).toBe(403);
    expect(await post(good, '', 'GET')).toBe(400);
    expect(await post({ 'content-type': 'application/x-amz-json-1.0' })).toBe(400);
    expect(await post(good, 'x'.repeat(1_100_000))).toBe(400);
    expect(await post(good, '{')).toBe(400);
  });

  test('listens on the next port when one is in use, and refuses a port when there is no other', async () => {
    const { api, engine } = await served({ A: task('a') }, 'A', {});
    const used = Number(new URL(api.endpoint).port);
    const second = await serveApi(engine, { ports: [used, 0] });
    expect(second.endpoint).not.toBe(api.endpoint);
    await second.stop();
    await expect(serveApi(engine, { ports: [used] })).rejects.toThrow(
      `Expected a free port on 127.0.0.1 but received ${used}: another program uses it; choose another with --port`,
    );
  });
});

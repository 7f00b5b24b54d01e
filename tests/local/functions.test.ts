import { afterAll, describe, expect, jest, test } from '@jest/globals';
import { UsageError } from '../../src/errors.ts';
import { readFunctions } from '../../src/local/functions.ts';
import { inProcessHost } from '../../src/local/in-process-host.ts';
import { definitionFile, removeFolders, serve, service, task } from '../stepfunctions/project.ts';

afterAll(removeFolders);

const table = readFunctions(
  service(
    {
      echo: 'export const handler = async (event: { a: number }, context: any) => ({ event, name: context.functionName, left: context.getRemainingTimeInMillis(), id: context.awsRequestId, gone: undefined });',
      nothing: 'export const handler = () => undefined;',
      fails:
        "class Odd extends Error { override name = 'OddError' }; export const handler = async () => { throw new Odd('so it is') };",
      throwsText: "export const handler = () => { throw 'text' };",
      hangs: 'export const handler = () => new Promise(() => undefined);',
      waits:
        'let now = 0; let most = 0; export const handler = async () => { most = Math.max(most, ++now); await new Promise((r) => setTimeout(r, 30)); now--; return most };',
      reads:
        'let now = 0; let most = 0; export const handler = async () => { most = Math.max(most, ++now); await new Promise((r) => setTimeout(r, 30)); now--; return most };',
      mute: 'export const other = 1;',
      mutates: 'export const handler = (event: any) => { event.a = 2; return event };',
    },
    { hangs: { timeout: 0.05 }, echo: { timeout: 700 }, waits: { memorySize: 3538 } },
  ),
);
const host = inProcessHost(table);

describe('a function that runs in process', () => {
  test('receives its event and a context and returns JSON', async () => {
    const result = (await host.invoke('echo', { a: 1, gone: undefined, at: new Date(0) })) as Record<string, unknown>;
    expect(result).toMatchObject({ event: { a: 1, at: '1970-01-01T00:00:00.000Z' }, name: 'echo' });
    expect(Object.keys(result)).not.toContain('gone');
    expect(result['left']).toBeLessThanOrEqual(700_000);
    expect(result['left']).toBeGreaterThan(600_000);
    expect(await host.invoke('nothing', {})).toBeNull();
  });

  test('cannot change the event of its caller', async () => {
    const event = { a: 1 };
    expect(await host.invoke('mutates', event)).toEqual({ a: 2 });
    expect(event).toEqual({ a: 1 });
  });

  test('fails with the name of its error and the JSON that Lambda reports', async () => {
    const error = await host.invoke('fails', {}).catch((thrown: unknown) => thrown as Error);
    expect(error).toMatchObject({ name: 'OddError' });
    const cause = JSON.parse((error as Error).message) as Record<string, unknown>;
    expect(Object.keys(cause)).toEqual(['errorType', 'errorMessage', 'trace']);
    expect(cause).toMatchObject({ errorType: 'OddError', errorMessage: 'so it is' });
    await expect(host.invoke('throwsText', {})).rejects.toMatchObject({ name: 'string' });
    await expect(host.invoke('mute', {})).rejects.toMatchObject({ name: 'Runtime.HandlerNotFound' });
    await expect(host.invoke('missing', {})).rejects.toThrow(UsageError);
  });

  test('is ended by the shorter of its own timeout and that of its caller', async () => {
    await expect(host.invoke('hangs', {}, { timeoutMs: 1000 })).rejects.toMatchObject({ name: 'Sandbox.Timedout' });
    await expect(host.invoke('hangs', {}, { timeoutMs: 20 })).rejects.toMatchObject({ name: 'States.Timeout' });
  });

  test('does not use up its timeout while it is queued', async () => {
    const narrow = inProcessHost(table, { concurrency: 2 });
    await narrow.invoke('waits', {});
    jest.useFakeTimers();
    // The last call starts after 60 of its 50 milliseconds, and takes 30.
    const calls = Promise.all(Array.from({ length: 6 }, () => narrow.invoke('waits', {}, { timeoutMs: 50 })));
    await jest.advanceTimersByTimeAsync(90);
    jest.useRealTimers();
    expect(Math.max(...((await calls) as number[]))).toBe(2);
  });

  test('runs in a slot for I/O-bound functions if it has at most one vCPU', async () => {
    const narrow = inProcessHost(table, { concurrency: 2 });
    const begun: string[] = [];
    const calls = ['reads', 'waits'].flatMap((key) =>
      Array.from({ length: 20 }, () => narrow.invoke(key, {}, { onStart: () => begun.push(key) })),
    );
    await calls[0];
    expect([begun.slice(0, 10).filter((key) => key === 'reads').length, begun.slice(0, 10)]).toEqual([
      8,
      expect.arrayContaining(['waits', 'reads']),
    ]);
    expect(Math.max(...((await Promise.all(calls.slice(0, 20))) as number[]))).toBe(8);
    await Promise.all(calls);
  });

  test('does not begin if it is aborted while it is queued', async () => {
    const narrow = inProcessHost(table, { concurrency: 1 });
    const cancelled = new AbortController();
    let begun = false;
    const first = narrow.invoke('waits', {});
    const second = narrow.invoke('waits', {}, { signal: cancelled.signal, onStart: () => (begun = true) });
    cancelled.abort();
    await expect(second).rejects.toThrow(/before its turn/);
    await first;
    expect(begun).toBe(false);
    expect(await narrow.invoke('nothing', {})).toBeNull();
  });
});

test('the functions of a serverless.yml are read, and an invalid file is refused', () => {
  expect(table.byLogicalId('ThrowsTextLambdaFunction')).toBe('throwsText');
  expect(table.byKey.get('throwsText')).toMatchObject({ key: 'throwsText', timeoutMs: 30_000 });
  expect(table.byKey.get('waits')).toMatchObject({ memory: 3538 * 2 ** 20 });
  const bad =
    (definition: object): (() => unknown) =>
    () =>
      readFunctions(definitionFile(definition, 'serverless'));
  expect(bad({ functions: { a: { handler: 'x' } } })).toThrow(UsageError);
  expect(bad({ functions: { a: { handler: 'x.y', timeout: '${self:custom.t}' } } })).toThrow(/timeout/);
  expect(bad({})).toThrow(/functions/);
});

test('a service runs with its state machine, functions and API', async () => {
  const file = service({
    a: 'export const handler = (event: { n: number }) => event.n + 1;',
    b: "export const handler = () => { throw Object.assign(new Error('no'), { name: 'No' }) };",
  });
  const functions = readFunctions(file);
  const definition = definitionFile({
    StartAt: 'A',
    States: {
      A: task('a', { ResultPath: '$.n', End: undefined, Next: 'B' }),
      B: task('b', { Catch: [{ ErrorEquals: ['No'], ResultPath: null, Next: 'C' }] }),
      C: { Type: 'Succeed' },
    },
  });
  const fixture = await serve({ definitionFile: definition, host: inProcessHost(functions), functions });
  const { executionArn } = fixture.engine.start({ input: '{"n":1}' });
  await fixture.engine.idle();
  const { status, output } = fixture.engine.describe(executionArn);
  await fixture.stop();
  expect([status, output]).toEqual(['SUCCEEDED', '{"n":2}']);
});

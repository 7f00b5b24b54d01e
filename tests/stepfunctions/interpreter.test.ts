import { afterAll, afterEach, describe, expect, test } from '@jest/globals';
import type { Json } from '../../src/stepfunctions/json.ts';
import { definitionFile, type Fixture, hostOf, namedError, removeFolders, serve, task } from './project.ts';

let fixture: Fixture | undefined;
afterEach(async () => {
  await fixture?.stop();
  fixture = undefined;
});
afterAll(removeFolders);

/**
 * Runs one execution without waiting; returns its outcome and the seconds that it would have
 * waited.
 */
async function run(
  states: object,
  input: Json,
  behaviours: Parameters<typeof hostOf>[0] = {},
  { random = (): number => 0.5 } = {},
) {
  const waits: number[] = [];
  const host = hostOf(behaviours);
  const [startAt = ''] = Object.keys(states);
  fixture = await serve({
    definitionFile: definitionFile({ StartAt: startAt, States: states }),
    host,
    random,
    sleep: async (milliseconds) => {
      waits.push(milliseconds / 1000);
      await Promise.resolve();
      return true;
    },
  });
  const { executionArn } = fixture.engine.start({ input: JSON.stringify(input) });
  await fixture.engine.idle();
  const { status, error, cause, output } = fixture.engine.describe(executionArn);
  return { status, error, cause, output: output === undefined ? undefined : (JSON.parse(output) as Json), waits, host };
}

const failsWith = (...names: string[]) => {
  const remaining = [...names];
  return () => {
    const name = remaining.shift();
    if (name !== undefined) throw namedError(name);
    return 'done';
  };
};
const retry = (...retriers: object[]): object => ({ A: task('a', { Retry: retriers }) });

describe('the waits of a retrier are as AWS documents them', () => {
  test('they are 3, 6 and 12 seconds for IntervalSeconds 3, BackoffRate 2 and MaxAttempts 3', async () => {
    const retrier = { ErrorEquals: ['States.ALL'], IntervalSeconds: 3, MaxAttempts: 3, BackoffRate: 2 };
    const { status, error, waits } = await run(retry(retrier), {}, { a: failsWith('E', 'E', 'E', 'E') });
    expect([status, error, waits]).toEqual(['FAILED', 'E', [3, 6, 12]]);
  });

  test('they are 1, 2 and 4 seconds by default', async () => {
    const { waits, output } = await run(retry({ ErrorEquals: ['E'] }), {}, { a: failsWith('E', 'E', 'E') });
    expect([waits, output]).toEqual([[1, 2, 4], 'done']);
  });

  test('they are at most MaxDelaySeconds', async () => {
    const retrier = { ErrorEquals: ['E'], IntervalSeconds: 2, BackoffRate: 3, MaxAttempts: 5, MaxDelaySeconds: 10 };
    const { waits } = await run(retry(retrier), {}, { a: failsWith('E', 'E', 'E', 'E') });
    expect(waits).toEqual([2, 6, 10, 10]);
  });

  test('with FULL jitter they are a random part of that, also with MaxDelaySeconds', async () => {
    const randoms = [0, 0.25, 0.75];
    const retrier = { ErrorEquals: ['E'], IntervalSeconds: 4, MaxDelaySeconds: 10, JitterStrategy: 'FULL' };
    const { waits } = await run(
      retry(retrier),
      {},
      { a: failsWith('E', 'E', 'E') },
      { random: () => randoms.shift() ?? 1 },
    );
    expect(waits).toEqual([0, 2, 7.5]);
  });

  test('every retrier counts its own attempts: ErrorA, ErrorB and ErrorC wait 1, 2 and 5 seconds', async () => {
    const states = {
      X: task('a', {
        Retry: [
          { ErrorEquals: ['ErrorA', 'ErrorB'], IntervalSeconds: 1, BackoffRate: 2, MaxAttempts: 2 },
          { ErrorEquals: ['ErrorC'], IntervalSeconds: 5 },
        ],
        Catch: [{ ErrorEquals: ['States.ALL'], Next: 'Z' }],
      }),
      Z: { Type: 'Succeed' },
    };
    const { output, waits } = await run(states, {}, { a: failsWith('ErrorA', 'ErrorB', 'ErrorC', 'ErrorB') });
    expect(waits).toEqual([1, 2, 5]);
    expect(output).toMatchObject({ Error: 'ErrorB' });
  });

  test('there are none with MaxAttempts 0 or for other errors', async () => {
    const none = { ErrorEquals: ['E'], MaxAttempts: 0 };
    const all = { ErrorEquals: ['States.ALL'] };
    expect(await run(retry(none, all), {}, { a: failsWith('E') })).toMatchObject({ status: 'FAILED', waits: [] });
    await fixture?.stop();
    expect(await run(retry({ ErrorEquals: ['F'] }), {}, { a: failsWith('E') })).toMatchObject({
      error: 'E',
      waits: [],
    });
  });
});

describe('error names', () => {
  const caughtBy = (...names: string[]): object => ({
    A: task('a', { Catch: [{ ErrorEquals: names, ResultPath: null, Next: 'B' }] }),
    B: { Type: 'Succeed' },
  });

  test.each<[string, string, string]>([
    ['States.TaskFailed', 'Anything', 'SUCCEEDED'],
    ['States.TaskFailed', 'States.Timeout', 'FAILED'],
    ['States.Timeout', 'States.Timeout', 'SUCCEEDED'],
    ['States.ALL', 'States.Timeout', 'SUCCEEDED'],
    ['Other', 'Anything', 'FAILED'],
  ])('with a catcher of %s, an execution with the error %s is %s', async (name, error, expected) => {
    expect((await run(caughtBy(name), {}, { a: failsWith(error) })).status).toBe(expected);
  });

  test('a Choice without a match fails with States.NoChoiceMatched, which a Parallel can catch', async () => {
    const branch = {
      StartAt: 'C',
      States: {
        C: { Type: 'Choice', Choices: [{ Variable: '$.a', IsNull: true, Next: 'S' }] },
        S: { Type: 'Succeed' },
      },
    };
    const parallel = (name: string): object => ({
      P: { Type: 'Parallel', Branches: [branch], Catch: [{ ErrorEquals: [name], Next: 'D' }], Next: 'D' },
      D: { Type: 'Succeed' },
    });
    const { output } = await run(parallel('States.NoChoiceMatched'), { a: 1 });
    expect(output).toMatchObject({ Error: 'States.NoChoiceMatched' });
    await fixture?.stop();
    // A missing variable is States.Runtime, which cannot be caught.
    expect(await run(parallel('States.ALL'), {})).toMatchObject({ status: 'FAILED', error: 'States.Runtime' });
  });

  test('a Fail state ends with error and cause from text, from paths, or without them', async () => {
    const literal = await run({ F: { Type: 'Fail', Error: 'E', Cause: 'c' } }, {});
    expect(literal).toMatchObject({ status: 'FAILED', error: 'E', cause: 'c' });
    await fixture?.stop();
    const dynamic = { F: { Type: 'Fail', ErrorPath: '$.e', CausePath: "States.Format('{}!', $.c)" } };
    expect(await run(dynamic, { e: 'E2', c: 'so' })).toMatchObject({ error: 'E2', cause: 'so!' });
    await fixture?.stop();
    const bare = await run({ F: { Type: 'Fail' } }, {});
    expect([bare.status, bare.error, bare.cause]).toEqual(['FAILED', undefined, undefined]);
  });
});

describe('input and output of a state', () => {
  test('pass InputPath, Parameters, ResultSelector, ResultPath and OutputPath in this order', async () => {
    const states = {
      A: task('a', {
        InputPath: '$.in',
        Parameters: { 'given.$': '$.x', state: 'kept', 'name.$': '$$.State.Name' },
        ResultSelector: { 'picked.$': '$.deep.value' },
        ResultPath: '$.out.result',
        OutputPath: '$.out',
      }),
    };
    const { output, host } = await run(
      states,
      { in: { x: 1 }, out: { before: true } },
      { a: () => ({ deep: { value: 7 } }) },
    );
    expect(host.calls).toEqual([['a', { given: 1, state: 'kept', name: 'A' }]]);
    expect(output).toEqual({ before: true, result: { picked: 7 } });
  });

  test('are an empty object if InputPath or OutputPath is null, and the input if ResultPath is null', async () => {
    const states = {
      A: task('a', { InputPath: null, ResultPath: null, End: undefined, Next: 'B' }),
      B: { Type: 'Pass', Result: 1, ResultPath: '$.b', Next: 'C' },
      C: { Type: 'Wait', Seconds: 7, Next: 'D' },
      D: { Type: 'Succeed' },
    };
    const { output, host, waits } = await run(states, { x: 1 }, { a: () => 'dropped' });
    expect(host.calls).toEqual([['a', {}]]);
    expect([output, waits]).toEqual([{ x: 1, b: 1 }, [7]]);
    await fixture?.stop();
    expect((await run({ A: { Type: 'Pass', OutputPath: null, End: true } }, 1)).output).toEqual({});
  });

  test.each<[Json]>([[null], [false], [0], [''], [[]], [{}]])('can be %j in every state', async (value) => {
    const states = {
      P: { Type: 'Pass', InputPath: '$.v', Next: 'C' },
      C: { Type: 'Choice', Choices: [{ Not: { Variable: '$', IsPresent: false }, Next: 'T' }] },
      T: task('a', { InputPath: '$', OutputPath: '$', End: undefined, Next: 'W' }),
      W: { Type: 'Wait', Seconds: 1, Next: 'M' },
      M: {
        Type: 'Pass',
        Parameters: { 'list.$': 'States.Array($, $)' },
        OutputPath: '$.list',
        Next: 'E',
      },
      E: {
        Type: 'Map',
        ItemProcessor: { StartAt: 'I', States: { I: { Type: 'Pass', End: true } } },
        ResultSelector: { 'first.$': '$[0]' },
        OutputPath: '$.first',
        Next: 'R',
      },
      R: { Type: 'Pass', Result: value, End: true },
    };
    const { status, output, host } = await run(states, { v: value }, { a: (event) => event });
    expect([status, output, host.calls]).toEqual(['SUCCEEDED', value, [['a', value]]]);
  });

  test('fail with States.Runtime, which cannot be caught, if a path selects nothing', async () => {
    const catches = { Catch: [{ ErrorEquals: ['States.ALL'], Next: 'A' }] };
    for (const fields of [{ InputPath: '$.no' }, { OutputPath: '$.no' }, { Parameters: { 'x.$': '$.no' } }]) {
      const { status, error } = await run({ A: task('a', { ...catches, ...fields }) }, { x: 1 }, { a: () => ({}) });
      expect([fields, status, error]).toEqual([fields, 'FAILED', 'States.Runtime']);
      await fixture?.stop();
    }
  });
});

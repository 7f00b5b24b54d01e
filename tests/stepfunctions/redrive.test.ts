import { readFileSync, truncateSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, describe, expect, test } from '@jest/globals';
import { DescribeExecutionCommand, ExecutionNotRedrivable, RedriveExecutionCommand } from '@aws-sdk/client-sfn';
import {
  asIfKilled,
  definitionFile,
  type Fixture,
  folder,
  hostOf,
  namedError,
  removeFolders,
  serve,
  task,
  until,
} from './project.ts';

const open: Fixture[] = [];
afterEach(async () => {
  for (const fixture of open.splice(0)) await fixture.stop();
});
afterAll(removeFolders);

async function served(definition: object, behaviours: Parameters<typeof hostOf>[0], directory = folder()) {
  const host = hostOf(behaviours);
  const fixture = await serve({ definitionFile: definitionFile(definition), host, directory });
  open.push(fixture);
  return { ...fixture, host };
}

/** Number of times that an iteration succeeded. */
const successes = ({ progress }: Pick<Fixture, 'progress'>, item: number): number =>
  progress.filter((step) => step.kind === 'iteration-succeeded' && step.index === item).length;

/** Doubles every item in two steps and adds them up. */
const pipeline = {
  StartAt: 'First',
  States: {
    First: task('c', { ResultPath: '$.first', End: undefined, Next: 'Each' }),
    Each: {
      Type: 'Map',
      ItemsPath: '$.items',
      ItemProcessor: {
        StartAt: 'Double',
        States: { Double: task('a', { End: undefined, Next: 'Check' }), Check: task('b') },
      },
      End: true,
    },
  },
};

describe('a redrive', () => {
  test('continues at the failed state and runs only the missing iterations and steps', async () => {
    let broken = true;
    const fixture = await served(pipeline, {
      a: (event) => Number(event) * 2,
      b: async (event) => {
        if (Number(event) === 4 && broken) {
          await until(() => successes(fixture, 0) === 1 && successes(fixture, 2) === 1);
          throw namedError('Broken');
        }
        return Number(event) + 1;
      },
      c: () => 'first',
    });
    const { client, engine, host, events } = fixture;
    const { executionArn } = engine.start({ name: 'r', input: '{"items":[1,2,3]}' });
    await engine.idle();
    expect(engine.describe(executionArn)).toMatchObject({ status: 'FAILED', error: 'Broken' });
    broken = false;
    const called = host.calls.length;
    await client.send(new RedriveExecutionCommand({ executionArn, clientToken: 'once' }));
    await engine.idle();
    expect(host.calls.slice(called)).toEqual([['b', 4]]);
    const description = await client.send(new DescribeExecutionCommand({ executionArn }));
    expect(description).toMatchObject({ status: 'SUCCEEDED', output: '[3,5,7]', redriveCount: 1 });
    expect(description.error).toBeUndefined();
    const types = engine.history(executionArn).map(({ type }) => type);
    expect(types).toContain('ExecutionRedriven');
    expect(types.filter((type) => type === 'MapIterationSucceeded')).toHaveLength(3);
    expect(events.map(({ detail }) => [detail.status, detail.redriveCount])).toEqual([
      ['RUNNING', 0],
      ['FAILED', 0],
      ['RUNNING', 1],
      ['SUCCEEDED', 1],
    ]);
    const again = await client.send(new RedriveExecutionCommand({ executionArn, clientToken: 'once' }));
    expect(again.redriveDate).toEqual(description.redriveDate);
    await expect(client.send(new RedriveExecutionCommand({ executionArn }))).rejects.toThrow(ExecutionNotRedrivable);
  });

  test('can be repeated, and each run skips what earlier runs completed', async () => {
    const bad = new Set([0, 1]);
    const good = (): number[] => [0, 1, 2].filter((item) => !bad.has(item));
    const fixture = await served(pipeline, {
      a: (event) => event,
      b: async (event) => {
        if (!bad.has(Number(event))) return event;
        await until(() => good().every((item) => successes(fixture, item) > 0));
        throw namedError(`Broken${Number(event)}`);
      },
      c: () => null,
    });
    const { engine, host } = fixture;
    const { executionArn } = engine.start({ input: '{"items":[0,1,2]}' });
    await engine.idle();
    bad.delete(0);
    engine.redrive(executionArn);
    await engine.idle();
    expect(engine.describe(executionArn)).toMatchObject({ status: 'FAILED', error: 'Broken1' });
    bad.clear();
    engine.redrive(executionArn);
    await engine.idle();
    expect(engine.describe(executionArn)).toMatchObject({ status: 'SUCCEEDED', output: '[0,1,2]', redriveCount: 2 });
    const of = (key: string): unknown[] => host.calls.filter((call) => call[0] === key).map(([, event]) => event);
    expect(of('c')).toHaveLength(1);
    expect(of('a')).toEqual([0, 1, 2]);
    expect(of('b').filter((event) => event === 2)).toHaveLength(1);
  });

  test('does not reuse iterations of an attempt that Retry restarted', async () => {
    let failures = 2;
    const map = { ...pipeline.States.Each, Retry: [{ ErrorEquals: ['Once'], IntervalSeconds: 1, MaxAttempts: 1 }] };
    const fixture = await served(
      { StartAt: 'Each', States: { Each: map } },
      {
        a: (event) => event,
        b: async (event) => {
          if (event === 0 || failures === 0) return event;
          // The other iteration succeeds once in each attempt.
          const attempt = 3 - failures--;
          await until(() => successes(fixture, 0) === attempt);
          throw namedError('Once');
        },
      },
    );
    const { engine, host } = fixture;
    const { executionArn } = engine.start({ input: '{"items":[0,1]}' });
    await engine.idle();
    expect(engine.describe(executionArn).status).toBe('FAILED');
    engine.redrive(executionArn);
    await engine.idle();
    expect(engine.describe(executionArn)).toMatchObject({ status: 'SUCCEEDED', output: '[0,1]' });
    expect(host.calls.filter(([key, event]) => key === 'b' && event === 0)).toHaveLength(2);
  });

  test('of a Parallel runs only the branch that failed', async () => {
    let broken = true;
    const branch = (key: string): object => ({ StartAt: `In${key}`, States: { [`In${key}`]: task(key) } });
    const parallel = { Type: 'Parallel', Branches: [branch('a'), branch('b')], End: true };
    const { engine, host, progress } = await served(
      { StartAt: 'Both', States: { Both: parallel } },
      {
        a: () => 'a',
        b: async () => {
          await until(() => progress.some((step) => step.kind === 'state-exited' && step.state === 'Ina'));
          if (broken) throw namedError('Broken');
          return 'b';
        },
      },
    );
    const { executionArn } = engine.start({});
    await engine.idle();
    broken = false;
    engine.redrive(executionArn);
    await engine.idle();
    expect(engine.describe(executionArn).output).toBe('["a","b"]');
    expect(host.calls.map(([key]) => key)).toEqual(['a', 'b', 'b']);
  });

  test('is refused while running, after a success and after 14 days', async () => {
    let now = new Date('2026-01-01T00:00:00Z');
    const gate = Promise.withResolvers<undefined>();
    const definition = definitionFile({ StartAt: 'A', States: { A: task('a') } });
    const fixture = await serve({
      definitionFile: definition,
      host: hostOf({ a: () => gate.promise }),
      clock: () => now,
    });
    open.push(fixture);
    const { engine } = fixture;
    const { executionArn } = engine.start({});
    expect(() => engine.redrive(executionArn)).toThrow(/RUNNING/);
    gate.reject(namedError('Broken'));
    await engine.idle();
    now = new Date('2026-01-15T00:00:01Z');
    expect(() => engine.redrive(executionArn)).toThrow(/14 days/);
    expect(engine.describe(executionArn).notRedrivable).toMatch(/14 days/);
  });
});

describe('after the process was killed', () => {
  test('all reported changes are stored, and a redrive continues the execution', async () => {
    const gate = Promise.withResolvers<unknown>();
    const first = await served(pipeline, {
      a: (event) => event,
      b: (event) => (event === 2 ? gate.promise : event),
      c: () => null,
    });
    const { executionArn } = first.engine.start({ name: 'Killed', input: '{"items":[1,2,3]}' });
    const done = first.engine.start({ name: 'done', input: '{"items":[]}' });
    await until(
      () =>
        first.progress.filter(({ kind }) => kind === 'iteration-succeeded').length === 2 &&
        first.engine.describe(done.executionArn).status === 'SUCCEEDED',
    );
    const directory = asIfKilled(first.directory);
    const second = await served(pipeline, { a: (event) => event, b: (event) => event }, directory);
    expect(second.events.map(({ detail }) => [detail.name, detail.status, detail.error])).toEqual([
      ['Killed', 'ABORTED', 'Stepwell.Interrupted'],
    ]);
    expect(second.engine.describe(done.executionArn)).toMatchObject({ status: 'SUCCEEDED', output: '[]' });
    second.engine.redrive(executionArn);
    await second.engine.idle();
    expect(second.host.calls).toEqual([['b', 2]]);
    expect(second.engine.describe(executionArn)).toMatchObject({ status: 'SUCCEEDED', output: '[1,2,3]' });
    const ids = second.engine.history(executionArn).map(({ id }) => id);
    expect(ids).toEqual(ids.map((_id, index) => index + 1));
    gate.resolve(2);
  });

  test('the engine starts and a redrive completes the execution, wherever the log was truncated', async () => {
    const turn = (event: unknown): Promise<unknown> => new Promise((done) => setImmediate(done, event));
    const functions = { a: turn, b: turn, c: () => turn(null) };
    const first = await served(pipeline, functions);
    const { executionArn } = first.engine.start({ name: 'cut', input: '{"items":[1,2]}' });
    await first.engine.idle();
    const log = 'stepwell.db-wal';
    const { length } = readFileSync(join(first.directory, log));
    const found = new Set<number>();
    for (let size = 0; size < length; size += Math.ceil(length / 40)) {
      const directory = asIfKilled(first.directory);
      truncateSync(join(directory, log), size);
      const next = await served(pipeline, functions, directory);
      const [execution] = next.engine.list();
      if (execution) next.engine.redrive(executionArn);
      await next.engine.idle();
      if (execution) expect(next.engine.describe(executionArn).output).toBe('[1,2]');
      found.add(next.host.calls.length);
    }
    // 0 calls if nothing or everything was recorded, 5 after the start, and fewer after every
    // commit.
    expect([...found].sort()).toEqual([0, 2, 4, 5]);
  });
});

test('stopping the engine interrupts running executions, which the next engine can redrive', async () => {
  const definition = { StartAt: 'A', States: { A: task('a') } };
  const directory = folder();
  const host = hostOf({ a: () => new Promise(() => undefined) });
  const first = await serve({ definitionFile: definitionFile(definition), host, directory, concurrency: 1 });
  const { executionArn } = first.engine.start({ name: 'one' });
  first.engine.start({ name: 'two' });
  await until(() => host.calls.length === 1);
  await first.stop();
  expect(host.calls).toHaveLength(1);
  const second = await served(definition, { a: () => 'done' }, directory);
  expect(second.events).toEqual([]);
  expect(second.engine.list('ABORTED').map(({ name }) => name)).toEqual(['two', 'one']);
  second.engine.redrive(executionArn);
  await second.engine.idle();
  expect(second.engine.describe(executionArn).output).toBe('"done"');
});

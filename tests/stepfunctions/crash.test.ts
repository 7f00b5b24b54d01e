import { afterAll, afterEach, expect, test } from '@jest/globals';
import {
  asIfKilled,
  definitionFile,
  type Fixture,
  folder,
  hostOf,
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

const definition = { StartAt: 'A', States: { A: task('a') } };
const hang = (): Promise<never> => new Promise(() => undefined);

type Behaviour = Parameters<typeof hostOf>[0]['a'];

/** An engine of one function on a database. */
async function started(a: NonNullable<Behaviour>, directory = folder(), concurrency = 4) {
  const host = hostOf({ a });
  const fixture = await serve({ definitionFile: definitionFile(definition), host, directory, concurrency });
  open.push(fixture);
  return { ...fixture, host };
}

/** Starts executions, waits until their functions run, and kills the process. */
async function crashDuring(names: readonly string[], directory?: string): Promise<string> {
  const { engine, host, directory: own } = await started(hang, directory);
  for (const name of names) {
    const arn = engine.arnOf(name);
    if (engine.list().some((known) => known.name === name)) engine.redrive(arn);
    else engine.start({ name });
  }
  await until(() => host.calls.length > 0);
  // A read commits what is not committed yet.
  engine.list();
  return asIfKilled(own);
}

test('an execution is ABORTED after one crash and FAILED as CRASHED after the second', async () => {
  const once = await crashDuring(['one']);
  const first = await started(hang, once);
  const arn = first.engine.arnOf('one');
  expect(first.engine.describe(arn)).toMatchObject({ status: 'ABORTED', error: 'Stepwell.Interrupted', crashes: 1 });
  const second = await started(hang, await crashDuring(['one'], asIfKilled(first.directory)));
  expect(second.engine.describe(arn)).toMatchObject({ status: 'FAILED', error: 'CRASHED', crashes: 2 });
  expect(second.events).toMatchObject([{ detail: { status: 'FAILED', error: 'CRASHED' } }]);
});

test('an execution that is stopped with its engine is not counted as crashed', async () => {
  const directory = folder();
  for (let stops = 0; stops < 3; stops++) {
    const fixture = await started(hang, directory);
    const { engine } = fixture;
    const arn = engine.arnOf('one');
    if (stops === 0) engine.start({ name: 'one' });
    else engine.redrive(arn);
    await engine.stop();
    expect(engine.describe(arn)).toMatchObject({ status: 'ABORTED', crashes: 0 });
    open.pop();
    await fixture.stop();
  }
});

test('executions after a crash run one by one after the others, so that only one of them can crash again', async () => {
  const suspects = ['a', 'b', 'c'];
  const order: string[] = [];
  let active = 0;
  let most = 0;
  const fixture = await started(
    async (event) => {
      most = Math.max(most, ++active);
      order.push((event as { name?: string }).name ?? 'suspect');
      await new Promise((resolve) => setTimeout(resolve, 5));
      active -= 1;
    },
    await crashDuring(suspects),
  );
  for (const name of suspects) fixture.engine.redrive(fixture.engine.arnOf(name));
  for (const name of ['d', 'e']) fixture.engine.start({ name, input: JSON.stringify({ name }) });
  await fixture.engine.idle();
  expect(fixture.engine.list('SUCCEEDED')).toHaveLength(5);
  // The first of them had begun when the others arrived.
  expect(order).toEqual(['suspect', 'd', 'e', 'suspect', 'suspect']);
  expect(most).toBe(2);
});

test('a second crash counts only for the execution that was begun', async () => {
  const twice = await crashDuring(['a', 'b', 'c'], await crashDuring(['a', 'b', 'c']));
  const { engine } = await started(hang, twice);
  const errors = ['a', 'b', 'c'].map((name) => engine.describe(engine.arnOf(name)).error);
  expect(errors).toEqual(['CRASHED', 'Stepwell.Interrupted', 'Stepwell.Interrupted']);
});

test('a redrive runs a crashed execution again, and one more crash ends it', async () => {
  const twice = await crashDuring(['one'], await crashDuring(['one']));
  const thrice = await crashDuring(['one'], twice);
  const { engine } = await started(() => 'done', thrice);
  const arn = engine.arnOf('one');
  expect(engine.describe(arn)).toMatchObject({ status: 'FAILED', error: 'CRASHED' });
  engine.redrive(arn);
  await engine.idle();
  expect(engine.describe(arn)).toMatchObject({ status: 'SUCCEEDED' });
});

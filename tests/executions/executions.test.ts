import { afterAll, afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { embeddedExecutions } from '../../src/executions/embedded.ts';
import type { Executions } from '../../src/executions/executions.ts';
import { sfnExecutions } from '../../src/executions/sfn.ts';
import {
  definitionFile,
  type Fixture,
  hostOf,
  namedError,
  removeFolders,
  serve,
  task,
} from '../stepfunctions/project.ts';

const adapters: [string, (fixture: Fixture) => Executions][] = [
  ['a Step Functions client', ({ client, engine }) => sfnExecutions(client, engine.stateMachine.arn)],
  ['the embedded engine', ({ engine }) => embeddedExecutions(engine)],
];

afterAll(removeFolders);

describe.each(adapters)('executions through %s', (_adapter, connect) => {
  let fixture: Fixture;
  let executions: Executions;
  let failing: boolean;
  beforeEach(async () => {
    failing = true;
    const render = (): object => {
      if (failing) throw namedError('TypeError', 'a defect');
      return {};
    };
    fixture = await serve({
      definitionFile: definitionFile({ StartAt: 'Render', States: { Render: task('a') } }),
      host: hostOf({ a: render }),
    });
    executions = connect(fixture);
  });
  afterEach(() => fixture.stop());

  test('are started once per name, both while they run and after they have ended', async () => {
    failing = false;
    const arn = await executions.start('one', '{"a":1}');
    expect(arn).toBe(executions.arnOf('one'));
    expect(await executions.start('one', '{"a":1}')).toBe(arn);
    await fixture.engine.idle();
    expect(await executions.start('one', '{"a":1}')).toBe(arn);
    expect(fixture.engine.list().map(({ name, status }) => [name, status])).toEqual([['one', 'SUCCEEDED']]);
  });

  test('report their error and can be redriven', async () => {
    const arn = await executions.start('one', '{}');
    await fixture.engine.idle();
    expect(await executions.describe(arn)).toMatchObject({ status: 'FAILED', error: 'TypeError' });
    failing = false;
    await executions.redrive(arn);
    await fixture.engine.idle();
    expect(await executions.describe(arn)).toMatchObject({ status: 'SUCCEEDED' });
    await expect(executions.redrive(arn)).rejects.toMatchObject({ name: 'ExecutionNotRedrivable' });
  });

  test('throw ExecutionDoesNotExist when they do not exist', async () => {
    await expect(executions.describe(executions.arnOf('none'))).rejects.toMatchObject({
      name: 'ExecutionDoesNotExist',
    });
  });
});

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { afterAll, expect, test } from '@jest/globals';
import { readFunctions } from '../../src/local/functions.ts';
import { inProcessHost } from '../../src/local/in-process-host.ts';
import { definitionFile, folder, removeFolders, serve, service, task } from './project.ts';

afterAll(removeFolders);

const definition = {
  StartAt: 'A',
  States: {
    A: task('a', { ResultPath: '$.a', End: undefined, Next: 'B' }),
    B: task('b'),
  },
};

test('executions of a killed process can be redriven by another process', async () => {
  const serviceFile = service({
    a: 'export const handler = () => process.pid;',
    b: "export const handler = (event: unknown) => process.env['HANG'] ? new Promise(() => undefined) : event;",
  });
  const directory = folder();
  const machine = definitionFile(definition);
  const script = join(folder(), 'run.ts');
  const source = (name: string): string => JSON.stringify(resolve(`src/${name}.ts`));
  writeFileSync(
    script,
    `import { startEngine } from ${source('stepfunctions/engine')};
     import { readFunctions } from ${source('local/functions')};
     import { openDatabase } from ${source('database/database')};
     import { executionMigrations, sqliteExecutionStore } from ${source('stepfunctions/sqlite-store')};
     import { inProcessHost } from ${source('local/in-process-host')};
     const functions = readFunctions(${JSON.stringify(serviceFile)});
     const engine = startEngine({
       store: sqliteExecutionStore(openDatabase(${JSON.stringify(join(directory, 'stepwell.db'))}, executionMigrations)),
       definitionFile: ${JSON.stringify(machine)}, functions,
       host: inProcessHost(functions),
       onProgress: (step) => { if (step.kind === 'state-entered') console.log(step.state); },
     });
     engine.start({ name: 'killed', input: '{}' });
     setInterval(() => undefined, 1000);`,
  );
  const child = spawn(process.execPath, [script], { env: { ...process.env, HANG: '1', NODE_OPTIONS: '' } });
  let said = '';
  for await (const text of child.stdout as AsyncIterable<Buffer>) {
    said += text.toString();
    if (said.includes('B')) break;
  }
  child.kill('SIGKILL');
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');

  const functions = readFunctions(serviceFile);
  const fixture = await serve({ definitionFile: machine, host: inProcessHost(functions), functions, directory });
  const executionArn = fixture.engine.arnOf('killed');
  const before = fixture.engine.describe(executionArn);
  fixture.engine.redrive(executionArn);
  await fixture.engine.idle();
  const { status, output } = fixture.engine.describe(executionArn);
  await fixture.stop();
  expect(before).toMatchObject({ status: 'ABORTED', error: 'Stepwell.Interrupted' });
  expect(status).toBe('SUCCEEDED');
  expect(JSON.parse(output ?? '')).toEqual({ a: child.pid });
});

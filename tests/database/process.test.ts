import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { openDatabase } from '../../src/database/database.ts';
import { lockWorkspace } from '../../src/database/lock.ts';

const things = { version: 1, name: 'things', sql: 'CREATE TABLE things (name TEXT) STRICT;' };

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'database-'));
});
const children: ChildProcess[] = [];
afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
  rmSync(folder, { recursive: true, force: true });
});

/** Runs a module in another process until it prints a line. */
async function other(body: string): Promise<ChildProcess> {
  const url = (name: string): string => JSON.stringify(pathToFileURL(path.resolve('src/database', name)).href);
  const module = `import { openDatabase } from ${url('database.ts')};
    import { lockWorkspace } from ${url('lock.ts')};
    ${body}
    console.log('ready');
    setInterval(() => {}, 1000);`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', module], { stdio: ['ignore', 'pipe', 'pipe'] });
  children.push(child);
  const errors: Buffer[] = [];
  child.stderr.on('data', (chunk: Buffer) => errors.push(chunk));
  const [first] = (await Promise.race([once(child.stdout, 'data'), once(child, 'exit')])) as [unknown];
  expect({ first: String(first).trim(), errors: Buffer.concat(errors).toString() }).toEqual({
    first: 'ready',
    errors: '',
  });
  return child;
}

async function kill(child: ChildProcess): Promise<void> {
  const exit = once(child, 'exit');
  child.kill('SIGKILL');
  await exit;
}

test('a committed write survives a killed process, and opening the file prints no warning', async () => {
  const file = path.join(folder, 'stepwell.db');
  const writer = await other(`
    const database = openDatabase(${JSON.stringify(file)}, [${JSON.stringify(things)}]);
    database.run('INSERT INTO things VALUES (?)', ['committed']);
    database.run('BEGIN IMMEDIATE');
    database.run('INSERT INTO things VALUES (?)', ['not committed']);`);
  await kill(writer);
  const database = openDatabase(file, [things]);
  expect(database.all('SELECT name FROM things')).toEqual([{ name: 'committed' }]);
  database.close();
});

test('a workspace is locked by one process, and the lock of a killed process is released', async () => {
  const file = path.join(folder, 'lock');
  const owner = await other(`lockWorkspace(${JSON.stringify(file)});`);
  const refused = (): unknown => lockWorkspace(file);
  expect(refused).toThrow(
    expect.objectContaining({
      name: 'UsageError',
      message: expect.stringContaining(`Process ${owner.pid} already uses this workspace`) as unknown,
    }),
  );
  await kill(owner);
  const release = lockWorkspace(file);
  expect(refused).toThrow(`Process ${process.pid} already uses this workspace`);
  release();
  lockWorkspace(file)();
});

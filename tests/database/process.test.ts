import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { openDatabase } from '../../src/database/database.ts';
import { lockWorkspace } from '../../src/database/lock.ts';
import { isRunning } from '../../src/database/owner.ts';

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

/** A module that imports the functions under test, prints a line after `body`, and keeps running. */
function moduleOf(body: string): string {
  const url = (name: string): string => JSON.stringify(pathToFileURL(path.resolve('src/database', name)).href);
  return `import { openDatabase } from ${url('database.ts')};
    import { lockWorkspace } from ${url('lock.ts')};
    ${body}
    console.log('ready');
    setInterval(() => {}, 1000);`;
}

/** Runs a module in another process until it prints a line. */
async function other(body: string): Promise<ChildProcess> {
  const child = spawn(process.execPath, ['--input-type=module', '-e', moduleOf(body)], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
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

/**
 * Runs a module in a process whose parent never reads its exit status. Returns the process id of
 * the module.
 */
async function unreaped(body: string): Promise<number> {
  const command = '"$NODE" --input-type=module -e "$MODULE" & echo $!; exec sleep 1000';
  const env = { ...process.env, NODE: process.execPath, MODULE: moduleOf(body) };
  const parent = spawn('sh', ['-c', command], { env, stdio: ['ignore', 'pipe', 'inherit'] });
  children.push(parent);
  let said = '';
  for await (const text of parent.stdout.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
    said += text.toString();
    if (said.includes('ready')) break;
  }
  return Number(said.split('\n')[0]);
}

function stateOf(pid: number): string | undefined {
  return /\) (?<state>.) /u.exec(readFileSync(`/proc/${pid}/stat`, 'latin1'))?.groups?.['state'];
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

test('a workspace can be locked although the killed process that held its lock is a zombie', async () => {
  const file = path.join(folder, 'lock');
  // The memory of the owner takes the system a while to free, during which its files are open.
  const owner = await unreaped(`lockWorkspace(${JSON.stringify(file)});
    globalThis.memory = Buffer.alloc(700_000_000, 1);`);
  process.kill(owner, 'SIGKILL');
  while (stateOf(owner) !== 'Z') await setTimeout(1);
  const release = lockWorkspace(file);
  expect([stateOf(owner), release.unfinishedSince?.getTime()]).toEqual(['Z', expect.any(Number)]);
  release();
});

test('a lock is refused to a process that has the process id of a former owner only', async () => {
  const file = path.join(folder, 'lock');
  const owner = await other(`lockWorkspace(${JSON.stringify(file)});`);
  expect(isRunning({ pid: owner.pid ?? 0, started: 0 })).toBe(true);
  expect(isRunning({ pid: owner.pid ?? 0, started: 1 })).toBe(false);
  await kill(owner);
  expect(isRunning({ pid: owner.pid ?? 0, started: 0 })).toBe(false);
});

test('a lock tells since when its last owner may have left unfinished files', async () => {
  const file = path.join(folder, 'lock');
  const first = lockWorkspace(file);
  expect(first.unfinishedSince).toBeUndefined();
  first();
  const second = lockWorkspace(file);
  expect(second.unfinishedSince).toBeUndefined();
  second('unfinished');
  const third = lockWorkspace(file);
  expect(third.unfinishedSince).toBeDefined();
  third();
  const before = new Date(Date.now() - 1_000);
  await kill(await other(`lockWorkspace(${JSON.stringify(file)});`));
  const fourth = lockWorkspace(file);
  expect(fourth.unfinishedSince?.getTime()).toBeGreaterThan(before.getTime());
  fourth();
});

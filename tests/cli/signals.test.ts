import { afterEach, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { link, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { openState } from '../../src/local/state.ts';
import { collect, killCommands, runCommand, startProcess } from '../support/command.ts';
import { pictureOf } from '../support/pixels.ts';
import { eventually } from '../support/processes.ts';

let folder: string;
let picture: Buffer;
beforeAll(async () => {
  picture = await pictureOf(200, 150).jpeg().toBuffer();
});
beforeEach(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), 'stepwell-signals-'));
  await mkdir(path.join(folder, 'in'));
});
afterEach(async () => {
  killCommands();
  await rm(folder, { recursive: true, force: true });
});

/** Puts files of the same picture in the folder of masters. */
async function fill(count: number): Promise<void> {
  const first = path.join(folder, 'in', '0000.jpg');
  await writeFile(first, picture);
  for (let index = 1; index < count; index++) {
    await link(first, path.join(folder, 'in', `${String(index).padStart(4, '0')}.jpg`));
  }
}

test.each([
  ['SIGINT', 130, 1_500],
  ['SIGTERM', 143, 300],
  ['SIGHUP', 129, 300],
] as const)('%s stops a run over a folder with an exit code of %i, and the next run resumes it', async (...of) => {
  const [signal, code, files] = of;
  await fill(files);
  const action = { line: ': published (', number: 20, signal };
  const stopped = await runCommand(folder, ['in'], { action });
  expect([stopped.code, stopped.err]).toEqual([code, '']);
  expect(stopped.out).toContain('Stopping. Run the same command again to resume.\n');
  expect(stopped.out).not.toMatch(/FAILED|ABORTED/u);
  // The table shows that the command ended by itself, before its limit.
  const rows = stopped.out.split('\n').filter((line) => /^in\/\d{4}\.jpg /u.test(line));
  expect(rows).toHaveLength(files);
  const begun = rows.filter((row) => row.includes(' PUBLISHED ')).length;
  expect(rows.filter((row) => row.includes(' UNFINISHED'))).toHaveLength(files - begun);
  openState(path.join(folder, '.stepwell')).close();
  // The next run is over fewer files, among them those that were being processed.
  for (const name of await readdir(path.join(folder, 'in'))) {
    if (Number.parseInt(name, 10) > begun + 20) await rm(path.join(folder, 'in', name));
  }
  const again = await runCommand(folder, ['in']);
  expect([again.code, again.err]).toEqual([0, '']);
  expect(again.out.match(/: resumed$/gmu) ?? []).not.toEqual([]);
});

test('a signal ends the process although a thread computes for longer', async () => {
  const module = `
    import { pbkdf2 } from 'node:crypto';
    import { endProcess, stoppedExitCode, stopSignal } from ${JSON.stringify(path.resolve('src/cli/signals.ts'))};
    const signal = stopSignal({ withParent: false });
    signal.addEventListener('abort', () => endProcess(stoppedExitCode(signal)));
    pbkdf2('', '', 2 ** 31 - 1, 64, 'sha512', () => {});
    console.log('computing');`;
  const child = startProcess(process.execPath, ['--input-type=module', '-e', module]);
  const out = collect(child.stdout, () => {
    void setTimeout(100).then(() => child.kill('SIGTERM'));
  });
  const [code] = (await once(child, 'close')) as [number | null];
  expect([code, out()]).toEqual([143, 'computing\n']);
});

test('a signal ends the process within five seconds although the run does not end', async () => {
  const module = `
    import { stopSignal } from ${JSON.stringify(path.resolve('src/cli/signals.ts'))};
    stopSignal({ withParent: false });
    setInterval(() => {}, 1000);
    const { setTimeout } = globalThis;
    globalThis.setTimeout = (callback, milliseconds, ...rest) => {
      console.log(milliseconds);
      return setTimeout(callback, 1, ...rest);
    };
    process.kill(process.pid, 'SIGTERM');`;
  const child = startProcess(process.execPath, ['--input-type=module', '-e', module]);
  const out = collect(child.stdout);
  const [code] = (await once(child, 'close')) as [number | null];
  expect(code).toBe(143);
  expect(out()).toMatch(/^\d+\n$/u);
  expect(Number(out())).toBeLessThan(5_000);
});

test('the command ends when the reader of its output does', async () => {
  await fill(200);
  const pipe = `"${process.execPath}" "${path.resolve('src/cli/main.ts')}" in | head -n 1; echo done`;
  const child = startProcess('sh', ['-c', pipe], { cwd: folder });
  const [out, err] = [collect(child.stdout), collect(child.stderr)];
  await once(child, 'close');
  expect([out().split('\n').at(-2), err()]).toEqual(['done', '']);
  expect((await readdir(path.join(folder, 'published'))).length).toBeLessThan(400);
  openState(path.join(folder, '.stepwell')).close();
});

test('the command ends when the npm that started it is killed', async () => {
  await fill(2);
  const argv = ['start', '--prefix', process.cwd(), '--', path.join(folder, 'in'), '--serve'];
  const folders = ['--out', path.join(folder, 'out'), '--workspace', path.join(folder, 'workspace')];
  const npm = startProcess('npm', [...argv, ...folders], { cwd: folder });
  const { promise: idle, resolve } = Promise.withResolvers<undefined>();
  collect(npm.stdout, (line) => {
    if (line.startsWith('All files are done.')) resolve(undefined);
  });
  await idle;
  const command = await childOf(npm.pid ?? 0);
  npm.kill('SIGKILL');
  await eventually(() => !hasProgram(command));
  openState(path.join(folder, 'workspace')).close();
});

/** The process that a process started last, or that this one started last, and so on. */
async function childOf(pid: number): Promise<number> {
  const children = await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8');
  const last = children.trim().split(' ').at(-1);
  return last ? childOf(Number(last)) : pid;
}

/** False for a zombie, which remains until its parent reads its exit status. */
function hasProgram(pid: number): boolean {
  try {
    return !/\) [ZX] /u.test(readFileSync(`/proc/${pid}/stat`, 'latin1'));
  } catch {
    return false;
  }
}

/**
 * Time and memory of one process and its children, as GNU time reads them from the kernel (wait4).
 */
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { readFile, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';

export interface Command {
  readonly program: string;
  readonly args: readonly string[];
  readonly cwd?: string;
}

export interface Measured {
  readonly wallSeconds: number;
  /** User and system time of the process and its children. */
  readonly cpuSeconds: number;
  /** Peak resident memory of the largest single process. */
  readonly peakBytes: number;
  readonly stdout: string;
}

const gnuTime = '/usr/bin/time';

/** Throws an error with the end of the program's output when it does not exit with 0. */
export async function measure(command: Command): Promise<Measured> {
  if (!existsSync(gnuTime)) throw new Error(`Expected GNU time at ${gnuTime}: apt-get install time`);
  const report = path.join(os.tmpdir(), `stepwell-bench-${process.pid}.time`);
  const args = ['-q', '-o', report, '-f', '%U %S %M', command.program, ...command.args];
  const begun = performance.now();
  const { code, stdout, stderr } = await finished(gnuTime, args, command.cwd);
  const wallSeconds = (performance.now() - begun) / 1000;
  if (code !== 0) {
    const output = `${stderr}\n${stdout}`.trim().slice(-2000);
    throw new Error(`${command.program} ${command.args.join(' ')} exited with ${String(code)}:\n${output}`);
  }
  const [user = 0, system = 0, kilobytes = 0] = (await readFile(report, 'utf8')).trim().split(' ').map(Number);
  await rm(report, { force: true });
  return { wallSeconds, cpuSeconds: user + system, peakBytes: kilobytes * 1024, stdout };
}

/** Waits until the output of earlier runs is on disk, so that the next run does not pay for it. */
export async function settle(): Promise<void> {
  await finished('sync', [], undefined);
}

interface Finished {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

function finished(program: string, args: readonly string[], cwd: string | undefined): Promise<Finished> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, [...args], {
      stdio: ['ignore', 'pipe', 'pipe'],
      ...(cwd === undefined ? {} : { cwd }),
    });
    let stdout = '';
    let stderr = '';
    child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()));
    child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
    child.on('error', reject);
    child.on('close', (code) => {
      resolve({ code, stdout, stderr });
    });
  });
}

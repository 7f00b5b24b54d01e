/** Runs the command line in processes of its own. */
import { type ChildProcess, type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import type { ActionOnLine } from './act-on-line.ts';

const program = path.resolve('src/cli/main.ts');
const actOnLine = pathToFileURL(path.resolve('tests/support/act-on-line.ts')).href;

export interface EndedCommand {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

/** The environment of commands: that of the tests without the options of Jest's process. */
const environment: NodeJS.ProcessEnv = { ...process.env, NODE_OPTIONS: '' };
const running = new Set<ChildProcess>();

/** Starts a process that `killCommands` ends if it still runs. */
export function startProcess(
  file: string,
  argv: readonly string[],
  { env = {}, ...options }: { readonly cwd?: string; readonly env?: NodeJS.ProcessEnv } = {},
): ChildProcessWithoutNullStreams {
  const child = spawn(file, argv, { ...options, env: { ...environment, ...env } });
  running.add(child);
  child.once('close', () => running.delete(child));
  return child;
}

/** Kills the processes that still run, such as those of a failed test. */
export function killCommands(): void {
  for (const child of running) child.kill('SIGKILL');
  running.clear();
}

export interface CommandOptions {
  /** What happens in the process of the command while it prints a line. */
  readonly action?: ActionOnLine;
  readonly env?: NodeJS.ProcessEnv;
}

/** Runs the command in a folder until it ends. */
export async function runCommand(
  folder: string,
  argv: readonly string[],
  { action, env = {} }: CommandOptions = {},
): Promise<EndedCommand> {
  const options = action ? ['--import', actOnLine] : [];
  const child = startProcess(process.execPath, [...options, program, ...argv], {
    cwd: folder,
    env: action ? { ...env, ACT_ON_LINE: JSON.stringify(action) } : env,
  });
  const [out, err] = [collect(child.stdout), collect(child.stderr)];
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, out: out(), err: err() };
}

/** Collects the text of a stream and calls back with its lines. */
export function collect(stream: NodeJS.ReadableStream, onLine: (line: string) => void = () => undefined): () => string {
  let text = '';
  let reported = 0;
  stream.setEncoding('utf8').on('data', (more: string) => {
    text += more;
    for (let end = text.indexOf('\n', reported); end >= 0; end = text.indexOf('\n', reported)) {
      onLine(text.slice(reported, end));
      reported = end + 1;
    }
  });
  return () => text;
}

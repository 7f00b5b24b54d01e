/** Runs the command line in processes of its own. */
import { type ChildProcess, type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';

const program = path.resolve('src/cli/main.ts');

export interface EndedCommand {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
  /** `performance.now()` at the end of the process. */
  readonly ended: number;
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
  /** Called with every printed line. */
  readonly onLine?: (line: string, child: ChildProcess) => void;
  readonly env?: NodeJS.ProcessEnv;
}

/** Runs the command in a folder until it ends. */
export async function runCommand(
  folder: string,
  argv: readonly string[],
  { onLine = () => undefined, env = {} }: CommandOptions = {},
): Promise<EndedCommand> {
  const child = startProcess(process.execPath, [program, ...argv], { cwd: folder, env });
  const out = collect(child.stdout, (line) => {
    onLine(line, child);
  });
  const err = collect(child.stderr);
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, out: out(), err: err(), ended: performance.now() };
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

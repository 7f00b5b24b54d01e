/**
 * Preloaded into a command (`node --import`): acts in its process while it prints a line, before it
 * does anything else. A test that acted when it receives the line would depend on how far the
 * command has got by then. The action is JSON in the environment variable `ACT_ON_LINE`.
 */
import { rmSync } from 'node:fs';
import { isMainThread } from 'node:worker_threads';

export interface ActionOnLine {
  /** A line that contains this text. */
  readonly line: string;
  /** The first line is number 1, which is the default. */
  readonly number?: number;
  /** The signal that the command receives. */
  readonly signal?: NodeJS.Signals;
  /** A folder to remove, relative to the working folder. */
  readonly remove?: string;
}

/** Stdout of a command is a pipe, to which Node.js writes synchronously on Linux. */
function actOnLine({ line, number = 1, signal, remove }: ActionOnLine): void {
  const write = process.stdout.write.bind(process.stdout);
  let lines = 0;
  process.stdout.write = (text: string | Uint8Array): boolean => {
    const result = write(text);
    if (lines < number && String(text).includes(line) && ++lines === number) {
      if (remove !== undefined) rmSync(remove, { recursive: true });
      if (signal !== undefined) process.kill(process.pid, signal);
    }
    return result;
  };
}

const action = process.env['ACT_ON_LINE'];
if (action !== undefined && isMainThread) actOnLine(JSON.parse(action) as ActionOnLine);

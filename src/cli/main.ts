import path from 'node:path';
import { UsageError } from '../errors.ts';
import { readRecipes } from '../recipe/read.ts';
import { parseArguments, usage } from './arguments.ts';
import { plainDisplay, terminalDisplay } from './progress.ts';
import { run } from './run.ts';

const project = path.resolve(import.meta.dirname, '..', '..');

/** Runs the command. Returns the exit code. */
async function main(argv: readonly string[]): Promise<number> {
  const options = parseArguments(argv);
  if (options.action === 'help') {
    process.stdout.write(`${usage}\n`);
    return 0;
  }
  if (options.action === 'list-recipes') {
    const recipes = await readRecipes(options.recipes ?? path.join(project, 'recipes'));
    for (const { name, description } of recipes.values()) process.stdout.write(`${name.padEnd(12)}  ${description}\n`);
    return 0;
  }
  const write = (text: string): void => {
    process.stdout.write(text);
  };
  const display = process.stdout.isTTY ? terminalDisplay(write, () => process.stdout.columns) : plainDisplay(write);
  return run(options, { project, display, print: write, signal: interruptSignal(), now: Date.now });
}

/**
 * A Ctrl-C can arrive twice, from the terminal and through npm. Signals within this interval count
 * as one. Milliseconds.
 */
const SIGNAL_INTERVAL_MS = 1000;

/** A signal that SIGINT, SIGTERM or SIGHUP aborts. A second one exits the process immediately. */
function interruptSignal(): AbortSignal {
  const controller = new AbortController();
  let since = 0;
  const stop = (): void => {
    const now = performance.now();
    if (controller.signal.aborted && now - since > SIGNAL_INTERVAL_MS) process.exit(130);
    if (!controller.signal.aborted) since = now;
    controller.abort();
  };
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, stop);
  return controller.signal;
}

/** Exits with the code of the command, without awaiting computations of aborted executions. */
async function exit(): Promise<never> {
  try {
    process.exit(await main(process.argv.slice(2)));
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    process.stderr.write(`${error.message}\n`);
    process.exit(2);
  }
}

void exit();

import path from 'node:path';
import { UsageError } from '../errors.ts';
import { readRecipes } from '../recipe/read.ts';
import { parseArguments, usage } from './arguments.ts';
import { plainDisplay, terminalDisplay } from './progress.ts';
import { run } from './run.ts';
import { endProcess, stopSignal } from './signals.ts';

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
  // npm starts this process; if npm is killed, nothing else would end it.
  const signal = stopSignal({ withParent: process.env['npm_lifecycle_event'] !== undefined });
  const code = await run(options, { project, display, print: write, signal, now: Date.now });
  return signal.aborted ? endProcess(code) : code;
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

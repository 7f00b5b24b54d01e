/** Runs the command line through `npm start`. */
import path from 'node:path';
import { run } from './programs.ts';

export const project = path.resolve(import.meta.dirname, '..', '..');

export function print(line = ''): void {
  process.stdout.write(`${line}\n`);
}

/**
 * Runs `npm start` on the folder. Returns whether its exit code is 0; otherwise prints its output.
 */
export async function publish(masters: string, out: string, options: readonly string[]): Promise<boolean> {
  const begun = performance.now();
  const ran = await run('npm', ['start', '--silent', '--', masters, '--out', out, ...options], project);
  const seconds = ((performance.now() - begun) / 1000).toFixed(1);
  const recipe = options[options.indexOf('--recipe') + 1] ?? '';
  if (ran.failure === undefined) {
    print(`npm start -- masters --recipe ${recipe}: ${seconds} s`);
    return true;
  }
  print(`${ran.stdout}\n${ran.stderr}\nnpm start -- masters --recipe ${recipe} failed: ${ran.failure}`);
  return false;
}

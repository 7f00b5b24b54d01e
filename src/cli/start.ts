/**
 * Starts the command line with a memory allocator that keeps what it has. glibc gives large blocks back to the system
 * after every use, and the next use pays for fresh pages: with rasters that was up to half of the time. Its settings are
 * read when a process begins, so the command runs in a child process; elsewhere than on Linux it runs in this one.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';

const allocator = {
  MALLOC_ARENA_MAX: '2',
  MALLOC_MMAP_THRESHOLD_: String(2 ** 25),
  MALLOC_TRIM_THRESHOLD_: String(2 ** 28),
};
/** Megabytes: what one file needs of JavaScript's memory is gone again before it would be looked at a second time. */
const collector = '--min-semi-space-size=16';
/** Compiled modules are kept: a quarter of a second less to start with, from the second time on. */
const compiled = { NODE_COMPILE_CACHE: path.resolve(import.meta.dirname, '../../node_modules/.cache/node') };
const main = path.join(import.meta.dirname, 'main.ts');

if (process.platform === 'linux') {
  const child = spawn(process.execPath, [collector, ...process.execArgv, main, ...process.argv.slice(2)], {
    stdio: 'inherit',
    env: { ...allocator, ...compiled, ...process.env },
  });
  // The child hears the terminal's Ctrl-C itself and ends in its own time; a signal to this process alone is passed on.
  process.on('SIGINT', () => undefined);
  for (const signal of ['SIGTERM', 'SIGHUP'] as const) process.on(signal, () => child.kill(signal));
  const [code] = (await once(child, 'exit')) as [number | null];
  process.exitCode = code ?? 1;
} else {
  await import('./main.ts');
}

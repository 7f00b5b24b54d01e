/**
 * Starts the command with allocator settings that keep freed memory. By default glibc returns large
 * blocks to the system after each use, and page faults of the next use took up to half of the time
 * for rasters. glibc reads the settings when a process starts, so on Linux the command runs in a
 * child process; elsewhere it runs in this process.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';

const allocator = {
  MALLOC_ARENA_MAX: '2',
  MALLOC_MMAP_THRESHOLD_: String(2 ** 25),
  MALLOC_TRIM_THRESHOLD_: String(2 ** 28),
};
/** Large enough (megabytes) that the objects of one file die in the young generation. */
const collector = '--min-semi-space-size=16';
/** A compile cache saves a quarter of a second at every start but the first. */
const compiled = { NODE_COMPILE_CACHE: path.resolve(import.meta.dirname, '../../node_modules/.cache/node') };
const main = path.join(import.meta.dirname, 'main.ts');

if (process.platform === 'linux') {
  const child = spawn(process.execPath, [collector, ...process.execArgv, main, ...process.argv.slice(2)], {
    stdio: 'inherit',
    env: { ...allocator, ...compiled, ...process.env },
  });
  // The terminal sends SIGINT to the child, too. Other signals reach only this process and are
  // forwarded.
  process.on('SIGINT', () => undefined);
  for (const signal of ['SIGTERM', 'SIGHUP'] as const) process.on(signal, () => child.kill(signal));
  const [code] = (await once(child, 'exit')) as [number | null];
  process.exitCode = code ?? 1;
} else {
  await import('./main.ts');
}

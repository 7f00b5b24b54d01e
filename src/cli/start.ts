/**
 * Starts the command with allocator settings that keep freed memory. By default glibc returns large
 * blocks to the system after each use, and page faults of the next use took up to half of the time
 * for rasters. glibc reads the settings when a program starts, so on Linux this process replaces
 * itself with the command (execve); elsewhere, and under a Node.js without `process.execve`, the
 * command runs without the settings.
 */
import path from 'node:path';

const allocator = {
  MALLOC_ARENA_MAX: '2',
  MALLOC_MMAP_THRESHOLD_: String(2 ** 25),
  MALLOC_TRIM_THRESHOLD_: String(2 ** 28),
};
/** Large enough (megabytes) that the objects of one file die in the young generation. */
const youngGeneration = '--min-semi-space-size=16';
/**
 * Memory outside the heap counts towards V8's one limit for collections, not towards a limit of
 * 64 MB of its own: one full collection instead of eight for a large image. A flag of V8 that the
 * Node.js of package.json has; others may not know it.
 */
const externalMemory = process.versions.node.startsWith('24.') ? ['--external-memory-accounted-in-global-limit'] : [];
/** A compile cache saves a quarter of a second at every start but the first. */
const compiled = { NODE_COMPILE_CACHE: path.resolve(import.meta.dirname, '../../node_modules/.cache/node') };
const main = path.join(import.meta.dirname, 'main.ts');

if (process.platform === 'linux' && typeof process.execve === 'function') {
  const options = [youngGeneration, ...externalMemory, ...process.execArgv];
  process.execve(process.execPath, [process.execPath, ...options, main, ...process.argv.slice(2)], {
    ...allocator,
    ...compiled,
    ...process.env,
  });
} else {
  await import('./main.ts');
}

/**
 * Starts the command: from its bundle, with allocator settings that keep freed memory. By default
 * glibc returns large blocks to the system after each use, and page faults of the next use took up
 * to half of the time for rasters. glibc reads the settings when a program starts, so on Linux this
 * process replaces itself with the command (execve); elsewhere, and under a Node.js without
 * `process.execve`, the command runs without the settings.
 *
 * CommonJS and not TypeScript, because every start runs this file without a compile cache: loading
 * the type stripper takes longer than the rest of it. See docs/decisions/0019-start-from-a-bundle.md.
 */
'use strict';
const { availableParallelism } = require('node:os');
const path = require('node:path');
const { buildBundle, findBundle } = require('./bundle/record.cjs');

const allocator = {
  // One heap of the allocator fragments least; more cores would wait for each other at its lock.
  MALLOC_ARENA_MAX: availableParallelism() > 2 ? '2' : '1',
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

const project = path.resolve(__dirname, '../..');
const cache = path.join(project, 'node_modules', '.cache');

/** The program, and the folder of V8's compiled code for it. */
function chooseProgram() {
  const bundles = path.join(cache, 'stepwell');
  const bundle = findBundle(project, bundles) ?? buildBundle(project, bundles);
  return bundle === undefined
    ? { program: path.join(__dirname, 'main.ts'), compiled: path.join(cache, 'node') }
    : { program: bundle, compiled: path.join(path.dirname(bundle), 'compiled') };
}

const { program, compiled } = chooseProgram();
if (process.platform === 'linux' && typeof process.execve === 'function') {
  const options = [youngGeneration, ...externalMemory, ...process.execArgv];
  process.execve(process.execPath, [process.execPath, ...options, program, ...process.argv.slice(2)], {
    ...allocator,
    NODE_COMPILE_CACHE: compiled,
    ...process.env,
  });
} else {
  require('node:module').enableCompileCache?.(process.env.NODE_COMPILE_CACHE ?? compiled);
  void import(require('node:url').pathToFileURL(program).href);
}

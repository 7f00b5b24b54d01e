import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';

// Programs that tests start load their modules from the compile cache of the command, as `npm start` does.
process.env.NODE_COMPILE_CACHE ??= fileURLToPath(new URL('node_modules/.cache/node', import.meta.url));

/** @type {import('jest').Config} */
export default {
  testEnvironment: '<rootDir>/tests/support/jest-environment.ts',
  roots: ['<rootDir>/tests'],
  testMatch: ['**/*.test.ts'],
  extensionsToTreatAsEsm: ['.ts'],
  // jest strips the types itself, by Node's own module.stripTypeScriptTypes.
  transform: {},
  // jest leaves one core free, which on two cores is half of the machine.
  maxWorkers: Math.max(2, availableParallelism() - 1),
  // Tests must pass on a loaded machine too; no test measures time.
  testTimeout: 240_000,
};

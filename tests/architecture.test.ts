import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from '@jest/globals';
import { mayImport, shared } from '../eslint.rooms.ts';

const root = path.resolve('src');

/**
 * Folders (and restricted files) that each folder of src imports, apart from itself and the shared
 * files.
 */
function actualImports(): Record<string, string[]> {
  const found = new Map<string, Set<string>>();
  for (const entry of readdirSync(root, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile() || !entry.name.endsWith('.ts')) continue;
    const file = path.join(entry.parentPath, entry.name);
    const [room = '', ...rest] = path.relative(root, file).split(path.sep);
    if (rest.length === 0) continue;
    const imports = found.get(room) ?? new Set<string>();
    found.set(room, imports);
    for (const [, target = ''] of readFileSync(file, 'utf8').matchAll(/(?:from |import\()'(\.[^']+)'/gu)) {
      const [other = ''] = path.relative(root, path.resolve(path.dirname(file), target)).split(path.sep);
      if (other !== room && !shared.includes(other)) imports.add(other);
    }
  }
  return Object.fromEntries([...found].map(([room, imports]) => [room, [...imports].sort()]));
}

test('every folder of src imports exactly what eslint.rooms.ts allows it', () => {
  expect(actualImports()).toEqual(mayImport);
});

test('docs/architecture.md prints the table of eslint.rooms.ts', () => {
  const text = readFileSync('docs/architecture.md', 'utf8');
  const rows = [...text.matchAll(/^\| `(?<room>[a-z]+)`\s*\| (?<imports>[^|]*)\|$/gmu)].map(({ groups }) => [
    groups?.['room'] ?? '',
    [...(groups?.['imports'] ?? '').matchAll(/`([^`]+)`/gu)].map(([, name]) => name),
  ]);
  expect(Object.fromEntries(rows)).toEqual(mayImport);
});

test('at most seven files lie at the root of src', () => {
  const files = readdirSync(root, { withFileTypes: true }).filter((entry) => entry.isFile());
  expect(files.length).toBeLessThanOrEqual(7);
});

/**
 * Modules that implement one interface and are imported as a namespace, so that equal names are
 * intended.
 */
const parallelModules = new Set(['ledger/dynamodb/conditions.ts', 'ledger/sqlite/conditions.ts']);

test('exported names are unique across src, except the handlers of Lambda functions', () => {
  const declaration =
    /^export (?:declare )?(?:abstract )?(?:async )?(?:function\*?|const|let|class|interface|type|enum) (?<name>\w+)/gmu;
  const filesOf = new Map<string, Set<string>>();
  for (const entry of readdirSync(root, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile() || !entry.name.endsWith('.ts')) continue;
    const file = path.relative(root, path.join(entry.parentPath, entry.name));
    if (parallelModules.has(file)) continue;
    for (const { groups } of readFileSync(path.join(root, file), 'utf8').matchAll(declaration)) {
      const name = groups?.['name'] ?? '';
      filesOf.set(name, (filesOf.get(name) ?? new Set()).add(file));
    }
  }
  const repeated = [...filesOf].filter(([name, files]) => name !== 'handler' && files.size > 1);
  expect(Object.fromEntries(repeated.map(([name, files]) => [name, [...files]]))).toEqual({});
});

test('comments of src are at most 100 columns wide, except those that hold an address', () => {
  const long: string[] = [];
  for (const entry of readdirSync(root, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile() || !entry.name.endsWith('.ts')) continue;
    const file = path.join(entry.parentPath, entry.name);
    for (const [index, line] of readFileSync(file, 'utf8').split('\n').entries()) {
      const isComment = /^\s*(?:\/\/|\/?\*)/u.test(line);
      if (isComment && line.length > 100 && !line.includes('https://')) {
        long.push(`${path.relative(root, file)}:${index + 1}`);
      }
    }
  }
  expect(long).toEqual([]);
});

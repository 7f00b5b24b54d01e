import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { openDatabase } from '../../src/database/database.ts';
import type { Migration } from '../../src/database/migrations.ts';

const things: Migration = {
  version: 1,
  name: 'things',
  sql: 'CREATE TABLE things (name TEXT PRIMARY KEY, size INTEGER) STRICT;',
};
const colours: Migration = {
  version: 2,
  name: 'colours',
  sql: "ALTER TABLE things ADD COLUMN colour TEXT DEFAULT 'sepia';",
};

let folder: string;
let file: string;
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'database-'));
  file = path.join(folder, 'stepwell.db');
});
afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

describe('statements', () => {
  test('write rows, count the changed ones and read them back', () => {
    const database = openDatabase(file, [things]);
    expect(database.run('INSERT INTO things VALUES (:name, :size)', { name: 'map', size: 3 })).toBe(1);
    expect(database.run('INSERT INTO things VALUES (?, ?)', ['atlas', null])).toBe(1);
    expect(database.run('UPDATE things SET size = 4 WHERE name = ?', ['globe'])).toBe(0);
    expect(database.get('SELECT size FROM things WHERE name = :name', { name: 'map' })).toEqual({ size: 3 });
    expect(database.get('SELECT size FROM things WHERE name = ?', ['globe'])).toBeUndefined();
    expect(database.all('SELECT name FROM things ORDER BY name')).toEqual([{ name: 'atlas' }, { name: 'map' }]);
    database.close();
    database.close();
  });

  test('throw the error of SQLite when they violate a constraint', () => {
    const database = openDatabase(file, [things]);
    database.run('INSERT INTO things VALUES (?, ?)', ['map', 1]);
    expect(() => database.run('INSERT INTO things VALUES (?, ?)', ['map', 2])).toThrow(/UNIQUE constraint failed/u);
    database.close();
  });

  test('enforce foreign keys', () => {
    const parts = {
      version: 2,
      name: 'parts',
      sql: 'CREATE TABLE parts (thing TEXT REFERENCES things (name)) STRICT;',
    };
    const database = openDatabase(file, [things, parts]);
    expect(() => database.run('INSERT INTO parts VALUES (?)', ['globe'])).toThrow(/FOREIGN KEY/u);
    database.close();
  });
});

describe('a transaction', () => {
  const names = (): unknown[] => {
    const reader = new DatabaseSync(file, { readOnly: true });
    const rows = reader.prepare('SELECT name FROM things ORDER BY name').all();
    reader.close();
    return rows.map(({ name }) => name);
  };

  test('is committed when its work returns and rolled back when its work throws', () => {
    const database = openDatabase(file, [things]);
    const add = (name: string): number => database.run('INSERT INTO things VALUES (?, 1)', [name]);
    expect(database.transaction(() => add('map') + add('atlas'))).toBe(2);
    const failing = (): void => {
      database.transaction(() => {
        add('globe');
        throw new Error('no globe');
      });
    };
    expect(failing).toThrow('no globe');
    expect(names()).toEqual(['atlas', 'map']);
    database.close();
  });

  test('becomes part of an outer transaction', () => {
    const database = openDatabase(file, [things]);
    const nested = (): void => {
      database.transaction(() => {
        database.transaction(() => database.run('INSERT INTO things VALUES (?, 1)', ['map']));
        expect(names()).toEqual([]);
        throw new Error('all of it is undone');
      });
    };
    expect(nested).toThrow('all of it is undone');
    expect(names()).toEqual([]);
    database.close();
  });
});

describe('opening a database', () => {
  test('migrates a file of an older version and keeps its rows', () => {
    const old = openDatabase(file, [things]);
    old.run('INSERT INTO things VALUES (?, 1)', ['map']);
    old.close();
    const migrated = openDatabase(file, [colours, things]);
    expect(migrated.all('SELECT * FROM things')).toEqual([{ name: 'map', size: 1, colour: 'sepia' }]);
    expect(migrated.get('PRAGMA user_version')).toEqual({ user_version: 2 });
    migrated.close();
  });

  test('leaves the file unchanged when a migration fails, and names the migration', () => {
    openDatabase(file, [things]).close();
    const broken: Migration = {
      version: 2,
      name: 'broken',
      sql: 'CREATE TABLE parts (name TEXT) STRICT; CREATE NONSENSE;',
    };
    expect(() => openDatabase(file, [things, broken])).toThrow(/Expected to migrate .*stepwell\.db \(broken\)/u);
    const reopened = openDatabase(file, [things]);
    expect(reopened.all('SELECT name FROM sqlite_schema WHERE type = ?', ['table'])).toEqual([{ name: 'things' }]);
    reopened.close();
  });

  test('refuses a file of a newer version and names both versions', () => {
    openDatabase(file, [things, colours]).close();
    expect(() => openDatabase(file, [things])).toThrow(
      expect.objectContaining({
        name: 'UsageError',
        message:
          `Expected ${file} in schema version 1 or older but received version 2: a newer Stepwell wrote it; ` +
          'use that one, or another --workspace',
      }),
    );
  });

  test('refuses a database of another program without changing it', () => {
    const foreign = new DatabaseSync(file);
    foreign.exec('CREATE TABLE recipes (name TEXT)');
    foreign.close();
    const before = readFileSync(file);
    expect(() => openDatabase(file, [things])).toThrow(/belongs to another program; use another --workspace/u);
    expect(readFileSync(file)).toEqual(before);
  });

  test('refuses a file that is not a database and says what to do', () => {
    writeFileSync(file, 'not a database, but more than the hundred bytes of a header: '.repeat(10));
    expect(() => openDatabase(file, [things])).toThrow(
      expect.objectContaining({ name: 'UsageError', message: expect.stringContaining('move it away') as unknown }),
    );
  });

  test('refuses a truncated file and says what to do', () => {
    openDatabase(file, [things]).close();
    truncateSync(file, 4096);
    expect(() => openDatabase(file, [things, colours])).toThrow(
      expect.objectContaining({ name: 'UsageError', message: expect.stringContaining('move it away') as unknown }),
    );
  });

  test('refuses a folder in place of the file', () => {
    expect(() => openDatabase(folder, [things])).toThrow(
      expect.objectContaining({
        name: 'UsageError',
        message: expect.stringContaining('readable and writable') as unknown,
      }),
    );
  });
});

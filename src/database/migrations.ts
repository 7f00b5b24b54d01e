/** The schema version of the workspace's database. */
import type { DatabaseSync } from 'node:sqlite';
import { UsageError } from '../errors.ts';
import { isSqliteError, isUnusable } from './errors.ts';

/**
 * One forward migration of the schema. Each folder lists its own migrations; versions are numbered
 * across the project, so a new migration takes the next free version. Released migrations are never
 * changed.
 */
export interface Migration {
  /** The version of the file after this migration, from 1. */
  readonly version: number;
  /** What the migration adds or changes, for error messages. */
  readonly name: string;
  /** One or more statements, executed in one transaction with all other migrations that are due. */
  readonly sql: string;
}

/**
 * Identifies the file as Stepwell's (https://www.sqlite.org/fileformat2.html#application_id):
 * "Step" in ASCII.
 */
const APPLICATION_ID = 0x53746570;

/**
 * Migrates the database to the newest version of `migrations`, which may be in any order.
 * `settings` are executed after the file has been identified as Stepwell's.
 */
export function migrate(
  database: DatabaseSync,
  file: string,
  migrations: readonly Migration[],
  settings: string,
): void {
  const steps = migrations.toSorted((a, b) => a.version - b.version);
  const newest = steps.at(-1)?.version ?? 0;
  assertUsable(database, file, newest);
  database.exec(settings);
  if (pragma(database, 'user_version') === newest) return;
  database.exec('BEGIN IMMEDIATE');
  try {
    // Another process may have migrated the file since it was opened.
    assertUsable(database, file, newest);
    const version = pragma(database, 'user_version');
    for (const step of steps) if (step.version > version) execute(database, file, step);
    database.exec(`PRAGMA application_id = ${APPLICATION_ID}; PRAGMA user_version = ${newest}; COMMIT`);
  } catch (error) {
    if (database.isTransaction) database.exec('ROLLBACK');
    throw error;
  }
}

function execute(database: DatabaseSync, file: string, { name, sql }: Migration): void {
  try {
    database.exec(sql);
  } catch (cause) {
    if (!isSqliteError(cause) || isUnusable(cause)) throw cause;
    throw new Error(`Expected to migrate ${file} (${name}) but received: ${cause.message}`, { cause });
  }
}

function assertUsable(database: DatabaseSync, file: string, newest: number): void {
  if (pragma(database, 'application_id') !== APPLICATION_ID && !isEmpty(database)) {
    throw new UsageError(
      `Expected ${file} to be Stepwell's database but it belongs to another program; use another --workspace`,
    );
  }
  const version = pragma(database, 'user_version');
  if (version <= newest) return;
  throw new UsageError(
    `Expected ${file} in schema version ${newest} or older but received version ${version}: a newer Stepwell wrote ` +
      'it; use that one, or another --workspace',
  );
}

function isEmpty(database: DatabaseSync): boolean {
  return database.prepare('SELECT count(*) AS tables FROM sqlite_schema').get()?.['tables'] === 0;
}

function pragma(database: DatabaseSync, name: 'application_id' | 'user_version'): number {
  return Number(database.prepare(`PRAGMA ${name}`).get()?.[name]);
}

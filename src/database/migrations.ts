/** The schema version of the workspace's database. */
import type { DatabaseSync } from 'node:sqlite';
import { UsageError } from '../errors.ts';
import { isSqliteError, isUnusable } from './errors.ts';

/**
 * One step forward of the schema. A list of them is the schema: step n (from 1) leads to version n. Released steps are
 * never changed or reordered; a change of a table is a new step at the end of the list.
 */
export interface Migration {
  /** What the step adds or changes, for error messages. */
  readonly name: string;
  /** One or more statements. They run in one transaction with all other steps that are due. */
  readonly sql: string;
}

/** Marks the file as Stepwell's (https://www.sqlite.org/fileformat2.html#application_id): "Step" in ASCII. */
const APPLICATION_ID = 0x53746570;

/** Brings the database to version `migrations.length`. `settings` are executed once the file is known to be ours. */
export function migrate(
  database: DatabaseSync,
  file: string,
  migrations: readonly Migration[],
  settings: string,
): void {
  assertUsable(database, file, migrations.length);
  database.exec(settings);
  if (pragma(database, 'user_version') === migrations.length) return;
  database.exec('BEGIN IMMEDIATE');
  try {
    // Another process may have migrated the file since it was opened.
    assertUsable(database, file, migrations.length);
    for (const migration of migrations.slice(pragma(database, 'user_version'))) execute(database, file, migration);
    database.exec(`PRAGMA application_id = ${APPLICATION_ID}; PRAGMA user_version = ${migrations.length}; COMMIT`);
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

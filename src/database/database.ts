/** The workspace's SQLite file: opening, migrating, prepared statements and transactions. */
import { DatabaseSync, type SQLInputValue, type SQLOutputValue, type StatementSync } from 'node:sqlite';
import { UsageError } from '../errors.ts';
import { isSqliteError, sqliteError } from './errors.ts';
import { migrate, type Migration } from './migrations.ts';

export type Row = Readonly<Record<string, SQLOutputValue>>;
/**
 * Values of the placeholders `:name` by name, or of `?` in order. Booleans and undefined are not
 * SQL values.
 */
export type Parameters = Readonly<Record<string, SQLInputValue>> | readonly SQLInputValue[];

/**
 * One connection. Every SQL text is prepared once and cached, so texts should be constant, with
 * placeholders. Every method throws ServiceUnavailableError when another process holds the write
 * lock for longer than `busyTimeoutMs`, and UsageError when the file is damaged.
 */
export interface Database {
  readonly file: string;
  /** Executes a statement and returns the number of rows that it changed. */
  run(sql: string, parameters?: Parameters): number;
  /** The first row. */
  get(sql: string, parameters?: Parameters): Row | undefined;
  all(sql: string, parameters?: Parameters): Row[];
  /**
   * Runs `work` in one write transaction: committed when it returns, rolled back when it throws.
   * `work` must be synchronous. Within another transaction it becomes part of that one.
   */
  transaction<Result>(work: () => Result): Result;
  /** Checkpoints the write-ahead log into the file and closes it. May be called twice. */
  close(): void;
}

/** Longest wait for the write lock of another process, such as the sqlite3 shell. Milliseconds. */
const busyTimeoutMs = 5_000;

/**
 * WAL lets `sqlite3` read the file while Stepwell runs. With synchronous NORMAL a commit is passed
 * to the operating system before it returns, so it survives the end of the process (kill -9). A
 * power failure may lose the last commits as a whole but does not damage the file
 * (https://www.sqlite.org/pragma.html#pragma_synchronous).
 */
const durability = 'PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;';

/**
 * Opens the file, creates it if it is missing, and migrates it to the newest version of
 * `migrations`. Throws UsageError if it has a newer version, is not a database, belongs to another
 * program, or is damaged.
 */
export function openDatabase(file: string, migrations: readonly Migration[]): Database {
  let connection: DatabaseSync | undefined;
  try {
    connection = new DatabaseSync(file, { timeout: busyTimeoutMs, enableForeignKeyConstraints: true });
    migrate(connection, file, migrations, durability);
    return new Connection(file, connection);
  } catch (error) {
    connection?.close();
    throw openingError(file, error);
  }
}

function openingError(file: string, error: unknown): unknown {
  const translated = sqliteError(file, error);
  if (translated !== error || !isSqliteError(error)) return translated;
  return new UsageError(`Expected ${file} to be readable and writable but received: ${error.message}`, {
    cause: error,
  });
}

class Connection implements Database {
  readonly file: string;
  readonly #connection: DatabaseSync;
  readonly #statements = new Map<string, StatementSync>();

  constructor(file: string, connection: DatabaseSync) {
    this.file = file;
    this.#connection = connection;
  }

  run(sql: string, parameters: Parameters = []): number {
    return this.#translated(() => {
      const statement = this.#statement(sql);
      const { changes } = isList(parameters) ? statement.run(...parameters) : statement.run(parameters);
      return Number(changes);
    });
  }

  get(sql: string, parameters: Parameters = []): Row | undefined {
    return this.#translated(() => {
      const statement = this.#statement(sql);
      return isList(parameters) ? statement.get(...parameters) : statement.get(parameters);
    });
  }

  all(sql: string, parameters: Parameters = []): Row[] {
    return this.#translated(() => {
      const statement = this.#statement(sql);
      return isList(parameters) ? statement.all(...parameters) : statement.all(parameters);
    });
  }

  transaction<Result>(work: () => Result): Result {
    if (inTransaction(this.#connection)) return work();
    this.run('BEGIN IMMEDIATE');
    try {
      const result = work();
      this.run('COMMIT');
      return result;
    } catch (error) {
      // SQLite rolls back on its own after some errors, such as a full disk.
      if (inTransaction(this.#connection)) this.run('ROLLBACK');
      throw error;
    }
  }

  close(): void {
    this.#statements.clear();
    if (this.#connection.isOpen) this.#connection.close();
  }

  #statement(sql: string): StatementSync {
    const known = this.#statements.get(sql);
    if (known) return known;
    const statement = this.#connection.prepare(sql);
    this.#statements.set(sql, statement);
    return statement;
  }

  #translated<Result>(call: () => Result): Result {
    try {
      return call();
    } catch (error) {
      throw sqliteError(this.file, error);
    }
  }
}

/** Whether a transaction is open on the connection. */
function inTransaction(connection: DatabaseSync): boolean {
  return connection.isTransaction;
}

/** `Array.isArray` does not narrow readonly arrays. */
function isList(parameters: Parameters): parameters is readonly SQLInputValue[] {
  return Array.isArray(parameters);
}

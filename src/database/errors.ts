/** Errors of SQLite as errors of the project. Result codes: https://www.sqlite.org/rescode.html */
import { ServiceUnavailableError, UsageError } from '../errors.ts';

const SQLITE_BUSY = 5;
const SQLITE_LOCKED = 6;
const SQLITE_CORRUPT = 11;
const SQLITE_NOTADB = 26;

/** An error that SQLite reported. By its shape, because Error may be the one of another realm. */
export function isSqliteError(error: unknown): error is { readonly errcode: number; readonly message: string } {
  return typeof error === 'object' && error !== null && 'errcode' in error && typeof error.errcode === 'number';
}

/** The primary result code; extended codes carry more in the upper bytes. */
function resultCode(error: unknown): number | undefined {
  return isSqliteError(error) ? error.errcode & 0xff : undefined;
}

/** Another connection holds the lock. */
export function isBusy(error: unknown): boolean {
  const code = resultCode(error);
  return code === SQLITE_BUSY || code === SQLITE_LOCKED;
}

/** The file is not a database, or damaged. */
export function isUnusable(error: unknown): boolean {
  const code = resultCode(error);
  return code === SQLITE_CORRUPT || code === SQLITE_NOTADB;
}

function corrupt(file: string, cause: unknown): UsageError {
  const reason = isSqliteError(cause) ? cause.message : String(cause);
  return new UsageError(
    `Expected ${file} to be a whole SQLite database but received: ${reason}. Restore it from a copy, or move it ` +
      'away to start with an empty one; published pyramids are not affected',
    { cause },
  );
}

/** The error to throw for one that a statement threw. Errors that say nothing about the file stay as they are. */
export function sqliteError(file: string, error: unknown): unknown {
  if (isUnusable(error)) return corrupt(file, error);
  if (isBusy(error)) {
    return new ServiceUnavailableError(`Expected to write to ${file} but another process holds its write lock`, {
      cause: error,
    });
  }
  return error;
}

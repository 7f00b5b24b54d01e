/**
 * Translation of SQLite's errors into those of the project. Result codes:
 * https://www.sqlite.org/rescode.html
 */
import { ServiceUnavailableError, UsageError } from '../errors.ts';

const SQLITE_BUSY = 5;
const SQLITE_LOCKED = 6;
const SQLITE_CORRUPT = 11;
const SQLITE_NOTADB = 26;

/**
 * Whether SQLite reported the error. Checked by shape, because the error may come from another
 * realm.
 */
export function isSqliteError(error: unknown): error is { readonly errcode: number; readonly message: string } {
  return typeof error === 'object' && error !== null && 'errcode' in error && typeof error.errcode === 'number';
}

/** The primary result code: the lowest byte of an extended one. */
function resultCode(error: unknown): number | undefined {
  return isSqliteError(error) ? error.errcode & 0xff : undefined;
}

/** Another connection holds the lock. */
export function isBusy(error: unknown): boolean {
  const code = resultCode(error);
  return code === SQLITE_BUSY || code === SQLITE_LOCKED;
}

/** The file is damaged or not a database. */
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

/**
 * The error to throw for one that a statement threw. Errors that do not concern the file are
 * returned unchanged.
 */
export function sqliteError(file: string, error: unknown): unknown {
  if (isUnusable(error)) return corrupt(file, error);
  if (isBusy(error)) {
    return new ServiceUnavailableError(`Expected to write to ${file} but another process holds its write lock`, {
      cause: error,
    });
  }
  return error;
}

/** One process per workspace. */
import { DatabaseSync } from 'node:sqlite';
import { UsageError } from '../errors.ts';
import { isBusy } from './errors.ts';

/**
 * Locks a workspace for this process until the returned function is called. Throws UsageError if
 * another process, or another caller in this one, holds the lock.
 *
 * The lock is SQLite's RESERVED lock on `file`, a separate database without tables. The operating
 * system releases it when the process ends for any reason, and it does not prevent `sqlite3` from
 * reading or writing the workspace's database. The process id of the holder is the file's
 * `user_version`, which other processes can read while the lock is held.
 */
export function lockWorkspace(file: string): () => void {
  const lock = new DatabaseSync(file, { timeout: 0 });
  try {
    lock.exec('PRAGMA journal_mode = MEMORY; PRAGMA synchronous = OFF');
    lock.exec(`PRAGMA user_version = ${process.pid}`);
    lock.exec('BEGIN IMMEDIATE');
  } catch (error) {
    const owner = isBusy(error) ? Number(lock.prepare('PRAGMA user_version').get()?.['user_version']) : undefined;
    lock.close();
    if (owner === undefined) throw error;
    throw new UsageError(
      `Process ${owner} already uses this workspace (${file}); wait for it or stop it, or use another --workspace`,
    );
  }
  return () => {
    lock.close();
  };
}

/** One process per workspace. */
import { DatabaseSync } from 'node:sqlite';
import { UsageError } from '../errors.ts';
import { isBusy } from './errors.ts';

/**
 * Makes a workspace this process's own until the returned function is called. Throws UsageError when another process
 * (or another caller in this one) owns it.
 *
 * The lock is SQLite's RESERVED lock on `file`, a database of its own without tables: the operating system releases it
 * when its process ends in any way, and it does not keep `sqlite3` from reading or writing the workspace's database.
 * The owner's process id is the file's `user_version`, which others can read while the lock is held.
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

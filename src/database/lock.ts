/** One process per workspace. */
import { statSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { UsageError } from '../errors.ts';
import { isBusy, isSqliteError } from './errors.ts';
import { isRunning, type Owner, thisProcess } from './owner.ts';

export interface WorkspaceLock {
  /**
   * Releases the workspace to other processes. After `unfinished`, the next owner looks for the
   * files that this one left unfinished.
   */
  (how?: 'unfinished'): void;
  /**
   * The time since which unfinished files may have been left, if the last owner was killed or
   * released the lock as unfinished.
   */
  readonly unfinishedSince: Date | undefined;
}

/**
 * Longest wait for the system to release the lock of a process that has ended: a killed process is
 * a zombie before the system has freed its memory and closed its files. Milliseconds.
 */
const RELEASE_MS = 10_000;
/** Interval between attempts to lock. Milliseconds. */
const RETRY_MS = 20;

/**
 * Locks a workspace for this process until the returned function is called. Throws UsageError if
 * another process, or another caller in this one, holds the lock.
 *
 * The lock is SQLite's RESERVED lock on `file`, a separate database without tables. The operating
 * system releases it when the process ends for any reason, and it does not prevent `sqlite3` from
 * reading or writing the workspace's database. The holder is recorded in the file's header, which
 * other processes can read while the lock is held, and removed from it when the lock is released.
 */
export function lockWorkspace(file: string): WorkspaceLock {
  const lock = open(file);
  try {
    lock.exec('PRAGMA journal_mode = MEMORY; PRAGMA synchronous = OFF');
    const before = begin(lock, file);
    // The owner writes the file when it locks it.
    const unfinishedSince = before.pid === 0 ? undefined : statSync(file).mtime;
    commit(lock, thisProcess());
    begin(lock, file);
    const release = (how?: 'unfinished'): void => {
      try {
        if (how !== 'unfinished') commit(lock, { pid: 0, started: 0 });
      } catch {
        // The next owner takes this process for killed and looks for unfinished files.
      } finally {
        lock.close();
      }
    };
    return Object.assign(release, { unfinishedSince });
  } catch (error) {
    lock.close();
    throw error;
  }
}

function open(file: string): DatabaseSync {
  try {
    return new DatabaseSync(file, { timeout: 0 });
  } catch (cause) {
    if (!isSqliteError(cause)) throw cause;
    throw new UsageError(`Expected ${file} to be readable and writable but received: ${cause.message}`, { cause });
  }
}

/** Begins a write transaction and returns the recorded owner. */
function begin(lock: DatabaseSync, file: string): Owner {
  for (let waited = 0; ; waited += RETRY_MS) {
    try {
      lock.exec('BEGIN IMMEDIATE');
      return read(lock);
    } catch (error) {
      if (!isBusy(error)) throw error;
      const owner = read(lock);
      if (isRunning(owner) || waited >= RELEASE_MS) throw inUse(owner, file);
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, RETRY_MS);
    }
  }
}

function inUse({ pid }: Owner, file: string): UsageError {
  return new UsageError(
    `Process ${pid} already uses this workspace (${file}); wait for it or stop it, or use another --workspace`,
  );
}

function read(lock: DatabaseSync): Owner {
  const field = (name: string): number => Number(lock.prepare(`PRAGMA ${name}`).get()?.[name]);
  return { pid: field('user_version'), started: field('application_id') };
}

/** Waits for processes that are reading the owner. */
function commit(lock: DatabaseSync, { pid, started }: Owner): void {
  lock.exec(`PRAGMA busy_timeout = ${RELEASE_MS}`);
  lock.exec(`PRAGMA user_version = ${pid}; PRAGMA application_id = ${started}; COMMIT; PRAGMA busy_timeout = 0`);
}

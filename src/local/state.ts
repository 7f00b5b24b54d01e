/** The state of a workspace: one SQLite file, used by one process at a time. */
import { existsSync } from 'node:fs';
import path from 'node:path';
import { type Database, openDatabase } from '../database/database.ts';
import { lockWorkspace } from '../database/lock.ts';
import { UsageError } from '../errors.ts';
import { ledgerMigrations } from '../ledger/sqlite/migrations.ts';
import { executionMigrations } from '../stepfunctions/sqlite-store.ts';
import { uploadMigrations } from './uploads.ts';

/** All tables of the workspace's database. */
const migrations = [...ledgerMigrations, ...uploadMigrations, ...executionMigrations];

/**
 * Folders in which versions before the database kept the ledger, the executions and the uploads.
 */
const formerFolders = ['ledger', 'executions', 'intake'];

/** An open workspace database. */
export interface WorkspaceState {
  readonly database: Database;
  /** See `WorkspaceLock`. */
  readonly unfinishedSince: Date | undefined;
  /** Also releases the workspace to other processes; see `WorkspaceLock` for `how`. */
  readonly close: (how?: 'unfinished') => void;
}

/**
 * Locks the workspace and opens `stepwell.db` in it. Throws UsageError when another process uses
 * the workspace, when an earlier version wrote it, or when the file cannot be used.
 */
export function openState(directory: string): WorkspaceState {
  const unlock = lockWorkspace(path.join(directory, 'lock'));
  try {
    const file = path.join(directory, 'stepwell.db');
    if (!existsSync(file)) refuseFormerWorkspace(directory);
    const database = openDatabase(file, migrations);
    return {
      database,
      unfinishedSince: unlock.unfinishedSince,
      close: (how) => {
        database.close();
        unlock(how);
      },
    };
  } catch (error) {
    unlock();
    throw error;
  }
}

function refuseFormerWorkspace(directory: string): void {
  const found = formerFolders.filter((name) => existsSync(path.join(directory, name)));
  if (!found.includes('ledger')) return;
  const paths = found.map((name) => path.join(directory, name)).join(', ');
  throw new UsageError(
    `Expected a workspace with a stepwell.db but ${directory} was written by an earlier version, whose state this ` +
      `version does not read. Remove or move away ${paths}, or use another --workspace. Published pyramids are not ` +
      'affected; masters that are given again are processed again',
  );
}

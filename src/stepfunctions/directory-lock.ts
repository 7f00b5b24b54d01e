import { closeSync, mkdirSync, openSync, readFileSync, rmSync, writeSync } from 'node:fs';
import { resolve } from 'node:path';
import { UsageError } from '../errors.ts';

/** Lock files of this process. One that names this process and is not here was left by an earlier one of its number. */
const held = new Set<string>();

/**
 * Makes a directory this process's own until the returned function is called. Two engines on one directory would take
 * each other's executions for interrupted ones. The lock of a process that is gone does not hold.
 */
export function lockDirectory(directory: string): () => void {
  mkdirSync(directory, { recursive: true });
  const file = resolve(directory, 'lock');
  if (!tryLock(file)) {
    const owner = Number(readFileSync(file, 'utf8'));
    if (owner === process.pid ? held.has(file) : isAlive(owner)) {
      throw new UsageError(`Process ${owner} already runs an engine on ${directory}; stop it, or remove ${file}`);
    }
    rmSync(file, { force: true });
    if (!tryLock(file)) throw new UsageError(`Another process has just started an engine on ${directory}`);
  }
  held.add(file);
  return () => {
    held.delete(file);
    rmSync(file, { force: true });
  };
}

function tryLock(file: string): boolean {
  try {
    const handle = openSync(file, 'wx');
    writeSync(handle, String(process.pid));
    closeSync(handle);
    return true;
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return false;
    throw error;
  }
}

function isAlive(pid: number): boolean {
  if (!Number.isInteger(pid) || pid <= 0) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return codeOf(error) === 'EPERM';
  }
}

function codeOf(error: unknown): unknown {
  return typeof error === 'object' && error !== null && 'code' in error ? error.code : undefined;
}

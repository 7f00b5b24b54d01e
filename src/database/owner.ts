/** Identifies the process that owns a workspace, also after its process id is used again. */
import { readFileSync } from 'node:fs';

/** Two 31-bit numbers, which fit into the header of a SQLite file. */
export interface Owner {
  readonly pid: number;
  /** Start time in clock ticks since the boot, modulo 2^31; 0 if the system has no /proc. */
  readonly started: number;
}

/** This process. */
export function thisProcess(): Owner {
  return { pid: process.pid, started: readStatus(process.pid)?.started ?? 0 };
}

/**
 * Whether the process still runs. A zombie does not: it has ended, and its parent has not yet read
 * its exit status.
 */
export function isRunning({ pid, started }: Owner): boolean {
  if (started === 0) return pid !== 0 && isSignalable(pid);
  const status = readStatus(pid);
  return status?.started === started && status.state !== 'Z' && status.state !== 'X';
}

/**
 * State and start time of a process from `/proc/<pid>/stat` (proc_pid_stat(5), fields 3 and 22).
 * The second field is the command in parentheses, which may contain spaces and parentheses.
 */
function readStatus(pid: number): { readonly state: string; readonly started: number } | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'latin1');
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
    return { state: fields[0] ?? '', started: Number(fields[19]) % 2 ** 31 };
  } catch {
    return undefined;
  }
}

/** Signal 0 tests whether a process exists. EPERM: it does, and belongs to another user. */
function isSignalable(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}

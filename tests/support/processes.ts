/** Processes of this machine, for tests of what remains of them. */
import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';

const LONG = 60_000;

export function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

/** The isolated processes of a parent. */
export function childrenOf(parent: number | undefined): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/u.test(name))
    .filter((name) => {
      try {
        return readFileSync(`/proc/${name}/cmdline`, 'utf8').endsWith(`\0--isolated\0${parent}\0`);
      } catch {
        return false;
      }
    })
    .map(Number);
}

/** Resolves when the condition, tested at every interval, holds; throws after a minute. */
export async function eventually(condition: () => boolean, intervalMs = 50): Promise<void> {
  for (const start = Date.now(); !condition();) {
    if (Date.now() - start > LONG) throw new Error(`Expected ${condition.toString()} within ${LONG} ms`);
    await delay(intervalMs);
  }
}

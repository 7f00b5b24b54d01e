/** Resolves with true after a time, or with false as soon as the signal is aborted. */
export type Sleep = (milliseconds: number, signal: AbortSignal) => Promise<boolean>;

/** Longest delay of setTimeout, which fires immediately for a longer one. Milliseconds. */
const longestTimer = 2 ** 31 - 1;

/** Waits with timers, for times of any length. */
export const sleepByTimer: Sleep = async (milliseconds, signal) => {
  for (let left = milliseconds; left >= 0; left -= longestTimer) {
    if (!(await timer(Math.min(left, longestTimer), signal))) return false;
  }
  return true;
};

function timer(milliseconds: number, signal: AbortSignal): Promise<boolean> {
  return new Promise((resolve) => {
    if (signal.aborted) {
      resolve(false);
      return;
    }
    const onAbort = (): void => {
      clearTimeout(timeout);
      resolve(false);
    };
    const timeout = setTimeout(() => {
      signal.removeEventListener('abort', onAbort);
      resolve(true);
    }, milliseconds);
    signal.addEventListener('abort', onAbort, { once: true });
  });
}

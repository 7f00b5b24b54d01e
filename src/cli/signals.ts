/** The signals that stop the command, and the end of the process after one. */

import { existsSync, readFileSync } from 'node:fs';

/** Numbers of the signals (POSIX). The exit code after a signal is 128 plus its number. */
const signalNumbers = { SIGHUP: 1, SIGINT: 2, SIGPIPE: 13, SIGTERM: 15 } as const;
type StopSignal = keyof typeof signalNumbers;

/**
 * A Ctrl-C can arrive twice, from the terminal and through npm. Signals within this interval count
 * as one. Milliseconds.
 */
const SIGNAL_INTERVAL_MS = 1000;
/** Longest time from the signal to the end of the process. Milliseconds. */
const STOP_MS = 4000;
/** Interval between checks of the parent process. Milliseconds. */
const PARENT_INTERVAL_MS = 500;

/** The exit code of a command that was stopped; undefined if it was not. */
export function stoppedExitCode({ aborted, reason }: AbortSignal): number | undefined {
  return aborted ? exitCodeOf(reason as StopSignal) : undefined;
}

function exitCodeOf(reason: StopSignal): number {
  return 128 + signalNumbers[reason];
}

/**
 * Returns a signal that is aborted by SIGINT, SIGTERM and SIGHUP, by the end of the reader of
 * stdout (as SIGPIPE) and, with `withParent`, by the end of the parent process (as SIGHUP). The
 * process ends within `STOP_MS` of that; a second signal ends it immediately.
 */
export function stopSignal({ withParent }: { readonly withParent: boolean }): AbortSignal {
  const controller = new AbortController();
  const { signal } = controller;
  let since = 0;
  const stop = (reason: StopSignal): void => {
    if (signal.aborted) {
      if (performance.now() - since > SIGNAL_INTERVAL_MS) endProcess(exitCodeOf(reason));
      return;
    }
    since = performance.now();
    controller.abort(reason);
    setTimeout(endProcess, STOP_MS, exitCodeOf(reason));
  };
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(name, stop);
  // A write after the reader has ended fails with EPIPE, and after the terminal has, with EIO.
  for (const stream of [process.stdout, process.stderr]) {
    stream.on('error', () => {
      if (!signal.aborted) stop('SIGPIPE');
    });
  }
  if (withParent) {
    whenParentEnds(() => {
      stop('SIGHUP');
    });
  }
  return signal;
}

/**
 * Calls back when the parent has ended, which is seen from the adoption of this process by another
 * one. npm starts some commands through a shell, which survives npm, so the parent of such a shell
 * counts too.
 */
function whenParentEnds(callback: () => void): void {
  const [parent, grandparent] = parents();
  const timer = setInterval(() => {
    const [now, above] = parents();
    if (now === parent && above === grandparent) return;
    clearInterval(timer);
    callback();
  }, PARENT_INTERVAL_MS).unref();
}

/** The process id of the parent, and that of its parent if it is a shell (only with /proc). */
function parents(): readonly [parent: number, grandparent: number | undefined] {
  const parent = process.ppid;
  try {
    const stat = readFileSync(`/proc/${parent}/stat`, 'latin1');
    const above = /^\d+ \((?:sh|dash|bash|ash|zsh)\) \S (?<pid>\d+)/u.exec(stat)?.groups?.['pid'];
    return [parent, above === undefined ? undefined : Number(above)];
  } catch {
    return [parent, undefined];
  }
}

/**
 * Ends the process without waiting for its threads. `process.exit` waits for the thread pool, in
 * which the computation of an aborted execution may run for minutes; replacing the process by a
 * shell that exits ends all threads at once.
 */
export function endProcess(code: number): never {
  if (existsSync('/bin/sh')) process.execve?.('/bin/sh', ['sh', '-c', `exit ${code}`]);
  process.exit(code);
}

import type { ExecutionSummary } from './executions.ts';
import { type Failure, historyEvents } from './history.ts';
import { type Journal, journalsIn, type Line } from './journal.ts';

export interface LoadedExecution {
  readonly summary: ExecutionSummary;
  readonly journal: Journal;
  /** It had no end on record and has now. */
  readonly wasInterrupted: boolean;
}

/** Reads what is known of every execution in a directory, and ends as ABORTED those that no process runs any more. */
export function loadExecutions(directory: string, failure: Required<Failure>, clock: () => Date): LoadedExecution[] {
  return journalsIn(directory).flatMap((journal): LoadedExecution[] => {
    const last = journal.lastLine()?.summary;
    if (last && last.status !== 'RUNNING') return [{ summary: last, journal, wasInterrupted: false }];
    journal.repair();
    const lines = journal.lines();
    const summary = lines.findLast((line) => line.summary)?.summary;
    if (!summary) return [];
    if (summary.status !== 'RUNNING') return [{ summary, journal, wasInterrupted: false }];
    return [{ summary: interrupt(journal, lines, summary, failure, clock().getTime()), journal, wasInterrupted: true }];
  });
}

function interrupt(
  journal: Journal,
  lines: readonly Line[],
  running: ExecutionSummary,
  failure: Required<Failure>,
  now: number,
): ExecutionSummary {
  const summary: ExecutionSummary = { ...running, status: 'ABORTED', stopDate: now };
  const id = lines.findLast((line) => line.event)?.event?.id ?? 0;
  const { type, details } = historyEvents.executionEnded('ExecutionAborted', failure);
  const event = {
    id: id + 1,
    previousEventId: id,
    timestamp: now,
    type,
    ...(details ? { [details[0]]: details[1] } : {}),
  };
  journal.append({ event, summary });
  journal.rest();
  return summary;
}

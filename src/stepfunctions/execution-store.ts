import type { ExecutionRecord, ExecutionStatus, ExecutionSummary } from './executions.ts';
import type { StoredEvent } from './history.ts';

/** A change of one execution: its record as it is now, events that were added, or both. */
export interface ExecutionChange {
  readonly name: string;
  readonly record?: ExecutionRecord | undefined;
  /** In order of their ids. */
  readonly events: readonly StoredEvent[];
}

/** Where executions and their histories are kept. */
export interface ExecutionStore {
  find(name: string): ExecutionRecord | undefined;
  /** Newest first. */
  list(status?: ExecutionStatus): ExecutionSummary[];
  /** Oldest first. */
  events(name: string): StoredEvent[];
  /** Number of events of an execution. */
  eventCount(name: string): number;
  /**
   * Writes all changes or none. When it returns they survive the end of this process by any cause
   * (kill -9). An execution's first change has its record.
   */
  write(changes: readonly ExecutionChange[]): void;
}

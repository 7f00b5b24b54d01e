import type { ExecutionRecord, ExecutionStatus, ExecutionSummary } from './executions.ts';
import type { StoredEvent } from './history.ts';

/** A change of one execution: its new record, added events, or both. */
export interface ExecutionChange {
  readonly name: string;
  readonly record?: ExecutionRecord | undefined;
  /** In order of their ids. */
  readonly events: readonly StoredEvent[];
}

/** The store of executions and their histories. */
export interface ExecutionStore {
  find(name: string): ExecutionRecord | undefined;
  /** Newest first. */
  list(status?: ExecutionStatus): ExecutionSummary[];
  /** Oldest first. */
  events(name: string): StoredEvent[];
  /** Number of events of an execution. */
  eventCount(name: string): number;
  /**
   * Writes all changes or none. Written changes survive the end of the process for any reason
   * (kill -9). The first change of an execution has its record.
   */
  write(changes: readonly ExecutionChange[]): void;
}

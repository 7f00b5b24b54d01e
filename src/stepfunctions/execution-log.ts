import type { ExecutionChange, ExecutionStore } from './execution-store.ts';
import type { ExecutionRecord, ExecutionStatus, ExecutionSummary } from './executions.ts';
import type { StoredEvent } from './history.ts';

interface PendingChange {
  readonly name: string;
  record: ExecutionRecord | undefined;
  readonly events: StoredEvent[];
}

/**
 * Batches the changes of all executions: the changes of one turn of the event loop are one
 * transaction. Changes are reported after their commit, so that no reported change is lost when the
 * process is killed. Reads include changes that are not committed yet. The error of a failed commit
 * is thrown from the event loop, which ends the process, because executions must not continue
 * unrecorded; the next start recovers from the last commit.
 */
export class ExecutionLog {
  readonly #store: ExecutionStore;
  readonly #pending = new Map<string, PendingChange>();
  readonly #afterCommit: (() => void)[] = [];
  #isScheduled = false;

  constructor(store: ExecutionStore) {
    this.#store = store;
  }

  put(record: ExecutionRecord): void {
    this.#changeOf(record.name).record = record;
  }

  add(name: string, event: StoredEvent): void {
    this.#changeOf(name).events.push(event);
  }

  /**
   * Calls back after the commit of all changes added so far. Callbacks run in order and must not
   * throw.
   */
  whenCommitted(callback: () => void): void {
    this.#afterCommit.push(callback);
    this.#schedule();
  }

  /** Commits the pending changes. */
  flush(): void {
    const changes: ExecutionChange[] = [...this.#pending.values()];
    this.#pending.clear();
    if (changes.length > 0) this.#store.write(changes);
    for (const callback of this.#afterCommit.splice(0)) callback();
  }

  find(name: string): ExecutionRecord | undefined {
    return this.#committed().find(name);
  }

  list(status?: ExecutionStatus): ExecutionSummary[] {
    return this.#committed().list(status);
  }

  events(name: string): StoredEvent[] {
    return this.#committed().events(name);
  }

  eventCount(name: string): number {
    return this.#committed().eventCount(name);
  }

  #committed(): ExecutionStore {
    this.flush();
    return this.#store;
  }

  #changeOf(name: string): PendingChange {
    this.#schedule();
    const known = this.#pending.get(name);
    if (known) return known;
    const change: PendingChange = { name, record: undefined, events: [] };
    this.#pending.set(name, change);
    return change;
  }

  #schedule(): void {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    setImmediate(() => {
      this.#isScheduled = false;
      this.flush();
    });
  }
}

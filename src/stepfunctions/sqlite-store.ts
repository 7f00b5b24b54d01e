/** The ExecutionStore in the workspace's SQLite file. */
import { z } from 'zod';
import type { Database, Row } from '../database/database.ts';
import type { Migration } from '../database/migrations.ts';
import type { ExecutionChange, ExecutionStore } from './execution-store.ts';
import { type ExecutionRecord, executionStatuses } from './executions.ts';
import { readHistoryRow, writeHistoryRow } from './history-rows.ts';

/**
 * One row of `history` has all events that an execution added between two commits, because rows and
 * repeated inputs dominate the cost of a commit; see `history-rows.ts` for its format. The view
 * `events` shows the events one by one.
 */
export const executionMigrations: readonly Migration[] = [
  {
    version: 3,
    name: 'executions and their history',
    sql: `
      CREATE TABLE executions (
        id INTEGER PRIMARY KEY,
        name TEXT NOT NULL UNIQUE,
        status TEXT NOT NULL,
        start_date INTEGER NOT NULL,
        stop_date INTEGER,
        redrive_count INTEGER NOT NULL,
        redrive_date INTEGER,
        redrive_token TEXT,
        input TEXT NOT NULL,
        output TEXT,
        error TEXT,
        cause TEXT
      ) STRICT;
      CREATE INDEX running_executions ON executions (id) WHERE status = 'RUNNING';
      CREATE TABLE history (
        execution INTEGER NOT NULL REFERENCES executions (id),
        first_event INTEGER NOT NULL,
        events TEXT NOT NULL
      ) STRICT;
      CREATE INDEX history_of_execution ON history (execution, first_event);
      CREATE VIEW events AS
        SELECT executions.name AS execution, history.first_event + event.key AS id,
          event.value ->> 0 AS previous_event_id,
          strftime('%Y-%m-%dT%H:%M:%fZ', (event.value ->> 1) / 1000.0, 'unixepoch') AS time,
          event.value ->> 2 AS type, event.value -> 3 AS details,
          history.events -> '$.data' -> (event.value ->> '$[3].input') AS input,
          history.events -> '$.data' -> (event.value ->> '$[3].output') AS output
        FROM executions JOIN history ON history.execution = executions.id,
          json_each(history.events, '$.events') AS event;
    `,
  },
  {
    version: 5,
    name: 'crashes during executions',
    sql: 'ALTER TABLE executions ADD COLUMN crashes INTEGER NOT NULL DEFAULT 0',
  },
];

const statements = {
  find: 'SELECT * FROM executions WHERE name = ?',
  list: 'SELECT * FROM executions ORDER BY start_date DESC, name DESC',
  listByStatus: 'SELECT * FROM executions WHERE status = ? ORDER BY start_date DESC, name DESC',
  running: "SELECT * FROM executions WHERE status = 'RUNNING' ORDER BY start_date DESC, name DESC",
  put: `
    INSERT INTO executions
      (name, status, start_date, stop_date, redrive_count, redrive_date, redrive_token, crashes,
        input, output, error, cause)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
    ON CONFLICT (name) DO UPDATE SET status = excluded.status, stop_date = excluded.stop_date,
      redrive_count = excluded.redrive_count, redrive_date = excluded.redrive_date,
      redrive_token = excluded.redrive_token, crashes = excluded.crashes, output = excluded.output, error = excluded.error, cause = excluded.cause`,
  addEvents: 'INSERT INTO history (execution, first_event, events) SELECT id, ?, ? FROM executions WHERE name = ?',
  events: `
    SELECT history.first_event, history.events FROM history JOIN executions ON executions.id = history.execution
    WHERE executions.name = ? ORDER BY history.first_event`,
  eventCount: `
    SELECT history.first_event + json_array_length(history.events, '$.events') - 1 AS count
    FROM history JOIN executions ON executions.id = history.execution
    WHERE executions.name = ? ORDER BY history.first_event DESC LIMIT 1`,
};

const executionRow = z
  .object({
    name: z.string(),
    status: z.enum(executionStatuses),
    start_date: z.number(),
    stop_date: z.number().nullable(),
    redrive_count: z.number(),
    redrive_date: z.number().nullable(),
    redrive_token: z.string().nullable(),
    crashes: z.number(),
    input: z.string(),
    output: z.string().nullable(),
    error: z.string().nullable(),
    cause: z.string().nullable(),
  })
  .transform((row): ExecutionRecord => ({
    name: row.name,
    status: row.status,
    startDate: row.start_date,
    stopDate: row.stop_date ?? undefined,
    redriveCount: row.redrive_count,
    redriveDate: row.redrive_date ?? undefined,
    redriveToken: row.redrive_token ?? undefined,
    crashes: row.crashes,
    input: row.input,
    output: row.output ?? undefined,
    ...(row.error === null ? {} : { error: row.error }),
    ...(row.cause === null ? {} : { cause: row.cause }),
  }));

/** A store in a database that has the tables of `executionMigrations`. */
export function sqliteExecutionStore(database: Database): ExecutionStore {
  return {
    find(name) {
      const row = database.get(statements.find, [name]);
      return row && executionRow.parse(row);
    },
    list(status) {
      return rowsOf(database, status).map((row) => executionRow.parse(row));
    },
    events(name) {
      const rows = database.all(statements.events, [name]);
      return rows.flatMap((row) => readHistoryRow(Number(row['first_event']), String(row['events'])));
    },
    eventCount(name) {
      return Number(database.get(statements.eventCount, [name])?.['count'] ?? 0);
    },
    write(changes) {
      database.transaction(() => {
        for (const change of changes) writeChange(database, change);
      });
    },
  };
}

function rowsOf(database: Database, status: string | undefined): Row[] {
  if (status === undefined) return database.all(statements.list);
  // A literal, so that SQLite uses the partial index on RUNNING executions.
  return status === 'RUNNING' ? database.all(statements.running) : database.all(statements.listByStatus, [status]);
}

function writeChange(database: Database, { name, record, events }: ExecutionChange): void {
  if (record) database.run(statements.put, valuesOf(record));
  const [first] = events;
  if (first) database.run(statements.addEvents, [first.id, writeHistoryRow(events), name]);
}

function valuesOf(record: ExecutionRecord): (string | number | null)[] {
  const { name, status, startDate, stopDate, redriveCount, redriveDate, redriveToken } = record;
  const { crashes, input, output, error, cause } = record;
  return [
    name,
    status,
    startDate,
    stopDate ?? null,
    redriveCount,
    redriveDate ?? null,
    redriveToken ?? null,
    crashes,
    input,
    output ?? null,
    error ?? null,
    cause ?? null,
  ];
}

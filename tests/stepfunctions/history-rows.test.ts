import { DatabaseSync } from 'node:sqlite';
import { join } from 'node:path';
import { afterAll, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { openDatabase } from '../../src/database/database.ts';
import type { StoredEvent } from '../../src/stepfunctions/history.ts';
import { readHistoryRow, writeHistoryRow } from '../../src/stepfunctions/history-rows.ts';
import { executionMigrations, sqliteExecutionStore } from '../../src/stepfunctions/sqlite-store.ts';
import { folder, removeFolders } from './project.ts';

afterAll(removeFolders);

const json = fc.json().map((text) => JSON.stringify(JSON.parse(text)));

const event = fc.record(
  {
    previousEventId: fc.nat(),
    timestamp: fc.nat(),
    type: fc.constantFrom('TaskStateEntered', 'LambdaFunctionStarted', 'MapStateExited'),
    details: fc.record({ name: fc.string(), input: json, output: json, index: fc.nat() }, { requiredKeys: ['name'] }),
    mark: fc.record({ scope: fc.string(), kind: fc.constantFrom('entered', 'ended', 'restarted') }),
  },
  { requiredKeys: ['previousEventId', 'timestamp', 'type'] },
);

test('events are read as they were written', () => {
  fc.assert(
    fc.property(fc.array(event, { minLength: 1 }), fc.nat(), (events, first) => {
      const stored = events.map((each, index) => ({ ...each, id: first + index })) as StoredEvent[];
      expect(readHistoryRow(first, writeHistoryRow(stored))).toEqual(stored);
    }),
  );
});

test('the input of an execution keeps its white space, and every other text is stored once', () => {
  const state = JSON.stringify({ long: 'x'.repeat(1000) });
  const at = { previousEventId: 0, timestamp: 0 };
  const events: StoredEvent[] = [
    { ...at, id: 1, type: 'ExecutionStarted', details: { input: ' { "a" : 1 } ' } },
    { ...at, id: 2, type: 'PassStateEntered', details: { name: 'A', input: state } },
    { ...at, id: 3, type: 'PassStateExited', details: { name: 'A', output: state } },
  ];
  const row = writeHistoryRow(events);
  expect(row.length).toBeLessThan(1400);
  expect(readHistoryRow(1, row)).toEqual(events);
});

test('the view `events` has every event with its data', () => {
  const file = join(folder(), 'stepwell.db');
  const database = openDatabase(file, executionMigrations);
  const store = sqliteExecutionStore(database);
  const record = { name: 'e', status: 'RUNNING', startDate: 1, redriveCount: 0, crashes: 0, input: '{}' } as const;
  const at = { previousEventId: 0, timestamp: 1_767_225_600_123 };
  store.write([{ name: 'e', record, events: [{ ...at, id: 1, type: 'ExecutionStarted', details: { input: '{}' } }] }]);
  const entered = { ...at, id: 2, type: 'PassStateEntered', details: { name: 'A', input: '{"a":[1]}' } };
  const exited = { ...at, id: 3, type: 'PassStateExited', details: { name: 'A', output: 'null' } };
  store.write([{ name: 'e', events: [entered, exited] }]);
  expect(store.eventCount('e')).toBe(3);
  database.close();
  const shell = new DatabaseSync(file, { readOnly: true });
  const rows = shell
    .prepare('SELECT id, time, type, input, output FROM events WHERE execution = ? ORDER BY id')
    .all('e');
  shell.close();
  const time = '2026-01-01T00:00:00.123Z';
  expect(rows.map((row) => ({ ...row }))).toEqual([
    { id: 1, time, type: 'ExecutionStarted', input: null, output: null },
    { id: 2, time, type: 'PassStateEntered', input: '{"a":[1]}', output: null },
    { id: 3, time, type: 'PassStateExited', input: null, output: 'null' },
  ]);
});

/**
 * Storage format of events: `{ "data": [JSON, …], "events": [[previousEventId, timestamp, type,
 * details, mark], …] }` with ids in sequence. `input` and `output` in the details are indexes into
 * `data`, because the output of a state is also the input of the next one and of its function. The
 * input of an execution is stored as text, to preserve its white space.
 */
import { z } from 'zod';
import type { Json } from './json.ts';
import type { StoredEvent } from './history.ts';

const verbatim = 'ExecutionStarted';

/** Encodes consecutive events of one execution. */
export function writeHistoryRow(events: readonly StoredEvent[]): string {
  const indexes = new Map<string, number>();
  const indexOf = (text: string): number => {
    const known = indexes.get(text);
    if (known !== undefined) return known;
    indexes.set(text, indexes.size);
    return indexes.size - 1;
  };
  const rows = events.map(({ previousEventId, timestamp, type, details, mark }) => {
    if (!details || type === verbatim) return [previousEventId, timestamp, type, details ?? {}, mark];
    const { input, output, ...others } = details;
    const encoded = {
      ...others,
      ...(typeof input === 'string' ? { input: indexOf(input) } : {}),
      ...(typeof output === 'string' ? { output: indexOf(output) } : {}),
    };
    return [previousEventId, timestamp, type, encoded, mark];
  });
  // The texts are JSON already.
  return `{"data":[${[...indexes.keys()].join()}],"events":${JSON.stringify(rows)}}`;
}

const storedRow = z.object({
  data: z.array(z.custom<Json>()),
  events: z.array(
    z.tuple([
      z.int(),
      z.int(),
      z.string(),
      z.record(z.string(), z.custom<Json>()),
      z.object({ scope: z.string(), kind: z.enum(['entered', 'ended', 'restarted']) }).nullish(),
    ]),
  ),
});

/** Decodes a row; the first event has the id `firstEvent`. */
export function readHistoryRow(firstEvent: number, row: string): StoredEvent[] {
  const { data, events } = storedRow.parse(JSON.parse(row));
  const decoded = (name: string, value: Json): Json =>
    (name === 'input' || name === 'output') && typeof value === 'number' ? JSON.stringify(data[value]) : value;
  return events.map(([previousEventId, timestamp, type, details, mark], index) => {
    const entries = Object.entries(details).map(([name, value]): [string, Json] => [name, decoded(name, value)]);
    return {
      id: firstEvent + index,
      previousEventId,
      timestamp,
      type,
      ...(entries.length > 0 ? { details: Object.fromEntries(entries) } : {}),
      ...(mark ? { mark } : {}),
    };
  });
}

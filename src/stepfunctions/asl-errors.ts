import { type Complain, isPositiveInteger, maxDelaySeconds } from './asl.ts';
import { checkResultPath } from './asl-paths.ts';
import { isJsonObject, type Json, type JsonObject } from './json.ts';

const retrierFields = [
  'Comment',
  'ErrorEquals',
  'IntervalSeconds',
  'MaxAttempts',
  'BackoffRate',
  'MaxDelaySeconds',
  'JitterStrategy',
];
const catcherFields = ['Comment', 'ErrorEquals', 'ResultPath', 'Next'];

/** The reserved names that the embedded engine raises and matches as AWS does. */
const reservedErrors = ['States.ALL', 'States.Timeout'];

/** Retry: names, waits that fit a timer, jitter. */
export function checkRetry(value: Json | undefined, complain: Complain): void {
  entries('Retry', value, retrierFields, complain).forEach(([field, retrier], index, all) => {
    checkErrorEquals(field, retrier, index === all.length - 1, complain);
    checkDelays(field, retrier, complain);
    const jitter = retrier['JitterStrategy'];
    if (jitter !== undefined && jitter !== 'FULL' && jitter !== 'NONE') {
      complain(`${field}.JitterStrategy`, `Expected FULL or NONE but received ${JSON.stringify(jitter)}`);
    }
  });
}

/** Catch: names, and where the error goes. */
export function checkCatch(value: Json | undefined, complain: Complain): void {
  entries('Catch', value, catcherFields, complain).forEach(([field, catcher], index, all) => {
    checkErrorEquals(field, catcher, index === all.length - 1, complain);
    checkResultPath(`${field}.ResultPath`, catcher['ResultPath'], complain);
  });
}

function entries(field: string, value: Json | undefined, known: string[], complain: Complain): [string, JsonObject][] {
  if (value === undefined) return [];
  if (!Array.isArray(value)) {
    complain(field, 'Expected a list');
    return [];
  }
  return value.flatMap((entry, index): [string, JsonObject][] => {
    const at = `${field}[${index}]`;
    if (!isJsonObject(entry)) {
      complain(at, 'Expected an object');
      return [];
    }
    for (const name of Object.keys(entry)) {
      if (!known.includes(name)) complain(`${at}.${name}`, 'the embedded engine ignores this field');
    }
    return [[at, entry]];
  });
}

function checkErrorEquals(field: string, entry: JsonObject, last: boolean, complain: Complain): void {
  const at = `${field}.ErrorEquals`;
  const names = entry['ErrorEquals'];
  if (!Array.isArray(names) || names.length === 0) {
    complain(at, 'Expected a list of error names');
    return;
  }
  if (names.includes('States.ALL') && (names.length > 1 || !last)) {
    complain(at, 'States.ALL must stand alone and last; the engine would match it before the entries that follow');
  }
  for (const name of names) {
    if (typeof name === 'string' && name.startsWith('States.') && !reservedErrors.includes(name)) {
      complain(at, `the embedded engine does not match ${name} as AWS does; name the errors themselves`);
    }
  }
}

function checkDelays(field: string, retrier: JsonObject, complain: Complain): void {
  const { IntervalSeconds: interval = 1, MaxAttempts: attempts = 3, BackoffRate: rate = 2 } = retrier;
  const longest = retrier['MaxDelaySeconds'];
  const isCount = typeof attempts === 'number' && Number.isInteger(attempts) && attempts >= 0;
  if (!isPositiveInteger(interval)) complain(`${field}.IntervalSeconds`, 'Expected a positive integer');
  if (!isCount) complain(`${field}.MaxAttempts`, 'Expected an integer of 0 or more');
  if (typeof rate !== 'number' || rate < 1) complain(`${field}.BackoffRate`, 'Expected a number of 1 or more');
  if (!isPositiveInteger(interval) || !isCount || typeof rate !== 'number') return;
  if (longest !== undefined && (!isPositiveInteger(longest) || longest <= interval)) {
    complain(`${field}.MaxDelaySeconds`, `Expected an integer above IntervalSeconds (${interval})`);
    return;
  }
  const lastWait = interval * rate ** Math.max(0, attempts - 1);
  if (Math.min(longest ?? Number.POSITIVE_INFINITY, lastWait) >= maxDelaySeconds) {
    complain(field, `the last wait exceeds ${maxDelaySeconds} seconds, which the engine would not wait`);
  }
}

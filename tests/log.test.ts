import { describe, expect, test } from '@jest/globals';
import { jsonLog, type LogLevel } from '../src/log.ts';

const lines = (level: LogLevel = 'info', context = {}) => {
  const written: string[] = [];
  return { written, log: jsonLog((line) => written.push(line), level, context) };
};

describe('a log line', () => {
  test('is one JSON object with level, event and fields', () => {
    const { written, log } = lines();
    log.info('block.rendered', { block: 3, ms: 12 });
    expect(written).toEqual(['{"level":"info","event":"block.rendered","block":3,"ms":12}']);
  });

  test('is one line even if a key contains line breaks', () => {
    const { written, log } = lines();
    log.warn('object.seen', { key: 'a\nb\r\u001b[2J\u0000' });
    expect(written[0]).toBe('{"level":"warn","event":"object.seen","key":"a\\nb\\r\\u001b[2J\\u0000"}');
  });

  test('has the fields of its log, which its own fields override', () => {
    const { written, log } = lines('info', { imageId: 'i' });
    const inner = log.with({ sequence: '7' });
    inner.error('x', { sequence: '8' });
    log.info('y');
    expect(written.map((line) => JSON.parse(line) as unknown)).toEqual([
      { level: 'error', event: 'x', imageId: 'i', sequence: '8' },
      { level: 'info', event: 'y', imageId: 'i' },
    ]);
  });

  test('has name and message of an error and all digits of large integers', () => {
    const { written, log } = lines();
    log.error('step.failed', { error: new TypeError('it broke'), bytes: 2n ** 60n });
    expect(JSON.parse(written[0] ?? '')).toMatchObject({
      error: { name: 'TypeError', message: 'it broke', stack: expect.stringContaining('log.test') },
      bytes: '1152921504606846976',
    });
  });

  test.each<[LogLevel, string[]]>([
    ['info', ['info', 'warn', 'error']],
    ['warn', ['warn', 'error']],
    ['error', ['error']],
    ['silent', []],
  ])('is written at or above the level %s', (level, expected) => {
    const { written, log } = lines(level);
    for (const inner of [log, log.with({})]) {
      inner.info('info');
      inner.warn('warn');
      inner.error('error');
    }
    expect(written.map((line) => (JSON.parse(line) as { event: string }).event)).toEqual([...expected, ...expected]);
  });
});

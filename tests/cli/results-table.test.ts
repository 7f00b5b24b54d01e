import { describe, expect, test } from '@jest/globals';
import {
  formatBytes,
  formatPixels,
  formatTable,
  formatTime,
  printable,
  type ResultRow,
} from '../../src/cli/results-table.ts';

test.each([
  [0, '0 B'],
  [1, '1 B'],
  [999, '999 B'],
  [1000, '1.00 kB'],
  [1234, '1.23 kB'],
  [12_345, '12.3 kB'],
  [123_456, '123 kB'],
  [999_499, '999 kB'],
  [999_500, '1.00 MB'],
  [999_999, '1.00 MB'],
  [9_999_999, '10.0 MB'],
  [99_990_000, '100 MB'],
  [184_321_000, '184 MB'],
  [4_294_967_296, '4.29 GB'],
  [1_500_000_000_000, '1.50 TB'],
  [2_000_000_000_000_000, '2000 TB'],
])('formatBytes formats %i bytes as %s', (bytes, text) => {
  expect(formatBytes(bytes)).toBe(text);
});

test.each([
  [0, '0.0 s'],
  [49, '0.0 s'],
  [50, '0.1 s'],
  [4200, '4.2 s'],
  [59_940, '59.9 s'],
  [59_960, '1 min 0 s'],
  [60_000, '1 min 0 s'],
  [119_400, '1 min 59 s'],
  [119_600, '2 min 0 s'],
  [185_000, '3 min 5 s'],
  [3_600_000, '60 min 0 s'],
])('formatTime formats %i ms as %s', (ms, text) => {
  expect(formatTime(ms)).toBe(text);
});

test('formatPixels separates thousands', () => {
  expect(formatPixels({ width: 9600, height: 6400 })).toBe('9,600 × 6,400');
  expect(formatPixels({ width: 1, height: 1_000_000 })).toBe('1 × 1,000,000');
});

test.each([
  ['plain name.tif', 'plain name.tif'],
  ['\u001b[31mred\u001b[0m', '\\x1b[31mred\\x1b[0m'],
  ['line\nfeed\rreturn\ttab', 'line\\x0afeed\\x0dreturn\\x09tab'],
  ['\u0000\u007f\u009b', '\\x00\\x7f\\x9b'],
  ['caf\u00e9 \u{1f5fa}', 'caf\u00e9 \u{1f5fa}'],
])('printable escapes %j as %s', (text, shown) => {
  expect(printable(text)).toBe(shown);
});

const row = (changes: Partial<ResultRow>): ResultRow => ({
  name: 'a.tif',
  pixels: '1 × 1',
  levels: '1',
  bytesIn: '9 B',
  bytesOut: '99 B',
  time: '0.1 s',
  outcome: 'PUBLISHED',
  path: 'published/a.tif',
  ...changes,
});

describe('formatTable', () => {
  test('aligns names left and numbers right under their titles', () => {
    expect(
      formatTable([
        row({}),
        row({ name: 'a longer name.jpg', pixels: '9,600 × 6,400', levels: '12', bytesIn: '184 MB', time: '3 min 5 s' }),
        row({ name: 'notes.txt', pixels: '', levels: '', bytesIn: '', bytesOut: '', outcome: 'REJECTED', path: 'why' }),
      ]),
    ).toBe(
      [
        'name                      pixels  levels      in   out       time  outcome    path',
        'a.tif                      1 × 1       1     9 B  99 B      0.1 s  PUBLISHED  published/a.tif',
        'a longer name.jpg  9,600 × 6,400      12  184 MB  99 B  3 min 5 s  PUBLISHED  published/a.tif',
        'notes.txt                                                   0.1 s  REJECTED   why',
        '',
      ].join('\n'),
    );
  });

  test('escapes control characters and keeps columns aligned', () => {
    const table = formatTable([row({ name: 'a\u001b[2J.tif', path: 'out\n/a.tif' })]);
    expect(table).toBe(
      [
        'name          pixels  levels   in   out   time  outcome    path',
        'a\\x1b[2J.tif   1 × 1       1  9 B  99 B  0.1 s  PUBLISHED  out\\x0a/a.tif',
        '',
      ].join('\n'),
    );
  });

  test('returns only the titles for no rows', () => {
    expect(formatTable([])).toBe('name  pixels  levels  in  out  time  outcome  path\n');
  });
});

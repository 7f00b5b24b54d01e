import { posix } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { keyFromPath, pathFromKey } from '../../src/storage/files/key-paths.ts';
import { hostileKeys } from '../support/hostile-keys.ts';

const isKey = (key: string): boolean => key !== '' && Buffer.byteLength(key) <= 1_024;
const nasty = fc.constantFrom(
  '/',
  '..',
  '.',
  '%~',
  '%~+',
  '\\',
  '\0',
  '\n',
  'a',
  'é',
  'e\u0301',
  '🗺',
  '.stepwell-tmp-',
  'x'.repeat(250),
);
const keys = fc.oneof(
  fc.string({ unit: 'binary', minLength: 1 }).filter(isKey),
  fc
    .array(nasty, { minLength: 1 })
    .map((parts) => parts.join(''))
    .filter(isKey),
  fc.constantFrom(...hostileKeys),
);

describe('pathFromKey', () => {
  test.each([
    ['scans/page 1.tif', 'scans/page 1.tif'],
    ['.hidden/con', '.hidden/con'],
    ['100%/a+b', '100%/a+b'],
    ['a//b', 'a/%~/b'],
    ['/a', '%~/a'],
    ['a/', 'a/%~'],
    ['../x', '%~Li4/x'],
    ['./x', '%~Lg/x'],
    ['a\nb', '%~YQpi'],
    ['%~x', '%~JX54'],
    ['.stepwell-tmp-x', '%~LnN0ZXB3ZWxsLXRtcC14'],
    ['s'.repeat(255), 's'.repeat(255)],
  ])('maps %j to %j and back', (key, path) => {
    expect(pathFromKey(key)).toBe(path);
    expect(keyFromPath(path)).toBe(key);
  });

  test('spreads a component longer than a file name over directories', () => {
    const names = pathFromKey('s'.repeat(256)).split('/');
    expect(names.map((name) => name.length)).toEqual([255, 92]);
    expect(names[0]).toMatch(/^%~\+[A-Za-z0-9_-]{252}$/);
    expect(names[1]).toMatch(/^%~[A-Za-z0-9_-]{90}$/);
  });

  test('returns a path from which keyFromPath restores the key', () => {
    fc.assert(
      fc.property(keys, (key) => keyFromPath(pathFromKey(key)) === key),
      { numRuns: 2_000 },
    );
  });

  test('returns a path below the folder for any key', () => {
    fc.assert(
      fc.property(keys, (key) => {
        const path = posix.join('/bucket', pathFromKey(key));
        expect(path).toBe(`/bucket/${pathFromKey(key)}`);
      }),
      { numRuns: 2_000 },
    );
  });

  test('returns names valid on any file system and a path within the limits of Linux', () => {
    fc.assert(
      fc.property(keys, (key) => {
        const path = pathFromKey(key);
        for (const name of path.split('/')) {
          expect(Buffer.byteLength(name)).toBeGreaterThan(0);
          expect(Buffer.byteLength(name)).toBeLessThanOrEqual(255);
          expect(name).not.toMatch(/[\u0000-\u001f\u007f\\]/);
        }
        expect(Buffer.byteLength(path)).toBeLessThan(3_100);
      }),
      { numRuns: 2_000 },
    );
  });

  test('returns different paths for different keys', () => {
    fc.assert(
      fc.property(keys, keys, (a, b) => {
        expect(pathFromKey(a) === pathFromKey(b)).toBe(a === b);
      }),
      { numRuns: 2_000 },
    );
  });

  test.each([
    ['an empty key', ''],
    ['1,025 bytes', 'k'.repeat(1_025)],
    ['1,026 bytes in 513 characters', 'é'.repeat(513)],
    ['a lone surrogate', 'a\ud83d'],
  ])('throws RangeError for %s', (_name, key) => {
    expect(() => pathFromKey(key)).toThrow(RangeError);
  });
});

describe('keyFromPath', () => {
  test.each([
    ['an escape of a name that needs none', '%~YQ'],
    ['an escape that is not base64url', '%~=='],
    ['an escape of bytes that are not UTF-8', '%~_w'],
    ['a continuation without an end', `%~+${'c'.repeat(252)}`],
    ['a continuation that ends in an ordinary name', `%~+${'c'.repeat(252)}/plain`],
    ['a continuation that is too short', '%~+Y/%~Q'],
    ['a temporary file', '.stepwell-tmp-x'],
    ['a path that leads upwards', '../x'],
  ])('returns undefined for %s', (_name, path) => {
    expect(keyFromPath(path)).toBeUndefined();
  });

  test('returns a key only for the path of that key', () => {
    const names = fc.constantFrom('a', '%~', '%~Li4', '%~+', `%~+${'Li4u'.repeat(63)}`, '%~Lg', '..', 'é');
    fc.assert(
      fc.property(fc.array(names, { minLength: 1, maxLength: 6 }), (parts) => {
        const path = parts.join('/');
        const key = keyFromPath(path);
        if (key !== undefined) expect(pathFromKey(key)).toBe(path);
      }),
    );
  });
});

describe('the hostile keys used in tests', () => {
  test('are valid, distinct and can be stored in one folder', () => {
    expect(new Set(hostileKeys).size).toBe(hostileKeys.length);
    for (const key of hostileKeys) {
      expect(Buffer.byteLength(key)).toBeLessThanOrEqual(1_024);
      expect(hostileKeys.filter((other) => other.startsWith(`${key}/`))).toEqual([]);
    }
    expect(hostileKeys.filter((key) => Buffer.byteLength(key) === 1_024).length).toBeGreaterThanOrEqual(4);
  });
});

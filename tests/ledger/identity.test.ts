import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { executionName, imageId, parseExecutionName, sequenceOf } from '../../src/ledger/identity.ts';
import { hostileKeys } from '../support/hostile-keys.ts';

const hexDigits = fc
  .array(fc.constantFrom(...Array.from('0123456789abcdefABCDEF')), { minLength: 1, maxLength: 32 })
  .map((digits) => digits.join(''));

describe('imageId', () => {
  test('is the first 32 hex digits of the SHA-256 of bucket, NUL and key', () => {
    // printf 'masters\0maps/blaeu 1662.tif' | sha256sum
    expect(imageId('masters', 'maps/blaeu 1662.tif')).toBe('12b8836102b55a61ff36b9ce10f23d6d');
  });

  test('differs for keys that look alike', () => {
    const keys = [
      'caf\u00e9.tif',
      'cafe\u0301.tif',
      'a+b.tif',
      'a b.tif',
      'a%20b.tif',
      'a//b.tif',
      'a/b.tif',
      ...hostileKeys,
    ];
    const distinct = new Set(keys);
    expect(new Set([...distinct].map((key) => imageId('masters', key))).size).toBe(distinct.size);
  });

  test('differs when the boundary between bucket and key differs', () => {
    expect(imageId('a', 'bc')).not.toBe(imageId('ab', 'c'));
    expect(imageId('a', 'b', 1)).not.toBe(imageId('a', 'b'));
    expect(imageId('a', 'b', 1)).not.toBe(imageId('a', 'b', 11));
    expect(imageId('a', 'b\0c', 1)).not.toBe(imageId('page 1', 'a\0b'));
  });
});

describe('sequenceOf', () => {
  test('pads on the right and converts to upper case', () => {
    expect(sequenceOf('0055aed6dcd90281e5')).toBe('0055AED6DCD90281E500000000000000');
  });

  test('orders sequencers of different length and letter case by their value', () => {
    /** The value of right-padded digits, as an integer. */
    const value = (digits: string): bigint => BigInt(`0x${digits}`) << BigInt(4 * (32 - digits.length));
    fc.assert(
      fc.property(hexDigits, hexDigits, (a, b) => {
        const [first, second] = [sequenceOf(a), sequenceOf(b)];
        expect(first < second).toBe(value(a) < value(b));
        expect(first === second).toBe(value(a) === value(b));
      }),
      { numRuns: 2_000 },
    );
  });

  test('gives the same sequence for upper and lower case', () => {
    expect(sequenceOf('00abcdef')).toBe(sequenceOf('00ABCDEF'));
  });

  test.each(['', 'xyz', '0x12', ' 12', '12\n', '0'.repeat(33)])('refuses %j', (sequencer) => {
    expect(() => sequenceOf(sequencer)).toThrow(
      `Expected 1 to 32 hex digits for sequencer but received ${JSON.stringify(sequencer)}`,
    );
  });
});

describe('executionName', () => {
  const upload = { imageId: '0123456789abcdef0123456789abcdef', sequence: '0055AED6DCD90281E500000000000000' };

  test('is a valid execution name of Step Functions', () => {
    const name = executionName(upload);
    expect(name).toBe('0123456789abcdef0123456789abcdef-0055AED6DCD90281E500000000000000');
    expect(name).toMatch(/^[0-9A-Za-z_-]{1,80}$/u);
  });

  test('is parsed into the same upload', () => {
    expect(parseExecutionName(executionName(upload))).toEqual(upload);
  });

  test.each([
    'by-hand',
    '',
    '0123456789abcdef0123456789abcdef',
    '0123456789ABCDEF0123456789ABCDEF-0055AED6DCD90281E500000000000000',
    '0123456789abcdef0123456789abcdef-0055aed6dcd90281e500000000000000',
    'x0123456789abcdef0123456789abcdef-0055AED6DCD90281E500000000000000',
    '0123456789abcdef0123456789abcdef-0055AED6DCD90281E500000000000000\n',
  ])('is not recognised in %j', (name) => {
    expect(parseExecutionName(name)).toBeUndefined();
  });
});

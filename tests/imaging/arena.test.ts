import { describe, expect, test } from '@jest/globals';
import { Arena } from '../../src/imaging/arena.ts';

const MEGABYTE = 2 ** 20;

describe('an arena', () => {
  test('reuses released memory, and never shares memory that is still in use', () => {
    const first = new Arena();
    const taken = first.take(3 * MEGABYTE);
    expect(taken).toHaveLength(3 * MEGABYTE);
    const second = new Arena();
    expect(second.take(3 * MEGABYTE).buffer).not.toBe(taken.buffer);
    first.release();
    expect(new Arena().take(3 * MEGABYTE - 5).buffer).toBe(taken.buffer);
  });

  test('does not use a large buffer for a much smaller request', () => {
    const first = new Arena();
    const large = first.take(40 * MEGABYTE);
    first.release();
    expect(new Arena().take(20 * MEGABYTE).buffer).not.toBe(large.buffer);
    expect(new Arena().take(30 * MEGABYTE).buffer).toBe(large.buffer);
  });

  test('frees adopted memory on release, before garbage collection', () => {
    const arena = new Arena();
    const decoded = arena.adopt(new Uint8Array(MEGABYTE));
    expect(decoded).toHaveLength(MEGABYTE);
    arena.release();
    expect(decoded).toHaveLength(0);
  });

  test('does not free adopted memory that is part of a larger buffer', () => {
    const pool = new Uint8Array(64);
    const arena = new Arena();
    arena.adopt(pool.subarray(8, 16));
    arena.release();
    expect(pool).toHaveLength(64);
  });
});

test('packed copies are contiguous and independent of their source', () => {
  const arena = new Arena();
  const source = new Uint8Array([1, 2, 3]);
  const [first, second] = [arena.pack(source), arena.pack(source)];
  source.fill(0);
  expect([Array.from(first), Array.from(second)]).toEqual([
    [1, 2, 3],
    [1, 2, 3],
  ]);
  expect(first.buffer).toBe(second.buffer);
  expect(second.byteOffset - first.byteOffset).toBe(3);
});

test('memory that is too small for a request is freed before more is allocated', () => {
  const megabyte = 2 ** 20;
  const small = new Arena();
  const kept = small.take(3 * megabyte).buffer;
  small.release();
  new Arena().take(100 * megabyte);
  expect(kept.byteLength).toBe(0);
});

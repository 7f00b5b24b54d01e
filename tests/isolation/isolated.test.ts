import { describe, expect, test } from '@jest/globals';
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import {
  discard,
  endBy,
  exhaustHeap,
  fail,
  grow,
  identify,
  reject,
  spin,
  wait,
} from '../support/isolated-functions.ts';
import { childrenOf, eventually, isRunning } from '../support/processes.ts';

const LONG = 200_000;

describe('an isolated function', () => {
  test('returns what it is given, in another process that the next call uses again', async () => {
    const value = { text: 'ü', bytes: Uint8Array.of(1, 2), none: undefined };
    const first = await identify(value, LONG);
    expect(first.value).toEqual(value);
    expect(first.pid).not.toBe(process.pid);
    expect((await identify(1, LONG)).pid).toBe(first.pid);
  });

  test('throws its errors under their names, codes and messages, and its process goes on', async () => {
    const { pid } = await identify(0, LONG);
    await expect(reject('a reason', LONG)).rejects.toMatchObject({
      name: 'RejectedImageError',
      code: 'CORRUPT_PIXELS',
      message: 'CORRUPT_PIXELS: a reason',
    });
    expect((await identify(0, LONG)).pid).toBe(pid);
    await expect(fail('a reason', LONG)).rejects.toMatchObject({ name: 'ToyError', message: 'a reason' });
  });

  test('is ended at its limit although it never returns to the event loop', async () => {
    const { pid } = await identify(0, LONG);
    await expect(spin(undefined, 500)).rejects.toMatchObject({ name: 'TimeLimitError' });
    await eventually(() => !isRunning(pid));
    expect((await identify(0, LONG)).pid).not.toBe(pid);
  });

  test('that crashes twice is an error of the image', async () => {
    await expect(endBy('SIGSEGV', LONG)).rejects.toThrow('CORRUPT_PIXELS: its decoder crashed');
    await expect(exhaustHeap(undefined as never, LONG)).rejects.toThrow('OVER_BUDGET: its decoder needs more memory');
  });

  test('that is killed from outside is no error of the image', async () => {
    await expect(endBy('SIGKILL', LONG)).rejects.toMatchObject({ name: 'ProcessEndedError', signal: 'SIGKILL' });
  });

  test('is not ended by the signals of a terminal', async () => {
    const { pid } = await identify(0, LONG);
    const waiting = wait(1_000, LONG);
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.kill(pid, signal);
    await expect(waiting).resolves.toBe(pid);
  });

  test('whose process has grown leaves it to no other call, but memory that it gave back does not count', async () => {
    const { pid } = await identify(0, LONG);
    await discard(300 * 2 ** 20, LONG);
    expect((await identify(0, LONG)).pid).toBe(pid);
    await grow(300 * 2 ** 20, LONG);
    expect((await identify(0, LONG)).pid).not.toBe(pid);
  });
});

test.each(['SIGKILL', 'SIGTERM'] as const)(
  'an isolated process ends with its parent after %s, even while a decoder occupies it',
  async (signal) => {
    const functions = path.resolve('tests/support/isolated-functions.ts');
    const folder = mkdtempSync(path.join(tmpdir(), 'stepwell-isolated-'));
    const mark = path.join(folder, 'spinning');
    const script = `
      const { spin } = await import(${JSON.stringify(functions)});
      spin(${JSON.stringify(mark)}, 600000);
    `;
    const parent = spawn(process.execPath, ['--input-type=module', '--eval', script], { stdio: 'inherit' });
    try {
      await eventually(() => existsSync(mark));
      const children = childrenOf(parent.pid);
      expect(children).toHaveLength(1);
      parent.kill(signal);
      await eventually(() => children.every((pid) => !isRunning(pid)));
    } finally {
      parent.kill('SIGKILL');
      rmSync(folder, { recursive: true });
    }
  },
);

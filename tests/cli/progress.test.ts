import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { plainDisplay, terminalDisplay } from '../../src/cli/progress.ts';
import type { ProgressStep } from '../../src/stepfunctions/progress.ts';

let output: string;
let clock: number;
const write = (text: string): void => {
  output += text;
};
const now = (): number => clock;
const entered = (state: string): ProgressStep => ({ kind: 'state-entered', state });
const block = (kind: 'iteration-started' | 'iteration-succeeded', index: number, count: number): ProgressStep => ({
  kind,
  state: 'RenderPyramid',
  index,
  count,
});
const retried: ProgressStep = {
  kind: 'task-retried',
  state: 'RenderBlock',
  index: 3,
  attempt: 1,
  error: 'ServiceUnavailableError',
  cause: 'throttled',
};

beforeEach(() => {
  output = '';
  clock = 1_000_000;
});

describe('plainDisplay', () => {
  test('prints one line per event and one per tenth of the blocks', () => {
    const display = plainDisplay(write, now);
    display.note('Step Functions API: http://127.0.0.1:1');
    display.begin('x', 'scan\u001b.tif');
    clock += 60_000; // waiting for others
    for (const state of ['ValidateObject', 'RecordMetadata', 'PlanPyramid', 'RenderPyramid'])
      display.step({ execution: 'x', ...entered(state) });
    for (let index = 0; index < 40; index++) {
      display.step({ execution: 'x', ...block('iteration-started', index, 40) });
      display.step({ execution: 'x', ...block('iteration-succeeded', index, 40) });
      if (index === 5) display.step({ execution: 'x', ...retried });
    }
    clock += 4200;
    display.end('x', 'published');
    display.close();
    expect(output.split('\n')).toEqual([
      'Step Functions API: http://127.0.0.1:1',
      'scan\\x1b.tif: planning',
      'scan\\x1b.tif: 4 of 40 blocks',
      'scan\\x1b.tif: retrying RenderBlock after ServiceUnavailableError',
      'scan\\x1b.tif: 8 of 40 blocks',
      'scan\\x1b.tif: 12 of 40 blocks',
      'scan\\x1b.tif: 16 of 40 blocks',
      'scan\\x1b.tif: 20 of 40 blocks',
      'scan\\x1b.tif: 24 of 40 blocks',
      'scan\\x1b.tif: 28 of 40 blocks',
      'scan\\x1b.tif: 32 of 40 blocks',
      'scan\\x1b.tif: 36 of 40 blocks',
      'scan\\x1b.tif: 40 of 40 blocks',
      'scan\\x1b.tif: published (4.2 s)',
      '',
    ]);
  });

  test('prints one line per block for few blocks', () => {
    const display = plainDisplay(write, now);
    display.begin('x', 'a');
    for (let index = 0; index < 3; index++) display.step({ execution: 'x', ...block('iteration-succeeded', index, 3) });
    expect(output).toBe('a: 1 of 3 blocks\na: 2 of 3 blocks\na: 3 of 3 blocks\n');
  });

  test('ignores events of unknown executions', () => {
    const display = plainDisplay(write, now);
    display.step({ execution: 'unknown', ...entered('PlanPyramid') });
    display.end('unknown', 'published');
    expect(output).toBe('');
  });

  test('prints a gauge at every quarter', () => {
    const display = plainDisplay(write, now);
    for (const fraction of [0, 0.1, 0.24, 0.25, 0.3, 0.9, 1]) display.gauge('painting', fraction);
    expect(output).toBe('painting: 0 %\npainting: 25 %\npainting: 75 %\npainting: 100 %\n');
  });
});

describe('terminalDisplay', () => {
  beforeEach(() => {
    jest.useFakeTimers();
  });
  afterEach(() => {
    jest.useRealTimers();
  });

  /** The lines of the screen after all output: text, line feeds, cursor up, erase to the end. */
  function screen(): string[] {
    let lines = [''];
    let at = 0;
    for (const part of output.split(/(\u001b\[\d*[AJ]|\n)/u)) {
      const up = /^\u001b\[(?<lines>\d+)A$/u.exec(part)?.groups?.['lines'];
      if (up !== undefined) at -= Number(up);
      else if (part === '\u001b[J') lines = [...lines.slice(0, at), ''];
      else if (part === '\n') lines[++at] ??= '';
      else if (part !== '') lines[at] = part;
    }
    return lines;
  }

  test('redraws bars below the permanent lines', () => {
    const display = terminalDisplay(write, () => 80, now);
    display.begin('x', 'scan.tif');
    display.begin('y', 'other.tif');
    display.step({ execution: 'x', ...entered('RenderPyramid') });
    display.step({ execution: 'x', ...block('iteration-started', 0, 4) });
    clock += 1500;
    jest.advanceTimersByTime(100);
    expect(screen()).toEqual([`█${'░'.repeat(23)}  scan.tif  rendering block 0 of 4  1.5 s`, '0 done, 1 waiting', '']);
    display.step({ execution: 'x', ...block('iteration-succeeded', 0, 4) });
    display.step({ execution: 'x', ...block('iteration-succeeded', 1, 4) });
    display.note('no such file: b.tif');
    expect(screen()).toEqual([
      'no such file: b.tif',
      `${'█'.repeat(11)}${'░'.repeat(13)}  scan.tif  rendering block 2 of 4  1.5 s`,
      '0 done, 1 waiting',
      '',
    ]);
    display.end('x', 'published');
    jest.advanceTimersByTime(1000);
    expect(screen()).toEqual(['no such file: b.tif', 'scan.tif: published (1.5 s)', '1 done, 1 waiting', '']);
    display.close();
    expect(screen()).toEqual(['no such file: b.tif', 'scan.tif: published (1.5 s)', '']);
  });

  test('shows ChecksumSource when no other state is left', () => {
    const display = terminalDisplay(write, () => 80, now);
    const shown = (): string => {
      jest.advanceTimersByTime(100);
      return screen()[0]?.slice(24 + 2) ?? '';
    };
    display.begin('x', 'scan.tif');
    for (const state of ['MakePyramid', 'VerifyTiff', 'NeedsChecksumPass', 'ChecksumSource', 'PublishTiff'])
      display.step({ execution: 'x', ...entered(state) });
    expect(shown()).toBe('scan.tif  publishing  0.0 s');
    display.step({ execution: 'x', kind: 'state-exited', state: 'PublishTiff' });
    expect(shown()).toBe('scan.tif  computing checksums  0.0 s');
    display.step({ execution: 'x', ...entered('PublishSidecar') });
    expect(shown()).toBe('scan.tif  writing the sidecar  0.0 s');
    display.close();
  });

  test('draws nothing after close', () => {
    const display = terminalDisplay(write, () => 80, now);
    display.begin('x', 'a');
    display.step({ execution: 'x', ...entered('PlanPyramid') });
    jest.advanceTimersByTime(300);
    display.close();
    const before = output;
    jest.advanceTimersByTime(5000);
    display.close();
    expect(output).toBe(before);
    expect(jest.getTimerCount()).toBe(0);
  });

  test('clips lines to the width of the screen and escapes control characters in names', () => {
    const display = terminalDisplay(write, () => 40, now);
    display.begin('x', `${'long '.repeat(40)}\u001b[2J`);
    display.step({ execution: 'x', ...entered('VerifyTiff') });
    jest.advanceTimersByTime(100);
    expect(screen().every((line) => line.length <= 39)).toBe(true);
    expect(output).not.toContain('\u001b[2J');
    display.close();
  });

  test('shows eight of many images and counts the others', () => {
    const display = terminalDisplay(write, () => 80, now);
    for (let image = 0; image < 20; image++) {
      display.begin(`x${image}`, `${image}.tif`);
      display.step({ execution: `x${image}`, ...entered('PublishTiff') });
    }
    jest.advanceTimersByTime(100);
    const lines = screen();
    expect(lines).toHaveLength(10);
    expect(lines[8]).toBe('0 done, 12 waiting');
    display.close();
  });

  test('draws a gauge until it is full', () => {
    const display = terminalDisplay(write, () => 80, now);
    display.gauge('painting', 0.5);
    jest.advanceTimersByTime(100);
    expect(screen()).toEqual([`${'█'.repeat(12)}${'░'.repeat(12)}  painting`, '']);
    display.gauge('painting', 1);
    jest.advanceTimersByTime(100);
    expect(screen()).toEqual(['']);
    display.close();
  });
});

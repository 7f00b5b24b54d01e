/** The results as Markdown. */
import os from 'node:os';
import { type Case, type Lookup, targets } from './cases.ts';
import type { Contestant, ContestantName } from './contestants.ts';

export interface Sample {
  readonly wallSeconds: number;
  readonly cpuSeconds: number;
  readonly peakBytes: number;
  readonly outputBytes: number;
  /** From plan to published: without the start of the process. */
  readonly pipelineSeconds?: number;
}

export interface Row {
  readonly contestant: ContestantName;
  readonly samples: readonly Sample[];
  /** Why there are none. */
  readonly failure?: string;
}

export interface Result {
  readonly name: string;
  readonly title: string;
  readonly pixels: number;
  readonly rows: readonly Row[];
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length / 2;
  return ((sorted[Math.ceil(middle) - 1] ?? Number.NaN) + (sorted[Math.floor(middle)] ?? Number.NaN)) / 2;
}

function medianOf(row: Row, quantity: keyof Sample): number {
  return median(row.samples.map((sample) => sample[quantity] ?? Number.NaN));
}

/** What the numbers were measured on: they mean nothing without it. */
export function describeMachine(contestants: readonly Contestant[], runs: number): string[] {
  const cpus = os.cpus();
  const load = os.loadavg().map((value) => value.toFixed(1));
  return [
    `* ${cpus.length} × ${cpus[0]?.model.trim() ?? 'unknown processor'}, ${(os.totalmem() / 1e9).toFixed(0)} GB, ${os.type()} ${os.release()}`,
    `* load average before the first run ${load.join(', ')}: whatever else ran is in the numbers`,
    `* medians of ${runs} ${runs === 1 ? 'run' : 'runs, after one that does not count'}`,
    ...contestants.filter(({ version }) => version !== '').map(({ name, version }) => `* ${name}: ${version}`),
  ];
}

export function caseTable(result: Result): string {
  const own = result.rows.find(({ contestant }) => contestant === 'Stepwell');
  const lines = result.rows.flatMap((row) => {
    if (row.failure !== undefined) return [`| ${row.contestant} | ${row.failure} | | | | | |`];
    const walls = row.samples.map((sample) => sample.wallSeconds);
    const wall = medianOf(row, 'wallSeconds');
    const line = `| ${[
      row.contestant,
      range(wall, walls),
      own && own.samples.length > 0 && own !== row ? (medianOf(own, 'wallSeconds') / wall).toFixed(2) : '',
      seconds(medianOf(row, 'cpuSeconds')),
      megabytes(medianOf(row, 'peakBytes')),
      megabytes(medianOf(row, 'outputBytes')),
      (result.pixels / wall / 1e6).toFixed(0),
    ].join(' | ')} |`;
    const pipelines = row.samples.flatMap(({ pipelineSeconds }) => pipelineSeconds ?? []);
    if (pipelines.length === 0) return [line];
    return [line, `| … plan to published | ${range(median(pipelines), pipelines)} | | | | | |`];
  });
  return [
    `### ${result.title}`,
    '',
    '| | wall (range) s | Stepwell ÷ it | CPU s | peak MB | output MB | Mpx/s |',
    '|---|---:|---:|---:|---:|---:|---:|',
    ...lines,
    '',
  ].join('\n');
}

/** With `all`, a target that was not measured is listed as such. */
export function targetTable(results: readonly Result[], all: boolean): string {
  const of: Lookup = (caseName, contestant, quantity) => {
    const result = results.find(({ name }) => name === caseName);
    const row = result?.rows.find((one) => one.contestant === contestant);
    if (!result || !row || row.samples.length === 0) return undefined;
    if (quantity === 'pixelsPerSecond') return result.pixels / medianOf(row, 'wallSeconds');
    return medianOf(row, quantity);
  };
  const lines = targets.flatMap(({ title, atMost, atLeast, value }) => {
    const measured = value(of);
    const aim = atMost === undefined ? `≥ ${atLeast ?? ''}` : `≤ ${atMost}`;
    if (measured === undefined) return all ? [`| ${title} | ${aim} | not measured | |`] : [];
    const met = measured <= (atMost ?? Infinity) && measured >= (atLeast ?? -Infinity);
    return [`| ${title} | ${aim} | ${measured.toFixed(2)} | ${met ? 'met' : 'missed'} |`];
  });
  return ['### Targets', '', '| | target | measured | |', '|---|---:|---:|---|', ...lines, ''].join('\n');
}

/** What a short run says: times of pictures this small would only mislead. */
export function shortLine({ name, rows }: Result): string {
  return `${name}: ${rows.map(({ contestant, failure = 'ran' }) => `${contestant} ${failure}`).join(', ')}\n`;
}

/** What the table says of a case before it is measured. */
export function heading({ name, title }: Case): string {
  return `${name}: ${title}`;
}

function range(middle: number, values: readonly number[]): string {
  return `${seconds(middle)} (${seconds(Math.min(...values))} to ${seconds(Math.max(...values))})`;
}

function seconds(value: number): string {
  return value.toFixed(2);
}

function megabytes(bytes: number): string {
  const value = bytes / 1e6;
  return value.toFixed(value < 10 ? 1 : 0);
}

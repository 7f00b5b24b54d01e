/** The results as Markdown. */
import os from 'node:os';
import type { Case } from './cases.ts';
import type { Contestant } from './contestants.ts';
import { figuresOf, isMet, median, type Result, type Row, type Sample, type Target } from './targets.ts';

function medianOf(row: Row, quantity: keyof Sample): number {
  return median(row.samples.map((sample) => sample[quantity] ?? Number.NaN));
}

/** The machine, the versions and the number of runs, as a list. */
export function describeMachine(contestants: readonly Contestant[], runs: number): string[] {
  const cpus = os.cpus();
  const load = os.loadavg().map((value) => value.toFixed(1));
  return [
    `- ${cpus.length} × ${cpus[0]?.model.trim() ?? 'unknown processor'}, ${(os.totalmem() / 1e9).toFixed(0)} GB, ${os.type()} ${os.release()}`,
    `- load average before the first run: ${load.join(', ')}`,
    `- medians of ${runs} ${runs === 1 ? 'run' : 'runs'} after one that is not counted`,
    ...contestants.flatMap(({ name, version }) => (version === undefined ? [] : [`- ${name}: ${version}`])),
  ];
}

export function caseTable({ title, files, rows }: Result): string {
  const own = rows.find(({ contestant }) => contestant === 'Stepwell');
  const lines = rows.flatMap((row) => {
    if (row.failure !== undefined) return [`| ${row.contestant} | ${row.failure} | | | | | |`];
    const walls = row.samples.map(({ wallSeconds }) => wallSeconds);
    const wall = medianOf(row, 'wallSeconds');
    const cells = [
      row.contestant,
      range(walls, seconds),
      own && own.samples.length > 0 && own !== row ? (medianOf(own, 'wallSeconds') / wall).toFixed(2) : '',
      seconds(medianOf(row, 'cpuSeconds')),
      megabytes(medianOf(row, 'peakBytes')),
      megabytes(medianOf(row, 'outputBytes')),
      files > 1 ? (files / wall).toFixed(1) : (medianOf(row, 'pixels') / wall / 1e6).toFixed(0),
    ];
    const pipelines = row.samples.flatMap(({ pipelineSeconds }) => pipelineSeconds ?? []);
    const pipeline = `| … plan to published | ${range(pipelines, seconds)} | | | | | |`;
    return [`| ${cells.join(' | ')} |`, ...(pipelines.length === 0 ? [] : [pipeline])];
  });
  return [
    `### ${title}`,
    '',
    `| | wall (range) s | Stepwell ÷ it | CPU s | peak MB | output MB | ${files > 1 ? 'images/s' : 'Mpx/s'} |`,
    '|---|---:|---:|---:|---:|---:|---:|',
    ...lines,
    '',
  ].join('\n');
}

/** The targets of the cases with their figures: the median of all rounds, and the range. */
export function targetTable(cases: readonly Case[], results: readonly Result[]): string {
  const lines = cases.flatMap(({ name, targets }) => {
    return targets.map((target) => targetLine(name, target, figuresOf(target, name, results)));
  });
  return [
    '### Targets',
    '',
    '| figure | case | target | measured: median (range) | |',
    '|---|---|---:|---:|---|',
    ...lines,
    '',
  ].join('\n');
}

function targetLine(caseName: string, target: Target, figures: readonly number[] | undefined): string {
  const { title, atMost, atLeast = Number.NaN, unit } = target;
  const suffix = unit === undefined ? '' : ` ${unit}`;
  const limit = atMost === undefined ? `≥ ${atLeast}${suffix}` : `≤ ${atMost}${suffix}`;
  const format = (value: number): string => value.toFixed(unit === 'MB' ? 0 : 2);
  const measured = figures ? `${range(figures, format)}${suffix}` : 'not measured';
  const outcome = figures ? (isMet(target, figures) ? 'met' : 'missed') : '';
  return `| ${title} | \`${caseName}\` | ${limit} | ${measured} | ${outcome} |`;
}

/** One line a case for short runs, whose times are not comparable. */
export function shortLine({ name, rows }: Result): string {
  return `${name}: ${rows.map(({ contestant, failure = 'ran' }) => `${contestant} ${failure}`).join('; ')}\n`;
}

/** One line about a case for the progress on stderr. */
export function heading({ name, title, recipe }: Case): string {
  return `${name}: ${title} (recipe ${recipe})`;
}

function range(values: readonly number[], format: (value: number) => string): string {
  return `${format(median(values))} (${format(Math.min(...values))} to ${format(Math.max(...values))})`;
}

function seconds(value: number): string {
  return value.toFixed(2);
}

function megabytes(bytes: number): string {
  const value = bytes / 1e6;
  return value.toFixed(value < 10 ? 1 : 0);
}

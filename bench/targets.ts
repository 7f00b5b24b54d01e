/** Targets of the cases, and their values from the measured samples. */
import type { ContestantName } from './contestants.ts';

/** One run of one contestant in one case. */
export interface Sample {
  readonly wallSeconds: number;
  /** User and system time of the process and its children. */
  readonly cpuSeconds: number;
  /** Peak resident memory of the largest single process. */
  readonly peakBytes: number;
  /** Size of the pyramids. */
  readonly outputBytes: number;
  /** Pixels of the masters. */
  readonly pixels: number;
  /** From the plan to the publication, without the start of the process. Stepwell only. */
  readonly pipelineSeconds?: number;
}

export interface Row {
  readonly contestant: ContestantName;
  /** In the order of the rounds, so that equal indexes are of the same round. */
  readonly samples: readonly Sample[];
  /** Why the contestant was not measured, or not to the end. */
  readonly failure?: string;
}

export interface Result {
  readonly name: string;
  readonly title: string;
  readonly files: number;
  readonly rows: readonly Row[];
}

/** A contestant of a case; without `caseName` of the case that has the target. */
interface Subject {
  readonly contestant: ContestantName;
  readonly caseName?: string;
}

interface Limit {
  readonly atMost?: number;
  readonly atLeast?: number;
}

/** A figure of every round, whose median is compared with a limit. */
export interface Target extends Limit {
  readonly title: string;
  /** Default: Stepwell. */
  readonly own?: Subject;
  /** What the figure is relative to; a figure without one is absolute. */
  readonly against?: Subject;
  /** Default: none, the figure is a ratio. */
  readonly unit?: 's' | 'MB';
  /** `peer` is the sample of the same round; NaN where the figure needs what was not measured. */
  readonly figure: (own: Sample, peer: Sample | undefined) => number;
}

/** Stepwell's quantity divided by the same quantity of another contestant. */
export function ratioTo(
  contestant: ContestantName,
  title: string,
  limit: Limit,
  quantity: 'wallSeconds' | 'cpuSeconds' = 'wallSeconds',
): Target {
  return {
    title,
    ...limit,
    against: { contestant },
    figure: (own, peer) => own[quantity] / (peer?.[quantity] ?? Number.NaN),
  };
}

/** Peak memory in MB. */
export function peakMemory(title: string, atMost: number, own: Subject = { contestant: 'Stepwell' }): Target {
  return { title, atMost, unit: 'MB', own, figure: ({ peakBytes }) => peakBytes / 1e6 };
}

/** The figure in every round. Undefined when one of the subjects was not measured, or failed. */
export function figuresOf(target: Target, caseName: string, results: readonly Result[]): number[] | undefined {
  const samplesOf = (subject: Subject): readonly Sample[] => {
    const result = results.find(({ name }) => name === (subject.caseName ?? caseName));
    const row = result?.rows.find(({ contestant }) => contestant === subject.contestant);
    return row?.failure === undefined ? (row?.samples ?? []) : [];
  };
  const own = samplesOf(target.own ?? { contestant: 'Stepwell' });
  const peers = target.against ? samplesOf(target.against) : undefined;
  const paired = peers ? own.slice(0, peers.length) : own;
  const figures = paired.map((sample, round) => target.figure(sample, peers?.[round]));
  return figures.length > 0 ? figures : undefined;
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length / 2;
  return ((sorted[Math.ceil(middle) - 1] ?? Number.NaN) + (sorted[Math.floor(middle)] ?? Number.NaN)) / 2;
}

/** Compares the median. NaN misses every limit. */
export function isMet({ atMost = Infinity, atLeast = -Infinity }: Limit, figures: readonly number[]): boolean {
  const middle = median(figures);
  return middle <= atMost && middle >= atLeast;
}

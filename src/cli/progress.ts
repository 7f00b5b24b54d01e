import type { Progress } from '../stepfunctions/progress.ts';
import { formatTime, printable } from './results-table.ts';

/** Progress output: bars on a terminal, plain lines in a pipe. */
export interface Display {
  /** Adds an image; `execution` identifies it in later calls. */
  begin(execution: string, name: string): void;
  /** Reports an event of an image's execution. */
  step(progress: Progress): void;
  /** Removes an image and prints its outcome. */
  end(execution: string, outcome: string): void;
  /** Prints a line. */
  note(line: string): void;
  /** Shows the progress of a task that is not an image, 0 to 1. */
  gauge(label: string, fraction: number): void;
  /** Removes the bars from the terminal. */
  close(): void;
}

interface Item {
  readonly name: string;
  /** Time of the first event, which excludes waiting in the queue. Milliseconds. */
  since: number | undefined;
  state: string;
  done: number;
  blocks: number;
}

const RENDERING = 'RenderPyramid';
/** Runs in parallel with the states that make the pyramid; shown only when those have ended. */
const PARALLEL = 'ChecksumSource';

/** Descriptions of the states, in their order. States that take no time are left out. */
export const stateDescriptions: Readonly<Record<string, string>> = {
  ValidateObject: 'reading the header',
  ConvertSource: 'converting',
  MeasureSamples: 'measuring the samples',
  StartPages: 'starting the pages',
  RecordMetadata: 'recording',
  PlanPyramid: 'planning',
  CompareDigest: 'comparing the checksum',
  RenderImage: 'rendering',
  RenderPyramid: 'rendering',
  RenderTopLevels: 'rendering the top levels',
  AssembleTiff: 'assembling',
  VerifyTiff: 'verifying',
  PublishTiff: 'publishing',
  ChecksumSource: 'computing checksums',
  PublishTiles: 'publishing tiles',
  PublishOutputs: 'publishing images and descriptors',
  PublishSidecar: 'writing the sidecar',
  RecordRejection: 'recording the rejection',
};

/** The state of every image that a display shows. */
class Items {
  readonly all = new Map<string, Item>();
  readonly #now: () => number;

  constructor(now: () => number) {
    this.#now = now;
  }

  begin(execution: string, name: string): void {
    this.all.set(execution, { name: printable(name), since: undefined, state: '', done: 0, blocks: 0 });
  }

  step(progress: Progress): Item | undefined {
    const item = this.all.get(progress.execution);
    if (!item) return undefined;
    item.since ??= this.#now();
    const next = stateAfter(progress);
    if (next !== undefined) Object.assign(item, { state: next, done: 0, blocks: 0 });
    if (progress.kind === 'iteration-started') item.blocks = progress.count;
    if (progress.kind === 'iteration-succeeded') {
      item.blocks = progress.count;
      item.done += 1;
    }
    return item;
  }

  end(execution: string): Item | undefined {
    const item = this.all.get(execution);
    this.all.delete(execution);
    return item;
  }

  time(item: Item): string {
    return formatTime(this.#now() - (item.since ?? this.#now()));
  }
}

function stateAfter(progress: Progress): string | undefined {
  if (progress.kind === 'state-exited' && progress.state === 'PublishTiff') return PARALLEL;
  const isShown =
    progress.kind === 'state-entered' && progress.state !== PARALLEL && progress.state in stateDescriptions;
  return isShown && progress.index === undefined ? progress.state : undefined;
}

/** One line per event; blocks are reported at every tenth of the total. */
export function plainDisplay(write: (text: string) => void, now: () => number = Date.now): Display {
  const items = new Items(now);
  const line = (text: string): void => {
    write(`${text}\n`);
  };
  let lastGauge = '';
  return {
    begin(execution, name) {
      items.begin(execution, name);
    },
    step(progress) {
      const item = items.step(progress);
      if (!item) return;
      if (progress.kind === 'task-retried') line(`${item.name}: retrying ${progress.state} after ${progress.error}`);
      if (progress.kind === 'state-entered' && progress.state === 'PlanPyramid')
        line(`${item.name}: ${stateDescriptions['PlanPyramid'] ?? ''}`);
      if (progress.kind !== 'iteration-succeeded') return;
      const tenth = (done: number): number => Math.floor((done * 10) / item.blocks);
      if (tenth(item.done) > tenth(item.done - 1)) line(`${item.name}: ${item.done} of ${item.blocks} blocks`);
    },
    end(execution, outcome) {
      const item = items.end(execution);
      if (item) line(`${item.name}: ${outcome} (${items.time(item)})`);
    },
    note: line,
    gauge(label, fraction) {
      const text = `${label}: ${Math.floor(fraction * 4) * 25} %`;
      if (text !== lastGauge) line(text);
      lastGauge = text;
    },
    close() {
      // Lines need no cleanup.
    },
  };
}

/** Width of a bar. Characters. */
const BAR_WIDTH = 24;
/** Number of images with a bar; the others are counted. */
const MAX_BARS = 8;
/** Interval between redraws. Milliseconds. */
const REDRAW_INTERVAL_MS = 100;

/** Bars that are redrawn below the permanent lines. */
export function terminalDisplay(
  write: (text: string) => void,
  columns: () => number,
  now: () => number = Date.now,
): Display {
  const items = new Items(now);
  let drawn = 0;
  let ended = 0;
  let gauge: string | undefined;
  const erase = (): void => {
    if (drawn > 0) write(`\x1b[${drawn}A\x1b[J`);
    drawn = 0;
  };
  const draw = (): void => {
    erase();
    const shown = [...items.all.values()].filter((item) => item.state !== '').slice(0, MAX_BARS);
    const waiting = items.all.size - shown.length;
    const lines = shown.map((item) => itemLine(item, items.time(item)));
    if (gauge !== undefined) lines.push(gauge);
    if (waiting > 0) lines.push(`${ended} done, ${waiting} waiting`);
    for (const text of lines) write(`${text.slice(0, Math.max(20, columns() - 1))}\n`);
    drawn = lines.length;
  };
  const timer = setInterval(draw, REDRAW_INTERVAL_MS);
  const note = (text: string): void => {
    erase();
    write(`${text}\n`);
    draw();
  };
  return {
    begin(execution, name) {
      items.begin(execution, name);
    },
    step(progress) {
      const item = items.step(progress);
      if (item && progress.kind === 'task-retried')
        note(`${item.name}: retrying ${progress.state} after ${progress.error}`);
    },
    end(execution, outcome) {
      const item = items.end(execution);
      if (!item) return;
      ended += 1;
      note(`${item.name}: ${outcome} (${items.time(item)})`);
    },
    note,
    gauge(label, fraction) {
      gauge = fraction < 1 ? `${bar(fraction)}  ${label}` : undefined;
    },
    close() {
      clearInterval(timer);
      gauge = undefined;
      items.all.clear();
      draw();
    },
  };
}

function itemLine(item: Item, time: string): string {
  const description = stateDescriptions[item.state] ?? item.state;
  const blocks = item.state === RENDERING && item.blocks > 0 ? ` block ${item.done} of ${item.blocks}` : '';
  return `${bar(fractionOf(item))}  ${item.name}  ${description}${blocks}  ${time}`;
}

/** Estimated fraction of the work: 5 % before rendering, 80 % for rendering, the rest after it. */
function fractionOf(item: Item): number {
  const states = Object.keys(stateDescriptions);
  const rendering = states.indexOf(RENDERING);
  const at = states.indexOf(item.state);
  if (at < rendering) return (0.05 * at) / rendering;
  if (at === rendering) return 0.05 + (0.8 * item.done) / Math.max(1, item.blocks);
  return Math.min(1, 0.85 + 0.02 * (at - rendering));
}

function bar(fraction: number): string {
  const full = Math.round(fraction * BAR_WIDTH);
  return `${'█'.repeat(full)}${'░'.repeat(BAR_WIDTH - full)}`;
}

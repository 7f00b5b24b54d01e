import type { Progress } from '../stepfunctions/progress.ts';
import { formatTime, printable } from './results-table.ts';

/** What people see while images are on their way: bars on a terminal, lines in a pipe. */
export interface Display {
  /** An image is on its way; `execution` names it in what follows. */
  begin(execution: string, name: string): void;
  /** An image's execution did something. */
  step(progress: Progress): void;
  /** An image is done with, and this is what became of it. */
  end(execution: string, outcome: string): void;
  /** A line of its own. */
  note(line: string): void;
  /** How far something that is no image is, 0 to 1. */
  gauge(label: string, fraction: number): void;
  /** Leaves the screen as plain text. */
  close(): void;
}

interface Item {
  readonly name: string;
  /** When it began to do something; waiting for others does not count. */
  since: number | undefined;
  state: string;
  done: number;
  blocks: number;
}

const RENDERING = 'RenderPyramid';
/** Goes on beside all that makes the pyramid; only when that is done is it what people wait for. */
const BESIDE = 'ChecksumSource';

/** What the states do, in words and in their order. Those that are not here take no time. */
const doing: Readonly<Record<string, string>> = {
  ValidateObject: 'reading the header',
  ConvertSource: 'converting',
  RecordMetadata: 'recording',
  PlanPyramid: 'planning',
  CompareDigest: 'comparing the checksum',
  RenderPyramid: 'rendering',
  RenderTopLevels: 'rendering the top levels',
  AssembleTiff: 'assembling',
  VerifyTiff: 'verifying',
  PublishTiff: 'publishing',
  ChecksumSource: 'reading on for the checksums',
  PublishSidecar: 'writing the sidecar',
  RecordRejection: 'recording the rejection',
};

/** Keeps what the displays show of every image. */
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
    item.state = stateAfter(progress) ?? item.state;
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
  if (progress.kind === 'state-exited' && progress.state === 'PublishTiff') return BESIDE;
  const isShown = progress.kind === 'state-entered' && progress.state !== BESIDE && progress.state in doing;
  return isShown && progress.index === undefined ? progress.state : undefined;
}

/** One line for each thing that happens; of blocks only every tenth of the way. */
export function plainDisplay(write: (text: string) => void, now: () => number = Date.now): Display {
  const items = new Items(now);
  const line = (text: string): void => {
    write(`${text}\n`);
  };
  let gauged = '';
  return {
    begin(execution, name) {
      items.begin(execution, name);
    },
    step(progress) {
      const item = items.step(progress);
      if (!item) return;
      if (progress.kind === 'task-retried') line(`${item.name}: ${progress.state} again after ${progress.error}`);
      if (progress.kind === 'state-entered' && progress.state === 'PlanPyramid')
        line(`${item.name}: ${doing['PlanPyramid'] ?? ''}`);
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
      if (text !== gauged) line(text);
      gauged = text;
    },
    close() {
      // Nothing to undo.
    },
  };
}

const BAR = 24;
/** Images shown at once; the others are counted. */
const SHOWN = 8;
/** Milliseconds between two drawings. */
const FRAME = 100;

/** Bars that are drawn over and over at the bottom, under the lines that stay. */
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
    const shown = [...items.all.values()].filter((item) => item.state !== '').slice(0, SHOWN);
    const waiting = items.all.size - shown.length;
    const lines = shown.map((item) => itemLine(item, items.time(item)));
    if (gauge !== undefined) lines.push(gauge);
    if (waiting > 0) lines.push(`${ended} done, ${waiting} waiting`);
    for (const text of lines) write(`${text.slice(0, Math.max(20, columns() - 1))}\n`);
    drawn = lines.length;
  };
  const timer = setInterval(draw, FRAME);
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
        note(`${item.name}: ${progress.state} again after ${progress.error}`);
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
  const what = doing[item.state] ?? item.state;
  const blocks = item.state === RENDERING && item.blocks > 0 ? ` block ${item.done} of ${item.blocks}` : '';
  return `${bar(fractionOf(item))}  ${item.name}  ${what}${blocks}  ${time}`;
}

/** Rendering is most of the work; what comes before and after it gets the rest. */
function fractionOf(item: Item): number {
  const states = Object.keys(doing);
  const rendering = states.indexOf(RENDERING);
  const at = states.indexOf(item.state);
  if (at < rendering) return (0.05 * at) / rendering;
  if (at === rendering) return 0.05 + (0.8 * item.done) / Math.max(1, item.blocks);
  return Math.min(1, 0.85 + 0.02 * (at - rendering));
}

function bar(fraction: number): string {
  const full = Math.round(fraction * BAR);
  return `${'█'.repeat(full)}${'░'.repeat(BAR - full)}`;
}

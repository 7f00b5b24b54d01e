import {
  closeSync,
  existsSync,
  fstatSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  rmSync,
  truncateSync,
  writeSync,
} from 'node:fs';
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import type { ExecutionSummary } from './executions.ts';
import type { HistoryEvent } from './history.ts';
import type { Note } from './resume.ts';

/** One line of an execution's file. A summary is there whenever it changed, and on the first line. */
export interface Line {
  readonly event?: HistoryEvent | undefined;
  readonly note?: Note | undefined;
  readonly summary?: ExecutionSummary | undefined;
}

/**
 * The file of one execution: JSON lines, only ever appended to. A line is handed to the operating system before anybody
 * hears of what it says, so the end of the process loses nothing that was reported; a torn last line was reported to
 * nobody and is cut off.
 */
export class Journal {
  private file: number | undefined;
  readonly path: string;

  constructor(path: string) {
    this.path = path;
  }

  append(line: Line): void {
    this.file ??= openSync(this.path, 'a');
    writeSync(this.file, `${JSON.stringify(line)}\n`);
  }

  /** Gives the file handle back; appending opens it again. */
  rest(): void {
    if (this.file !== undefined) closeSync(this.file);
    this.file = undefined;
  }

  lines(): Line[] {
    return existsSync(this.path) ? parseLines(readFileSync(this.path, 'utf8')) : [];
  }

  /** Cuts off a torn last line; a file without a whole line goes. */
  repair(): void {
    const bytes = readFileSync(this.path);
    const end = bytes.lastIndexOf(0x0a) + 1;
    if (end === 0) rmSync(this.path);
    else if (end < bytes.length) truncateSync(this.path, end);
  }

  /** The last line, read from the end of the file; undefined when it is torn or longer than the part that is read. */
  lastLine(): Line | undefined {
    const file = openSync(this.path, 'r');
    try {
      const { size } = fstatSync(file);
      const tail = Buffer.alloc(Math.min(size, 65_536));
      readSync(file, tail, 0, tail.length, size - tail.length);
      const text = tail.toString('utf8');
      const start = text.lastIndexOf('\n', text.length - 2);
      return text.endsWith('\n') && start >= 0 ? parseLines(text.slice(start + 1))[0] : undefined;
    } finally {
      closeSync(file);
    }
  }
}

function parseLines(text: string): Line[] {
  const whole = text.slice(0, text.lastIndexOf('\n') + 1);
  return whole
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Line);
}

/** The file of an execution. Names may differ in case or hold characters that file names cannot. */
export function journalFor(directory: string, name: string): Journal {
  const readable = name.toLowerCase().replace(/[^a-z0-9._-]/gu, '_');
  const exact = createHash('sha256').update(name).digest('hex').slice(0, 16);
  return new Journal(join(directory, `${readable}.${exact}.jsonl`));
}

export function journalsIn(directory: string): Journal[] {
  return readdirSync(directory)
    .filter((file) => file.endsWith('.jsonl'))
    .map((file) => new Journal(join(directory, file)));
}

/**
 * Labels: titles, descriptions and metadata of images in a CSV file (RFC 4180), one row an image.
 * The first row names the columns: `identifier`, `title` and `description` in any letter case;
 * every other column becomes a metadata pair.
 */
import { CsvError, parse } from 'csv-parse/sync';
import type { MetadataPair } from './described-image.ts';

/** Largest file of labels: 100,000 rows of 300 bytes. Bytes. */
export const MAX_LABELS_BYTES = 32 * 2 ** 20;
/** Most columns that are read; a row of hostile length stops there. */
const MAX_COLUMNS = 100;
/** Longest row. A quote that is never closed ends there. Characters. */
const MAX_ROW_LENGTH = 2 ** 18;
/** Problems reported one by one; further ones are counted. */
const MAX_PROBLEMS = 100;

/** One row. */
export interface Label {
  /** Line of the file on which the row ends, from 1. */
  readonly line: number;
  /** Position among the rows, from 0. */
  readonly rank: number;
  readonly identifier: string;
  readonly title?: string | undefined;
  readonly description?: string | undefined;
  /** Of the other columns that are not empty, in the order of the columns. */
  readonly pairs: readonly MetadataPair[];
}

/** What is wrong with a file of labels. */
export interface LabelProblem {
  readonly line: number;
  readonly message: string;
}

/** The rows of a file by identifier, in their order, and what could not be used. */
export interface Labels {
  readonly rows: ReadonlyMap<string, Label>;
  readonly problems: readonly LabelProblem[];
}

export const noLabels: Labels = { rows: new Map(), problems: [] };

/**
 * Reads a file of labels. Never throws: rows before a fault of syntax are used, and problems are
 * reported by line. Where two rows name the same image, the first is used.
 */
export function parseLabels(bytes: Uint8Array): Labels {
  if (bytes.length > MAX_LABELS_BYTES) return unusable(`the file has more than ${MAX_LABELS_BYTES / 2 ** 20} MiB`);
  if (isUtf16(bytes)) return unusable('the file is UTF-16; save it as "CSV UTF-8"');
  const text = decode(bytes);
  if (text === undefined) return unusable('the file is not UTF-8; save it as "CSV UTF-8"');
  const { rows, fault } = readRows(text);
  const [header, ...records] = rows;
  if (!header)
    return unusable(fault?.message ?? 'the file is empty; its first row must be identifier,title,description');
  const columns = columnsOf(header.cells);
  if (columns.identifier === undefined) {
    return unusable('the first row has no column "identifier"; it must be identifier,title,description');
  }
  const labels = new Map<string, Label>();
  const problems = [...columns.problems];
  for (const { cells, line } of records) {
    const read = labelOf(cells, line, labels.size, columns);
    const problem = typeof read === 'string' ? read : duplicateOf(read, labels);
    if (problem !== undefined) problems.push({ line, message: problem });
    else if (typeof read !== 'string') labels.set(read.identifier, read);
  }
  if (fault) problems.push(fault);
  return { rows: labels, problems: bounded(problems) };
}

/** Identifiers are compared in NFC: file names of macOS are stored decomposed. */
export function normalIdentifier(identifier: string): string {
  return identifier.trim().normalize('NFC');
}

interface Row {
  readonly cells: readonly string[];
  readonly line: number;
}

/** The rows up to the first fault of syntax. */
function readRows(text: string): { rows: Row[]; fault?: LabelProblem } {
  const rows: Row[] = [];
  try {
    parse(text, {
      delimiter: delimiterOf(text),
      relax_column_count: true,
      skip_empty_lines: true,
      trim: true,
      max_record_size: MAX_ROW_LENGTH,
      on_record: (record, { lines }) => {
        if (record.some((cell) => cell !== '')) rows.push({ cells: record.slice(0, MAX_COLUMNS), line: lines });
        return null;
      },
    });
    return { rows };
  } catch (error) {
    if (!(error instanceof CsvError)) throw error;
    const line = (rows.at(-1)?.line ?? 0) + 1;
    return { rows, fault: { line, message: `${faultOf(error.code)}; this row and those after it are not used` } };
  }
}

function faultOf(code: string): string {
  if (code === 'CSV_QUOTE_NOT_CLOSED') return 'a quoted value does not end';
  if (code === 'CSV_MAX_RECORD_SIZE')
    return `the row has more than ${MAX_ROW_LENGTH} characters; a quote may be missing`;
  return 'a quote stands within a value; double it and quote the value';
}

/**
 * Spreadsheets separate values by semicolons where the comma is the decimal separator, or by tabs.
 */
function delimiterOf(text: string): string {
  const header = /^[^\r\n]{0,10000}/u.exec(text.trimStart())?.[0] ?? '';
  const count = (delimiter: string): number => header.split(delimiter).length;
  return [',', ';', '\t'].reduce((best, candidate) => (count(candidate) > count(best) ? candidate : best));
}

interface Columns {
  readonly identifier: number | undefined;
  readonly title: number | undefined;
  readonly description: number | undefined;
  /** The columns that become metadata pairs. */
  readonly others: readonly { readonly index: number; readonly label: string }[];
  readonly problems: readonly LabelProblem[];
}

function columnsOf(header: readonly string[]): Columns {
  const find = (name: string): number | undefined => {
    const index = header.findIndex((cell) => cell.toLowerCase() === name);
    return index === -1 ? undefined : index;
  };
  const [identifier, title, description] = [find('identifier'), find('title'), find('description')];
  const known = new Set([identifier, title, description]);
  const others = header.map((cell, index) => ({ index, label: clean(cell) })).filter(({ index }) => !known.has(index));
  const problems = [
    ...(title === undefined ? [{ line: 1, message: 'there is no column "title"; embedded titles are used' }] : []),
    ...(header.length === MAX_COLUMNS
      ? [{ line: 1, message: `columns after the first ${MAX_COLUMNS} are not used` }]
      : []),
  ];
  return { identifier, title, description, others: others.filter(({ label }) => label !== ''), problems };
}

/** The label of a row, or what is wrong with it. */
function labelOf(cells: readonly string[], line: number, rank: number, columns: Columns): Label | string {
  const cell = (index: number | undefined): string => clean(index === undefined ? '' : (cells[index] ?? ''));
  const identifier = normalIdentifier(cell(columns.identifier));
  if (identifier === '') return 'the row has no identifier';
  const pairs = columns.others
    .map(({ index, label }) => ({ label, value: cell(index) }))
    .filter(({ value }) => value !== '');
  const title = cell(columns.title) || undefined;
  return { line, rank, identifier, title, description: cell(columns.description) || undefined, pairs };
}

function duplicateOf({ identifier }: Label, labels: ReadonlyMap<string, Label>): string | undefined {
  const earlier = labels.get(identifier);
  return earlier && `"${identifier}" has a row already, on line ${earlier.line}, which is used`;
}

/** Without control characters other than tabs and line ends. */
function clean(text: string): string {
  return text.replace(/[\u0000-\u0008\u000B\u000C\u000E-\u001F\u007F]/gu, '').trim();
}

function isUtf16([first, second]: Uint8Array): boolean {
  return (first === 0xff && second === 0xfe) || (first === 0xfe && second === 0xff);
}

/** The text without byte order mark; undefined if it is not UTF-8. */
function decode(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return undefined;
  }
}

function unusable(message: string): Labels {
  return { rows: new Map(), problems: [{ line: 1, message: `${message}; no label of it is used` }] };
}

function bounded(problems: readonly LabelProblem[]): LabelProblem[] {
  if (problems.length <= MAX_PROBLEMS) return [...problems];
  const further = problems.slice(MAX_PROBLEMS);
  return [
    ...problems.slice(0, MAX_PROBLEMS),
    { line: further[0]?.line ?? 1, message: `${further.length} further problems from here on` },
  ];
}

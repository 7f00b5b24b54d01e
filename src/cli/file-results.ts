/** The result of each file, and what the command prints of it. */
import path from 'node:path';
import type { ImageStatus, LedgerEntry } from '../ledger/ledger.ts';
import type { TakenUpload } from '../local/resume.ts';
import { interrupted } from '../stepfunctions/engine.ts';
import { formatBytes, formatPixels, formatTime, type ResultRow } from './results-table.ts';

/** The result of one file so far. */
export interface FileResult {
  upload?: TakenUpload;
  entry?: LedgerEntry | undefined;
  /** Why no execution could be started or followed. */
  error?: string;
  milliseconds?: number;
  /** Of a document: its pages, in their order. */
  pages?: readonly PageResult[];
}

export interface PageResult extends FileResult {
  /** Of the file, with the number of the page. */
  readonly name: string;
  readonly upload: TakenUpload;
}

/** `out`: the folder of the published files. */
export function rowOf(name: string, result: FileResult, out: string): ResultRow {
  const { metadata, published, status } = result.entry ?? {};
  const isPublished = status === 'PUBLISHED' && published;
  return {
    name,
    pixels: metadata ? formatPixels(metadata) : '',
    levels: isPublished ? String(published.levels) : '',
    bytesIn: metadata ? formatBytes(metadata.fileSize) : '',
    bytesOut: isPublished ? formatBytes(published.size) : '',
    time:
      result.upload?.how === 'unchanged'
        ? 'unchanged'
        : result.milliseconds === undefined
          ? ''
          : formatTime(result.milliseconds),
    outcome: outcomeOf(result),
    path: isPublished ? path.join(out, published.key) : firstLine(reasonOf(result)),
  };
}

/** True if nothing is processed for the upload. */
export function hasEnded({ how }: TakenUpload): boolean {
  return how === 'unchanged' || how === 'crashed';
}

/** Of a document that is DIVIDED, the outcomes of the pages are missing. */
const unfinished: ReadonlySet<ImageStatus> = new Set(['CLAIMED', 'PROCESSING', 'DIVIDED']);

/** The outcome in the words of the progress display. */
export function inWords(result: FileResult): string {
  const { status, pages = 0 } = result.entry ?? {};
  return status === 'DIVIDED' ? `${pages} pages` : outcomeOf(result).toLowerCase();
}

function outcomeOf({ entry, error }: FileResult): string {
  if (error !== undefined) return 'FAILED';
  const isUnfinished = entry === undefined || unfinished.has(entry.status) || wasInterrupted(entry);
  return isUnfinished || lacksSidecar(entry) ? 'UNFINISHED' : entry.status;
}

/** True if its execution ended because the command was stopped. */
function wasInterrupted({ status, failure }: LedgerEntry): boolean {
  return status === 'ABORTED' && failure?.error === interrupted.error;
}

/** True if the pyramid is published but PublishSidecar has not succeeded. */
function lacksSidecar({ status, sidecar }: LedgerEntry): boolean {
  return status === 'PUBLISHED' && sidecar === undefined;
}

/** Why the file is not published; empty if it is, or may be. */
export function reasonOf({ entry, error }: FileResult): string {
  if (error !== undefined) return error;
  if (entry?.status === 'REJECTED' && entry.rejection) return `${entry.rejection.code}: ${entry.rejection.detail}`;
  if (entry?.failure && entry.status !== 'PUBLISHED' && !wasInterrupted(entry))
    return `${entry.failure.error}: ${causeMessage(entry.failure.cause)}`;
  return '';
}

/** The message of an error that a function reported as JSON. */
function causeMessage(cause: string): string {
  try {
    const parsed: unknown = JSON.parse(cause);
    if (typeof parsed === 'object' && parsed !== null && 'errorMessage' in parsed) return String(parsed.errorMessage);
  } catch {
    // The cause is not JSON but the message itself.
  }
  return cause;
}

function firstLine(text: string): string {
  return text.split('\n')[0] ?? '';
}

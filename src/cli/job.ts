/** Converts files in parallel, each by an execution, and collects the results. */
import { availableParallelism } from 'node:os';
import path from 'node:path';
import type { LedgerEntry } from '../ledger/ledger.ts';
import { isSettled, type TakenUpload } from '../local/resume.ts';
import type { Workspace } from '../local/workspace.ts';
import { forEachParallel } from '../parallel.ts';
import { type FileResult, hasEnded, inWords, reasonOf, rowOf } from './file-results.ts';
import type { InputFile } from './inputs.ts';
import type { Display } from './progress.ts';
import { printable, type ResultRow } from './results-table.ts';

/** Dependencies of the job. */
export interface JobContext {
  /** The folder of serverless.yml, state-machines and recipes. */
  readonly project: string;
  readonly display: Display;
  readonly print: (text: string) => void;
  /** Aborted by Ctrl-C and other signals; see `stopSignal`. */
  readonly signal: AbortSignal;
  readonly now: () => number;
}

/**
 * Number of files processed concurrently: enough to use all cores, bounded for folders of any size.
 */
const CONCURRENT_FILES = 4 * availableParallelism();

/** The executions of the files of one command, and their results. */
export class Job {
  readonly #workspace: Workspace;
  readonly #display: Display;
  readonly #now: () => number;
  readonly #out: string;
  readonly #begun: ReadonlyMap<string, number>;
  readonly #signal: AbortSignal;
  readonly #results = new Map<InputFile, FileResult>();

  /** `begun`: time of the first event of every execution. Milliseconds. */
  constructor(
    workspace: Workspace,
    { display, now, signal }: JobContext,
    begun: ReadonlyMap<string, number>,
    out: string,
  ) {
    this.#begun = begun;
    this.#signal = signal;
    this.#workspace = workspace;
    this.#display = display;
    this.#now = now;
    this.#out = out;
  }

  /**
   * Starts an execution for every file and waits for their ends. Failures of files are independent.
   * After the signal no further file is taken.
   */
  async runAll(files: readonly InputFile[]): Promise<void> {
    await forEachParallel(untilAborted(files, this.#signal), CONCURRENT_FILES, async (file) => {
      const result: FileResult = {};
      this.#results.set(file, result);
      try {
        const upload = await this.#take(file);
        result.upload = upload;
        if (upload.how === 'resumed') this.#display.note(`${printable(file.name)}: resumed`);
        await this.#follow(file.name, result, upload);
        if (result.entry?.status === 'DIVIDED') await this.#followPages(file.name, result, upload);
      } catch (error) {
        // A file that was being taken is taken by the next run.
        if (this.#signal.aborted) return;
        result.error = error instanceof Error ? error.message : String(error);
        this.#display.note(`${printable(file.name)}: ${printable(result.error)}`);
      }
    });
  }

  async #take({ folder, key, name }: InputFile): Promise<TakenUpload> {
    return this.#workspace.take(await this.#workspace.bucketOf(folder), key, (execution) => {
      this.#display.begin(execution, name);
    });
  }

  async #readEntry(result: FileResult, upload: TakenUpload): Promise<void> {
    result.entry = await this.#workspace.entry(upload);
  }

  async #follow(name: string, result: FileResult, upload: TakenUpload): Promise<void> {
    if (upload.how === 'crashed') {
      this.#display.note(`${printable(name)}: left alone after two crashes; --retry processes it again`);
    }
    await (hasEnded(upload) ? this.#readEntry(result, upload) : this.#end(name, result, upload));
  }

  /** Waits for the ends of the executions of a document's pages. */
  async #followPages(name: string, result: FileResult, document: TakenUpload): Promise<void> {
    const uploads = await this.#workspace.pages(document, (execution) => this.#begun.has(execution));
    const pages = uploads.map((upload, index) => ({ name: `${name} page ${index + 1} of ${uploads.length}`, upload }));
    result.pages = pages;
    for (const page of pages) if (!hasEnded(page.upload)) this.#display.begin(page.upload.execution, page.name);
    await Promise.all(pages.map((page) => this.#follow(page.name, page, page.upload)));
  }

  async #end(name: string, result: FileResult, upload: TakenUpload): Promise<void> {
    await this.#workspace.ended(upload);
    if (this.#signal.aborted) return;
    const now = this.#now();
    result.milliseconds = now - (this.#begun.get(upload.execution) ?? now);
    await this.#readEntry(result, upload);
    const isNoImage = result.entry?.rejection?.code === 'UNSUPPORTED_FORMAT';
    const reason = reasonOf(result);
    if (isNoImage) this.#display.note(`not an image: ${printable(name)} (${printable(reason)})`);
    this.#display.end(upload.execution, inWords(result) + (reason && !isNoImage ? `: ${printable(reason)}` : ''));
    if (result.entry && isSettled(result.entry)) {
      await this.#workspace.clearWork(upload);
    }
  }

  /** The ledger entries of all files and pages that have ended. */
  entries(): LedgerEntry[] {
    const parts = [...this.#results.values()].flatMap((result): readonly FileResult[] => result.pages ?? [result]);
    return parts.flatMap(({ entry }) => (entry ? [entry] : []));
  }

  /** The rows of the table of results, in the order of the files; one for each page. */
  async rows(files: readonly InputFile[]): Promise<ResultRow[]> {
    const rows = await Promise.all(
      files.map(async (file) => {
        const result = this.#results.get(file) ?? {};
        const parts = result.pages ?? [{ ...result, name: file.name }];
        return Promise.all(parts.map((part) => this.#rowOf(part)));
      }),
    );
    return rows.flat();
  }

  async #rowOf(result: FileResult & { readonly name: string }): Promise<ResultRow> {
    const entry = result.entry ?? (result.upload && (await this.#workspace.entry(result.upload)));
    const published = entry?.status === 'PUBLISHED' ? entry.published : undefined;
    if (!entry || !published || (await this.#workspace.isPublic(entry))) {
      return rowOf(result.name, { ...result, entry }, this.#out);
    }
    const file = path.join(this.#out, published.key);
    const error = `${file} was removed or changed after it was published; run the same command again`;
    return rowOf(result.name, { ...result, entry: undefined, error }, this.#out);
  }
}

function* untilAborted<Item>(items: readonly Item[], signal: AbortSignal): Generator<Item> {
  for (const item of items) {
    if (signal.aborted) return;
    yield item;
  }
}

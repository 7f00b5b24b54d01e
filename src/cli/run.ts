/** The command's job: converts files to pyramids and prints a table of results. */
import { realpath } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import path from 'node:path';
import { UsageError } from '../errors.ts';
import type { ImageStatus, LedgerEntry } from '../ledger/ledger.ts';
import { isSettled, type TakenUpload } from '../local/resume.ts';
import { Workspace } from '../local/workspace.ts';
import { interrupted } from '../stepfunctions/engine.ts';
import type { Progress } from '../stepfunctions/progress.ts';
import { readRecipes } from '../recipe/read.ts';
import { forEachParallel } from '../parallel.ts';
import type { Arguments } from './arguments.ts';
import { findInputs, type InputFile, type Inputs } from './inputs.ts';
import type { Display } from './progress.ts';
import { formatBytes, formatPixels, formatTable, formatTime, printable, type ResultRow } from './results-table.ts';
import { makeSample } from './sample.ts';
import { stoppedExitCode } from './signals.ts';

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

/**
 * Runs the job. Returns the exit code: 0 if every file was published, 1 if not, and 128 plus the
 * number of the signal if it was stopped before.
 */
export async function run(options: Arguments, context: JobContext): Promise<number> {
  const { display, signal } = context;
  const recipes = path.resolve(options.recipes ?? path.join(context.project, 'recipes'));
  await assertRecipe(recipes, options.recipe);
  const begun = new Map<string, number>();
  const workspace = await startWorkspace(options, context.project, recipes, (step) => {
    if (!begun.has(step.execution)) begun.set(step.execution, context.now());
    display.step(step);
  });
  // Decoders keep intermediate files there; the next start removes those of a killed process.
  process.env['TMPDIR'] = workspace.temporaryFolder;
  try {
    const { files, missing, skipped } = await chooseFiles(options, workspace, display);
    for (const name of missing) display.note(`no such file or folder: ${printable(name)}`);
    for (const { name, reason } of skipped) display.note(`skipped: ${printable(name)} (${printable(reason)})`);
    display.note(`Step Functions API: ${workspace.endpoint}`);
    const job = new Job(workspace, context, begun, path.relative(process.cwd(), path.resolve(options.out)));
    const stopped = aborted(signal);
    const results = job.runAll(files);
    await Promise.race([results, stopped]);
    if (options.serve && !signal.aborted) {
      display.note('All files are done. The API keeps running until Ctrl-C.');
      await stopped;
    }
    if (signal.aborted) {
      display.note('Stopping. Run the same command again to resume.');
      await workspace.interrupt();
      await results;
    }
    display.close();
    const rows = await job.rows(files);
    if (rows.length > 0) context.print(`\n${formatTable(rows)}`);
    const allFound = missing.length === 0 && !skipped.some(({ isError }) => isError);
    const allPublished = allFound && rows.every(({ outcome }) => outcome === 'PUBLISHED');
    return allPublished ? 0 : (stoppedExitCode(signal) ?? 1);
  } finally {
    display.close();
    await workspace.stop();
  }
}

async function assertRecipe(directory: string, name: string): Promise<void> {
  const recipes = await readRecipes(directory);
  if (recipes.has(name)) return;
  throw new UsageError(
    `There is no recipe ${name}. Choose one of these with --recipe: ${[...recipes.keys()].join(', ')}.`,
  );
}

async function chooseFiles(options: Arguments, { temporaryFolder }: Workspace, display: Display): Promise<Inputs> {
  if (options.inputs.length === 0) {
    const sample = await makeSample(path.join(options.workspace, 'sample'), temporaryFolder, (fraction) => {
      display.gauge('generating a sample image of 61 megapixels', fraction);
    });
    return findInputs([sample], []);
  }
  return findInputs(options.inputs, [await realpath(options.out), await realpath(options.workspace)]);
}

function startWorkspace(
  options: Arguments,
  project: string,
  recipes: string,
  onProgress: (step: Progress) => void,
): Promise<Workspace> {
  return Workspace.start({
    directory: options.workspace,
    out: options.out,
    recipe: options.recipe,
    recipes,
    project,
    port: options.port,
    retryCrashed: options.retry,
    logLevel: options.verbose ? 'info' : 'silent',
    onProgress,
  });
}

/** The result of one file so far. */
interface FileResult {
  upload?: TakenUpload;
  entry?: LedgerEntry | undefined;
  /** Why no execution could be started or followed. */
  error?: string;
  milliseconds?: number;
  /** Of a document: its pages, in their order. */
  pages?: readonly PageResult[];
}

interface PageResult extends FileResult {
  /** Of the file, with the number of the page. */
  readonly name: string;
  readonly upload: TakenUpload;
}

class Job {
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

function rowOf(name: string, result: FileResult, out: string): ResultRow {
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
function hasEnded({ how }: TakenUpload): boolean {
  return how === 'unchanged' || how === 'crashed';
}

/** Of a document that is DIVIDED, the outcomes of the pages are missing. */
const unfinished: ReadonlySet<ImageStatus> = new Set(['CLAIMED', 'PROCESSING', 'DIVIDED']);

function inWords(result: FileResult): string {
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

function reasonOf({ entry, error }: FileResult): string {
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

function* untilAborted<Item>(items: readonly Item[], signal: AbortSignal): Generator<Item> {
  for (const item of items) {
    if (signal.aborted) return;
    yield item;
  }
}

function firstLine(text: string): string {
  return text.split('\n')[0] ?? '';
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    signal.addEventListener(
      'abort',
      () => {
        resolve();
      },
      { once: true },
    );
  });
}

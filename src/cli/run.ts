/** The main job: files in, pyramids out, one table at the end. */
import { mkdir, realpath } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import path from 'node:path';
import { UsageError } from '../errors.ts';
import type { LedgerEntry } from '../ledger/ledger.ts';
import type { TakenUpload } from '../local/intake.ts';
import { Workspace } from '../local/workspace.ts';
import type { Progress } from '../stepfunctions/progress.ts';
import { readRecipes } from '../recipe/read.ts';
import { forEachParallel } from '../parallel.ts';
import type { Arguments } from './arguments.ts';
import { findInputs, type InputFile, type Inputs } from './inputs.ts';
import type { Display } from './progress.ts';
import { formatBytes, formatPixels, formatTable, formatTime, printable, type ResultRow } from './results-table.ts';
import { makeSample } from './sample.ts';

export interface Surroundings {
  /** The folder of serverless.yml, state-machines and recipes. */
  readonly project: string;
  readonly display: Display;
  readonly print: (text: string) => void;
  /** Aborted when people want to stop. */
  readonly signal: AbortSignal;
  readonly now: () => number;
}

/** Files that are under way at once: enough that no core waits, and few enough for a folder of any length. */
const FILES_UNDER_WAY = 4 * availableParallelism();

/** Runs the job. Returns the exit code: 0 when everything was published, 1 when not, 130 when it was stopped. */
export async function run(options: Arguments, surroundings: Surroundings): Promise<number> {
  const { display, signal } = surroundings;
  const recipes = path.resolve(options.recipes ?? path.join(surroundings.project, 'recipes'));
  await assertRecipe(recipes, options.recipe);
  const { files, missing } = await chooseFiles(options, display);
  for (const name of missing) display.note(`no such file: ${printable(name)}`);
  const begun = new Map<string, number>();
  const workspace = await startWorkspace(options, surroundings.project, recipes, (step) => {
    if (!begun.has(step.execution)) begun.set(step.execution, surroundings.now());
    display.step(step);
  });
  try {
    display.note(`Step Functions API: ${workspace.endpoint}`);
    const job = new Job(workspace, surroundings, begun, path.relative(process.cwd(), path.resolve(options.out)));
    const stopped = aborted(signal);
    const results = job.runAll(files);
    await Promise.race([results, stopped]);
    if (options.serve && !signal.aborted) {
      display.note('Everything is done; the API stays up until Ctrl-C.');
      await stopped;
    }
    if (signal.aborted) display.note('Stopping. Run the same command again to go on from here.');
    display.close();
    const rows = await job.rows(files);
    if (rows.length > 0) surroundings.print(`\n${formatTable(rows)}`);
    const allPublished = missing.length === 0 && rows.every(({ outcome }) => outcome === 'PUBLISHED');
    return allPublished ? 0 : signal.aborted ? 130 : 1;
  } finally {
    display.close();
    await workspace.stop();
  }
}

async function assertRecipe(directory: string, name: string): Promise<void> {
  const recipes = await readRecipes(directory);
  if (recipes.has(name)) return;
  throw new UsageError(
    `Expected one of the recipes ${[...recipes.keys()].join(', ')} for --recipe but received ${name}`,
  );
}

async function chooseFiles(options: Arguments, display: Display): Promise<Inputs> {
  if (options.inputs.length === 0) {
    const sample = await makeSample(path.join(options.workspace, 'sample'), (fraction) => {
      display.gauge('painting a sample image of 61 megapixels', fraction);
    });
    return findInputs([sample], []);
  }
  await mkdir(options.out, { recursive: true });
  await mkdir(options.workspace, { recursive: true });
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
    logLevel: options.verbose ? 'info' : 'silent',
    onProgress,
  });
}

/** What is known of one file. */
interface Known {
  upload?: TakenUpload;
  entry?: LedgerEntry | undefined;
  /** Why it could not even be taken in. */
  trouble?: string;
  milliseconds?: number;
}

class Job {
  readonly #workspace: Workspace;
  readonly #display: Display;
  readonly #now: () => number;
  readonly #out: string;
  readonly #begun: ReadonlyMap<string, number>;
  readonly #known = new Map<InputFile, Known>();

  /** `begun` says when each execution began to do something, in milliseconds. */
  constructor(workspace: Workspace, { display, now }: Surroundings, begun: ReadonlyMap<string, number>, out: string) {
    this.#begun = begun;
    this.#workspace = workspace;
    this.#display = display;
    this.#now = now;
    this.#out = out;
  }

  /** Takes every file in, then waits until all have ended. A file that fails harms no other. */
  async runAll(files: readonly InputFile[]): Promise<void> {
    await forEachParallel(files, FILES_UNDER_WAY, async (file) => {
      const known: Known = {};
      this.#known.set(file, known);
      try {
        const upload = await this.#take(file);
        known.upload = upload;
        if (upload.how === 'resumed') this.#display.note(`${printable(file.name)}: resumed`);
        await (upload.how === 'unchanged' ? this.#note(known, upload) : this.#end(file, known, upload));
      } catch (error) {
        known.trouble = error instanceof Error ? error.message : String(error);
        this.#display.note(`${printable(file.name)}: ${printable(known.trouble)}`);
      }
    });
  }

  async #take({ folder, key, name }: InputFile): Promise<TakenUpload> {
    return this.#workspace.take(await this.#workspace.bucketOf(folder), key, (execution) => {
      this.#display.begin(execution, name);
    });
  }

  async #note(known: Known, upload: TakenUpload): Promise<void> {
    known.entry = await this.#workspace.entry(upload);
  }

  async #end(file: InputFile, known: Known, upload: TakenUpload): Promise<void> {
    await this.#workspace.ended(upload);
    const now = this.#now();
    known.milliseconds = now - (this.#begun.get(upload.execution) ?? now);
    await this.#note(known, upload);
    const isNoImage = known.entry?.rejection?.code === 'UNSUPPORTED_FORMAT';
    const reason = reasonOf(known);
    if (isNoImage) this.#display.note(`not an image: ${printable(file.name)} (${printable(reason)})`);
    this.#display.end(
      upload.execution,
      outcomeOf(known).toLowerCase() + (reason && !isNoImage ? `: ${printable(reason)}` : ''),
    );
    if (isSettled(known.entry)) {
      await this.#workspace.clearWork(upload);
    }
  }

  /** The closing table, in the order of the files. */
  async rows(files: readonly InputFile[]): Promise<ResultRow[]> {
    return Promise.all(
      files.map(async (file) => {
        const known = this.#known.get(file) ?? {};
        if (known.upload && !known.entry) await this.#note(known, known.upload);
        return rowOf(file, known, this.#out);
      }),
    );
  }
}

function rowOf(file: InputFile, known: Known, out: string): ResultRow {
  const { metadata, published, status } = known.entry ?? {};
  const isPublished = status === 'PUBLISHED' && published;
  return {
    name: file.name,
    pixels: metadata ? formatPixels(metadata) : '',
    levels: isPublished ? String(published.levels) : '',
    bytesIn: metadata ? formatBytes(metadata.fileSize) : '',
    bytesOut: isPublished ? formatBytes(published.size) : '',
    time:
      known.upload?.how === 'unchanged'
        ? 'unchanged'
        : known.milliseconds === undefined
          ? ''
          : formatTime(known.milliseconds),
    outcome: outcomeOf(known),
    path: isPublished ? path.join(out, published.key) : firstLine(reasonOf(known)),
  };
}

function outcomeOf({ entry, trouble }: Known): string {
  if (trouble !== undefined) return 'FAILED';
  const isUnderWay = entry === undefined || entry.status === 'CLAIMED' || entry.status === 'PROCESSING';
  return isUnderWay || lacksSidecar(entry) ? 'UNFINISHED' : entry.status;
}

/** Nothing is left to do, so that nothing of the work area is needed any more. */
function isSettled(entry: LedgerEntry | undefined): boolean {
  return entry?.status === 'REJECTED' || (entry?.status === 'PUBLISHED' && !lacksSidecar(entry));
}

/** Its pyramid is public, and the last step failed. */
function lacksSidecar({ status, sidecar }: LedgerEntry): boolean {
  return status === 'PUBLISHED' && sidecar === undefined;
}

function reasonOf({ entry, trouble }: Known): string {
  if (trouble !== undefined) return trouble;
  if (entry?.status === 'REJECTED' && entry.rejection) return `${entry.rejection.code}: ${entry.rejection.detail}`;
  if (entry?.failure && entry.status !== 'PUBLISHED')
    return `${entry.failure.error}: ${causeMessage(entry.failure.cause)}`;
  return '';
}

/** Functions report an error as JSON; its message is what people want. */
function causeMessage(cause: string): string {
  try {
    const parsed: unknown = JSON.parse(cause);
    if (typeof parsed === 'object' && parsed !== null && 'errorMessage' in parsed) return String(parsed.errorMessage);
  } catch {
    // Not JSON: it is the message itself.
  }
  return cause;
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

/** The command's job: converts files to pyramids and prints a table of results. */
import { readFile, realpath } from 'node:fs/promises';
import path from 'node:path';
import { UsageError } from '../errors.ts';
import { Workspace } from '../local/workspace.ts';
import type { Progress } from '../stepfunctions/progress.ts';
import { readRecipes } from '../recipe/read.ts';
import type { Arguments } from './arguments.ts';
import { findInputs, type Inputs } from './inputs.ts';
import { Job, type JobContext } from './job.ts';
import type { Display } from './progress.ts';
import { formatTable, printable } from './results-table.ts';
import { makeSample } from './sample.ts';
import { stoppedExitCode } from './signals.ts';

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
    noteAddresses(options, workspace, display);
    if (options.labels !== undefined) await workspace.storeLabels(await readLabels(options.labels));
    const job = new Job(workspace, context, begun, path.relative(process.cwd(), path.resolve(options.out)));
    const stopped = aborted(signal);
    const results = job.runAll(files);
    await Promise.race([results, stopped]);
    if (signal.aborted) {
      display.note('Stopping. Run the same command again to resume.');
      await workspace.interrupt();
      await results;
    }
    if (!signal.aborted) await writeManifests(options, workspace, job, display);
    display.close();
    const rows = await job.rows(files);
    if (rows.length > 0) context.print(`\n${formatTable(rows)}`);
    if (options.serve && !signal.aborted) {
      const done = rows.length > 0 ? 'All files are done. ' : '';
      context.print(`\n${done}Open ${viewerAddress(workspace)} in a browser. Ctrl-C ends the command.\n`);
      await stopped;
      // Executions that were started through the API may be running.
      await workspace.interrupt();
    }
    const allFound = missing.length === 0 && !skipped.some(({ isError }) => isError);
    const allPublished = allFound && rows.every(({ outcome }) => outcome === 'PUBLISHED');
    return allPublished ? 0 : (stoppedExitCode(signal) ?? 1);
  } finally {
    display.close();
    await workspace.stop();
  }
}

async function readLabels(file: string): Promise<Uint8Array> {
  try {
    return await readFile(file);
  } catch (cause) {
    throw new UsageError(`Expected a CSV file for --labels but ${file} cannot be read`, { cause });
  }
}

/** Writes the manifests of the folders of the files, and reports what is wrong with labels. */
async function writeManifests(
  { labels, inputs }: Arguments,
  workspace: Workspace,
  job: Job,
  display: Display,
): Promise<void> {
  const ofAll = labels !== undefined && inputs.length === 0;
  const entries = job.entries();
  if (!ofAll && !entries.some(({ outputs }) => outputs?.some(({ name }) => name === 'manifest'))) return;
  const { folders, written, problems } = await workspace.writeManifests(ofAll ? 'all' : entries);
  for (const problem of problems) display.note(printable(problem));
  display.note(`manifests of ${folders} ${folders === 1 ? 'folder' : 'folders'}: ${written} files written`);
}

function viewerAddress({ endpoint }: Workspace): string {
  return `${endpoint}/`;
}

function noteAddresses({ serve }: Arguments, workspace: Workspace, display: Display): void {
  if (serve) {
    display.note(`Viewer: ${viewerAddress(workspace)}`);
    display.note(`IIIF: ${workspace.endpoint}/iiif/3/`);
  }
  display.note(`Step Functions API: ${workspace.endpoint}`);
}

async function assertRecipe(directory: string, name: string): Promise<void> {
  const recipes = await readRecipes(directory);
  if (recipes.has(name)) return;
  throw new UsageError(
    `There is no recipe ${name}. Choose one of these with --recipe: ${[...recipes.keys()].join(', ')}.`,
  );
}

/**
 * The files of the command: the sample without any, unless there is something to serve or to label.
 */
async function chooseFiles(options: Arguments, workspace: Workspace, display: Display): Promise<Inputs> {
  const { temporaryFolder } = workspace;
  if (options.inputs.length === 0) {
    const needsNone = options.labels !== undefined || (options.serve && (await workspace.hasPublished()));
    if (needsNone) return { files: [], missing: [], skipped: [] };
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
    ports: options.ports,
    serve: options.serve,
    retryCrashed: options.retry,
    logLevel: options.verbose ? 'info' : 'silent',
    onProgress,
  });
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

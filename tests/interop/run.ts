/**
 * Checks published files with third-party readers: libtiff, libvips, GDAL and IIPImage, as packaged by Debian.
 *
 *     node tests/interop/run.ts [--keep]
 *
 * Makes masters, runs `npm start` on their folder once a recipe, and checks every published file with every reader. Converted
 * colours are compared with another build of Little CMS. Uses the project through its command line only, but for slices of
 * masters, which are read in every layout of TIFF. The last line is `N passed, N failed`; the exit code is 1 when any failed.
 */
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { checkConvertedColours } from './colours.ts';
import { print, publish } from './command-line.ts';
import { type Case, type Reader, readers } from './readers.ts';
import { type Master, writeMasters } from './masters.ts';
import { missingPackages, versions } from './programs.ts';
import { levelSizes, promisedFor, type Promised, promises } from './recipes.ts';
import { checkSlices } from './slices.ts';

/** Number of files checked concurrently. */
const PLACES = Math.max(1, Math.min(4, os.availableParallelism()));

/** Complaints of one reader about one file. */
interface ReaderResult {
  readonly reader: string;
  readonly complaints: readonly string[];
}

interface CheckedFile {
  readonly subject: Case;
  readonly published: boolean;
  readonly results: readonly ReaderResult[];
}

async function main(): Promise<number> {
  const { values } = parseArgs({ options: { keep: { type: 'boolean', default: false } } });
  const missing = await missingPackages(pathOfPrograms());
  if (missing.length > 0) {
    print(`Some readers are not installed. Install them with: apt-get install ${missing.join(' ')}`);
    return summary(0, 1);
  }
  for (const version of await versions()) print(version);
  const folder = await mkdtemp(path.join(os.tmpdir(), 'stepwell-interop-'));
  try {
    return await checkAll(folder);
  } finally {
    if (values.keep) print(`kept: ${folder}`);
    else await rm(folder, { recursive: true, force: true });
  }
}

function pathOfPrograms(): string {
  return process.env['PATH'] ?? '';
}

async function checkAll(folder: string): Promise<number> {
  const masters = path.join(folder, 'masters');
  await mkdir(masters);
  const made = await writeMasters(masters);
  print(`${made.length} masters, ${promises.length} recipes, ${readers.length} readers`);
  const checked: CheckedFile[] = [];
  let failedRuns = 0;
  for (const promised of promises) {
    const out = path.join(folder, promised.recipe);
    const options = ['--recipe', promised.recipe, '--workspace', path.join(folder, 'workspace', promised.recipe)];
    if (!(await publish(masters, out, options))) failedRuns++;
    checked.push(...(await checkFolder(made, { masters, out, promised, scratch: path.join(folder, 'scratch') })));
    await rm(out, { recursive: true, force: true });
  }
  printTable(checked);
  const results = checked.flatMap((one) => one.results);
  const failed = results.filter(({ complaints }) => complaints.length > 0).length;
  const sliced = await checkEveryLayout(path.join(folder, 'slices'));
  const coloured = await checkConvertedColours(path.join(folder, 'colours'), PLACES);
  return summary(
    results.length - failed + promises.length - failedRuns + sliced.passed + coloured.passed,
    failed + failedRuns + sliced.failed + coloured.failed,
  );
}

/** Slices of a picture in every layout of TIFF, against the crops of the whole. */
async function checkEveryLayout(scratch: string): Promise<{ passed: number; failed: number }> {
  const begun = performance.now();
  await mkdir(scratch);
  const results = await checkSlices(scratch, PLACES);
  const wrong = results.filter(({ complaint }) => complaint !== undefined);
  const seconds = ((performance.now() - begun) / 1000).toFixed(1);
  print(`slices of ${results.length} layouts: ${results.length - wrong.length} equal the crops, ${seconds} s`);
  for (const { layout, complaint = '' } of wrong) print(`${layout.picture}, ${layout.name}: ${complaint}`);
  return { passed: results.length - wrong.length, failed: wrong.length };
}

async function checkFolder(
  masters: readonly Master[],
  places: { masters: string; out: string; promised: Promised; scratch: string },
): Promise<CheckedFile[]> {
  const checked: CheckedFile[] = [];
  const waiting = masters.entries();
  const work = async (): Promise<void> => {
    for (const [index, master] of waiting) {
      const scratch = path.join(places.scratch, master.name);
      await mkdir(scratch, { recursive: true });
      const file = path.join(places.out, `${master.name}.tif`);
      const subject = {
        master,
        file,
        scratch,
        promised: promisedFor(places.promised, master),
        masters: places.masters,
      };
      const published = existsSync(file);
      checked[index] = { subject, published, results: await checkFile(subject, published) };
      await rm(scratch, { recursive: true, force: true });
    }
  };
  await Promise.all(Array.from({ length: PLACES }, work));
  return checked;
}

async function checkFile(subject: Case, published: boolean): Promise<ReaderResult[]> {
  const results: ReaderResult[] = [];
  for (const { name, check } of readers) {
    results.push({
      reader: name,
      complaints: published ? await complaintsOf(check, subject) : ['not published'],
    });
  }
  return results;
}

async function complaintsOf(check: Reader['check'], subject: Case): Promise<string[]> {
  try {
    return await check(subject);
  } catch (error) {
    return [error instanceof Error ? error.message : String(error)];
  }
}

function printTable(checked: readonly CheckedFile[]): void {
  const rows = checked.map(({ subject: { master, promised }, results }) => [
    `${master.name}.${master.extension}`,
    promised.recipe,
    `${master.width} × ${master.height} × ${master.bands} × ${master.bitDepth}`,
    String(levelSizes(master, promised.tileSize).length),
    ...results.map(({ complaints }) => (complaints.length === 0 ? 'ok' : 'FAILED')),
  ]);
  const table = [['master', 'recipe', 'size', 'levels', ...readers.map(({ name }) => name)], ...rows];
  const widths = table[0]?.map((_, column) => Math.max(...table.map((row) => row[column]?.length ?? 0))) ?? [];
  print();
  for (const row of table)
    print(
      row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    );
  print();
  for (const { subject, published, results } of checked) {
    const name = `${subject.promised.recipe}/${subject.master.name}.tif`;
    const said = results.flatMap(({ reader, complaints }) => complaints.map((complaint) => `${reader}: ${complaint}`));
    for (const complaint of published ? said : said.slice(0, 1)) print(`${name}: ${complaint}`);
  }
}

function summary(passed: number, failed: number): number {
  print(`${passed} passed, ${failed} failed`);
  return failed === 0 ? 0 : 1;
}

process.exitCode = await main();

/**
 * Checks published files with third-party readers: libtiff, libvips, GDAL and IIPImage, as packaged
 * by Debian.
 *
 *     node tests/interop/run.ts [--keep]
 *
 * Creates masters, runs `npm start` on their folder once per recipe, and checks every published
 * file with every reader. Converted colours are compared with another build of Little CMS, and masters
 * of formats that libvips does not decode with what other programs decode. Slices
 * of masters are checked in every TIFF layout; only these call the project's code directly, all
 * else runs its command line. The viewer is checked in chromium. The last line is `N passed, N failed`; the exit code is 1 when any
 * failed.
 */
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { checkConvertedColours } from './colours.ts';
import { checkDecoders } from './decoders.ts';
import { print, publish } from './command-line.ts';
import { type Case, type Reader, readers } from './readers.ts';
import { type Master, writeMasters } from './masters.ts';
import { missingPackages, versions } from './programs.ts';
import { levelSizes, expectedOutputOf, type ExpectedOutput, expectedOutputs } from './recipes.ts';
import { checkSlices } from './slices.ts';
import { checkViewer } from './viewer.ts';

/** Number of files checked concurrently. */
const CONCURRENCY = Math.max(1, Math.min(4, os.availableParallelism()));

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
  print(`${made.length} masters, ${expectedOutputs.length} recipes, ${readers.length} readers`);
  const checked: CheckedFile[] = [];
  let failedRuns = 0;
  for (const expectedOutput of expectedOutputs) {
    const out = path.join(folder, expectedOutput.recipe);
    const options = [
      '--recipe',
      expectedOutput.recipe,
      '--workspace',
      path.join(folder, 'workspace', expectedOutput.recipe),
    ];
    if (!(await publish(masters, out, options))) failedRuns++;
    checked.push(...(await checkFolder(made, { masters, out, scratch: path.join(folder, 'scratch') }, expectedOutput)));
    await rm(out, { recursive: true, force: true });
  }
  printTable(checked);
  const results = checked.flatMap((one) => one.results);
  const failed = results.filter(({ complaints }) => complaints.length > 0).length;
  const others = [
    await checkEveryLayout(path.join(folder, 'slices')),
    await checkConvertedColours(path.join(folder, 'colours'), CONCURRENCY),
    await checkViewer(path.join(folder, 'viewer')),
    await checkDecoders(path.join(folder, 'decoders')),
  ];
  const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);
  return summary(
    results.length - failed + expectedOutputs.length - failedRuns + sum(others.map(({ passed }) => passed)),
    failed + failedRuns + sum(others.map((other) => other.failed)),
  );
}

/** Compares slices of an image in every TIFF layout with crops of the whole image. */
async function checkEveryLayout(scratch: string): Promise<{ passed: number; failed: number }> {
  const begun = performance.now();
  await mkdir(scratch);
  const results = await checkSlices(scratch, CONCURRENCY);
  const wrong = results.filter(({ complaint }) => complaint !== undefined);
  const seconds = ((performance.now() - begun) / 1000).toFixed(1);
  print(`slices of ${results.length} layouts: ${results.length - wrong.length} equal the crops, ${seconds} s`);
  for (const { layout, complaint = '' } of wrong) print(`${layout.picture}, ${layout.name}: ${complaint}`);
  return { passed: results.length - wrong.length, failed: wrong.length };
}

async function checkFolder(
  masters: readonly Master[],
  folders: { masters: string; out: string; scratch: string },
  expectedOutput: ExpectedOutput,
): Promise<CheckedFile[]> {
  const checked: CheckedFile[] = [];
  const waiting = masters.entries();
  const work = async (): Promise<void> => {
    for (const [index, master] of waiting) {
      const scratch = path.join(folders.scratch, master.name);
      await mkdir(scratch, { recursive: true });
      const file = path.join(folders.out, `${master.name}.tif`);
      const subject = {
        master,
        file,
        scratch,
        expectedOutput: expectedOutputOf(expectedOutput, master),
        masters: folders.masters,
      };
      const published = existsSync(file);
      checked[index] = { subject, published, results: await checkFile(subject, published) };
      await rm(scratch, { recursive: true, force: true });
    }
  };
  await Promise.all(Array.from({ length: CONCURRENCY }, work));
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
  const rows = checked.map(({ subject: { master, expectedOutput }, results }) => [
    `${master.name}.${master.extension}`,
    expectedOutput.recipe,
    `${master.width} × ${master.height} × ${master.bands} × ${master.bitDepth}`,
    String(levelSizes(master, expectedOutput.tileSize).length),
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
    const name = `${subject.expectedOutput.recipe}/${subject.master.name}.tif`;
    const all = results.flatMap(({ reader, complaints }) => complaints.map((complaint) => `${reader}: ${complaint}`));
    for (const complaint of published ? all : all.slice(0, 1)) print(`${name}: ${complaint}`);
  }
}

function summary(passed: number, failed: number): number {
  print(`${passed} passed, ${failed} failed`);
  return failed === 0 ? 0 : 1;
}

process.exitCode = await main();

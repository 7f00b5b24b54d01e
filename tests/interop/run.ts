/**
 * Other people's tools judge what the command line publishes: libtiff, libvips, GDAL and IIPImage, as Debian ships them.
 *
 *     node tests/interop/run.ts [--keep]
 *
 * Makes masters, runs `npm start` on their folder once a recipe, and puts every published file before every judge. Converted
 * colours are compared with another build of Little CMS. Uses the project through its command line only, but for slices of
 * masters, which are read in every layout of TIFF. The last line is `N passed, N failed`; the exit code is 1 when any failed.
 */
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { judgeConvertedColours } from './colours.ts';
import { print, publish } from './command-line.ts';
import { type Case, type Judge, judges } from './readers.ts';
import { type Master, writeMasters } from './masters.ts';
import { missingPackages, versions } from './programs.ts';
import { levelSizes, promisedFor, type Promised, promises } from './recipes.ts';
import { judgeSlices } from './slices.ts';

/** Files that are judged at once. */
const PLACES = Math.max(1, Math.min(4, os.availableParallelism()));

/** A judge's complaints about one file. */
interface Verdict {
  readonly judge: string;
  readonly complaints: readonly string[];
}

interface Judged {
  readonly subject: Case;
  readonly published: boolean;
  readonly verdicts: readonly Verdict[];
}

async function main(): Promise<number> {
  const { values } = parseArgs({ options: { keep: { type: 'boolean', default: false } } });
  const missing = await missingPackages(pathOfPrograms());
  if (missing.length > 0) {
    print(`Expected the judges' tools. Install them with: apt-get install ${missing.join(' ')}`);
    return summary(0, 1);
  }
  for (const version of await versions()) print(version);
  const folder = await mkdtemp(path.join(os.tmpdir(), 'stepwell-judge-'));
  try {
    return await judgeAll(folder);
  } finally {
    if (values.keep) print(`kept: ${folder}`);
    else await rm(folder, { recursive: true, force: true });
  }
}

function pathOfPrograms(): string {
  return process.env['PATH'] ?? '';
}

async function judgeAll(folder: string): Promise<number> {
  const masters = path.join(folder, 'masters');
  await mkdir(masters);
  const made = await writeMasters(masters);
  print(`${made.length} masters, ${promises.length} recipes, ${judges.length} judges`);
  const judged: Judged[] = [];
  let failedRuns = 0;
  for (const promised of promises) {
    const out = path.join(folder, promised.recipe);
    const options = ['--recipe', promised.recipe, '--workspace', path.join(folder, 'workspace', promised.recipe)];
    if (!(await publish(masters, out, options))) failedRuns++;
    judged.push(...(await judgeFolder(made, { masters, out, promised, scratch: path.join(folder, 'scratch') })));
    await rm(out, { recursive: true, force: true });
  }
  printTable(judged);
  const verdicts = judged.flatMap((one) => one.verdicts);
  const failed = verdicts.filter(({ complaints }) => complaints.length > 0).length;
  const sliced = await judgeEveryLayout(path.join(folder, 'slices'));
  const coloured = await judgeConvertedColours(path.join(folder, 'colours'), PLACES);
  return summary(
    verdicts.length - failed + promises.length - failedRuns + sliced.passed + coloured.passed,
    failed + failedRuns + sliced.failed + coloured.failed,
  );
}

/** Slices of a picture in every layout of TIFF, against the crops of the whole. */
async function judgeEveryLayout(scratch: string): Promise<{ passed: number; failed: number }> {
  const begun = performance.now();
  await mkdir(scratch);
  const verdicts = await judgeSlices(scratch, PLACES);
  const wrong = verdicts.filter(({ complaint }) => complaint !== undefined);
  const seconds = ((performance.now() - begun) / 1000).toFixed(1);
  print(`slices of ${verdicts.length} layouts: ${verdicts.length - wrong.length} equal the crops, ${seconds} s`);
  for (const { layout, complaint = '' } of wrong) print(`${layout.picture}, ${layout.name}: ${complaint}`);
  return { passed: verdicts.length - wrong.length, failed: wrong.length };
}

async function judgeFolder(
  masters: readonly Master[],
  places: { masters: string; out: string; promised: Promised; scratch: string },
): Promise<Judged[]> {
  const judged: Judged[] = [];
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
      judged[index] = { subject, published, verdicts: await judgeFile(subject, published) };
      await rm(scratch, { recursive: true, force: true });
    }
  };
  await Promise.all(Array.from({ length: PLACES }, work));
  return judged;
}

async function judgeFile(subject: Case, published: boolean): Promise<Verdict[]> {
  const verdicts: Verdict[] = [];
  for (const { name, judge } of judges) {
    verdicts.push({
      judge: name,
      complaints: published ? await hear(judge, subject) : ['not published'],
    });
  }
  return verdicts;
}

async function hear(judge: Judge['judge'], subject: Case): Promise<string[]> {
  try {
    return await judge(subject);
  } catch (error) {
    return [error instanceof Error ? error.message : String(error)];
  }
}

function printTable(judged: readonly Judged[]): void {
  const rows = judged.map(({ subject: { master, promised }, verdicts }) => [
    `${master.name}.${master.extension}`,
    promised.recipe,
    `${master.width} × ${master.height} × ${master.bands} × ${master.bitDepth}`,
    String(levelSizes(master, promised.tileSize).length),
    ...verdicts.map(({ complaints }) => (complaints.length === 0 ? 'ok' : 'FAILED')),
  ]);
  const table = [['master', 'recipe', 'size', 'levels', ...judges.map(({ name }) => name)], ...rows];
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
  for (const { subject, published, verdicts } of judged) {
    const name = `${subject.promised.recipe}/${subject.master.name}.tif`;
    const said = verdicts.flatMap(({ judge, complaints }) => complaints.map((complaint) => `${judge}: ${complaint}`));
    for (const complaint of published ? said : said.slice(0, 1)) print(`${name}: ${complaint}`);
  }
}

function summary(passed: number, failed: number): number {
  print(`${passed} passed, ${failed} failed`);
  return failed === 0 ? 0 : 1;
}

process.exitCode = await main();

/**
 * Measures Stepwell, vips, sharp and GDAL on the same masters in one session. See bench/README.md.
 *
 *     npm run bench -- [--only NAME,…]… [--runs 5] [--cache DIR] [--short] [--save]
 */
import { existsSync } from 'node:fs';
import { mkdir, readdir, rm, stat, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { type Case, casesOf, chooseCases } from './cases.ts';
import { type Contestant, makeContestants } from './contestants.ts';
import { type Input, makeInput } from './inputs.ts';
import { measure, settle } from './measure.ts';
import { type BenchmarkRecipe, readBenchmarkRecipe } from './recipes.ts';
import { caseTable, describeMachine, heading, shortLine, targetTable } from './report.ts';
import type { Result, Row, Sample } from './targets.ts';

const project = path.resolve(import.meta.dirname, '..');

interface Settings {
  readonly cache: string;
  readonly runs: number;
  /** Runs before those that are counted. */
  readonly warmups: number;
}

/** Prints progress on stderr; stdout has the Markdown only. */
function note(text: string): void {
  process.stderr.write(`${text}\n`);
}

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      only: { type: 'string', multiple: true, default: [] },
      runs: { type: 'string', default: '5' },
      cache: { type: 'string' },
      short: { type: 'boolean', default: false },
      save: { type: 'boolean', default: false },
    },
  });
  const cases = chooseCases(casesOf(values.short), values.only);
  const runs = values.short ? 1 : Number(values.runs);
  if (!Number.isInteger(runs) || runs < 1) throw new Error(`Expected a number of runs but received ${values.runs}`);
  const shortCache = path.join(os.tmpdir(), `stepwell-bench-${process.pid}`);
  const cache = path.resolve(values.cache ?? (values.short ? shortCache : path.join(project, '.stepwell', 'bench')));
  const settings = { cache, runs, warmups: values.short ? 0 : 1 };
  const contestants = makeContestants();
  const machine = describeMachine(contestants, runs);
  process.stdout.write(`${machine.join('\n')}\n\n`);
  const results: Result[] = [];
  for (const one of cases) {
    const result = await runCase(one, contestants, settings);
    results.push(result);
    process.stdout.write(values.short ? shortLine(result) : `${caseTable(result)}\n`);
  }
  if (!values.short) process.stdout.write(`${targetTable(cases, results)}\n`);
  if (values.short) await rm(shortCache, { recursive: true, force: true });
  if (values.save) await writeFile(path.join(import.meta.dirname, 'results.json'), savedForm(machine, results));
  const failed = results.flatMap(({ name, rows }) => rows.filter(isDefect).map((row) => `${name}: ${row.contestant}`));
  for (const name of failed) note(`failed: ${name}`);
  return failed.length === 0 ? 0 : 1;
}

/** A program that is not installed does not fail the benchmark. */
function isDefect(row: Row): boolean {
  return row.failure !== undefined && !row.failure.startsWith('not installed');
}

/**
 * Runs the contestants of a case in turns, so that other load affects all of them alike. A
 * contestant that fails is left out of the remaining rounds.
 */
async function runCase(one: Case, all: readonly Contestant[], { cache, runs, warmups }: Settings): Promise<Result> {
  note(heading(one));
  const recipe = await readBenchmarkRecipe(one.recipe);
  const input = one.input.kind === 'none' ? noInput(one.input.pixels) : await makeInput(cache, one.input, note);
  const entries = one.contestants.map((name) => {
    const contestant = all.find((each) => each.name === name);
    if (!contestant) throw new Error(`Expected a contestant named ${name}`);
    return { contestant, samples: [] as Sample[], failure: absence(contestant) };
  });
  for (let round = -warmups; round < runs * (one.runsFactor ?? 1); round++) {
    for (const entry of entries) {
      if (entry.failure !== undefined) continue;
      try {
        const sample = await runOnce(entry.contestant, input, recipe, cache);
        note(`  ${entry.contestant.name}: ${sample.wallSeconds.toFixed(2)} s${round < 0 ? ' (warming up)' : ''}`);
        if (round >= 0) entry.samples.push(sample);
      } catch (error) {
        note(error instanceof Error ? error.message : String(error));
        entry.failure = 'failed';
      }
    }
  }
  const rows = entries.map(({ contestant, samples, failure }): Row => {
    return { contestant: contestant.name, samples, ...(failure === undefined ? {} : { failure }) };
  });
  const title = `${one.title} (\`${one.name}\`, recipe \`${one.recipe}\`)`;
  return { name: one.name, title, files: input.files, rows };
}

function noInput(pixels: number): Input {
  return { path: '', pixels, files: 1 };
}

function absence({ absent }: Contestant): string | undefined {
  return absent === undefined ? undefined : `not installed (${absent})`;
}

async function runOnce(contestant: Contestant, input: Input, recipe: BenchmarkRecipe, cache: string): Promise<Sample> {
  const folder = path.join(cache, `run-${process.pid}`);
  const out = path.join(folder, 'out');
  await mkdir(out, { recursive: true });
  await settle();
  try {
    const job = { input, recipe, folder, out };
    const { stdout, ...measured } = await measure(contestant.command(job));
    const sample = { ...measured, pixels: input.pixels };
    if (input.path === '') return { ...sample, outputBytes: Number(stdout) };
    const sizes = await sizesBelow(out);
    if (sizes.length !== input.files) {
      throw new Error(`Expected ${input.files} files from ${contestant.name} but received ${sizes.length}`);
    }
    const outputBytes = sizes.reduce((sum, size) => sum + size, 0);
    const pipeline = contestant.pipelineSeconds?.(job);
    return { ...sample, outputBytes, ...(pipeline === undefined ? {} : { pipelineSeconds: pipeline }) };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function sizesBelow(folder: string): Promise<number[]> {
  const names = existsSync(folder) ? await readdir(folder, { recursive: true }) : [];
  const files = names.filter((name) => name.endsWith('.tif'));
  return Promise.all(files.map(async (name) => (await stat(path.join(folder, name))).size));
}

function savedForm(machine: readonly string[], results: readonly Result[]): string {
  return `${JSON.stringify({ measuredAt: new Date().toISOString(), machine, results }, undefined, 2)}\n`;
}

process.exitCode = await main();

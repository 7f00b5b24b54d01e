/**
 * Stepwell beside sharp, vips and GDAL: the same masters, the same pyramids, one run. See bench/README.md.
 *
 *     npm run bench -- [--only NAME]… [--runs 5] [--cache DIR] [--short] [--save]
 */
import { existsSync } from 'node:fs';
import { mkdir, readdir, rm, stat, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { type Case, casesOf } from './cases.ts';
import { type Contestant, makeContestants } from './contestants.ts';
import { type Input, makeInput } from './inputs.ts';
import { measure, settle } from './measure.ts';
import {
  caseTable,
  describeMachine,
  heading,
  type Result,
  type Row,
  type Sample,
  shortLine,
  targetTable,
} from './report.ts';

const project = path.resolve(import.meta.dirname, '..');

interface Settings {
  readonly cache: string;
  readonly runs: number;
  /** Runs before those that count. */
  readonly warmups: number;
}

/** Progress goes to stderr, so that stdout is the Markdown alone. */
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
  if (!values.short) process.stdout.write(`${targetTable(results, values.only.length === 0)}\n`);
  if (values.short) await rm(shortCache, { recursive: true, force: true });
  if (values.save) await writeFile(path.join(import.meta.dirname, 'results.json'), savedForm(machine, results));
  const failed = results.flatMap(({ name, rows }) => rows.filter(isDefect).map((row) => `${name}: ${row.contestant}`));
  for (const name of failed) note(`failed: ${name}`);
  return failed.length === 0 ? 0 : 1;
}

/** A contestant that is not installed is no defect of the benchmark; one that cannot do the job is told apart by name. */
function isDefect(row: Row): boolean {
  return row.failure !== undefined && !row.failure.startsWith('not installed');
}

function chooseCases(all: readonly Case[], only: readonly string[]): Case[] {
  const unknown = only.find((name) => !all.some((one) => one.name === name));
  if (unknown !== undefined) {
    throw new Error(`Expected one of ${all.map(({ name }) => name).join(', ')} for --only but received ${unknown}`);
  }
  return all.filter((one) => (only.length === 0 ? one.onRequest !== true : only.includes(one.name)));
}

/** Contestants take turns, so that what disturbs the machine disturbs them alike. One that fails is left out from then on. */
async function runCase(one: Case, all: readonly Contestant[], { cache, runs, warmups }: Settings): Promise<Result> {
  note(heading(one));
  const input = one.input.kind === 'none' ? noInput(one.input.pixels) : await makeInput(cache, one.input, note);
  const entries = all
    .filter(({ name }) => one.contestants.includes(name))
    .map((contestant) => ({ contestant, samples: [] as Sample[], failure: absence(contestant) }));
  for (let round = -warmups; round < runs; round++) {
    for (const entry of entries) {
      if (entry.failure !== undefined) continue;
      try {
        const sample = await runOnce(entry.contestant, one, input, cache);
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
  return { name: one.name, title: one.title, pixels: input.pixels, rows };
}

function noInput(pixels: number): Input {
  return { path: '', pixels, files: 1 };
}

function absence({ absent }: Contestant): string | undefined {
  return absent === undefined ? undefined : `not installed (${absent})`;
}

async function runOnce(contestant: Contestant, one: Case, input: Input, cache: string): Promise<Sample> {
  const folder = path.join(cache, `run-${process.pid}`);
  const out = path.join(folder, 'out');
  await mkdir(out, { recursive: true });
  await settle();
  try {
    const job = { input, encoding: one.encoding, folder, out };
    const { stdout, ...measured } = await measure(contestant.command(job));
    const files = await sizesBelow(out);
    const counted = one.input.kind === 'none' ? Number(stdout) : files.reduce((sum, size) => sum + size, 0);
    if (one.input.kind !== 'none' && files.length !== input.files) {
      throw new Error(`Expected ${input.files} files from ${contestant.name} but received ${files.length}`);
    }
    const pipeline = contestant.pipelineSeconds?.(job);
    return { ...measured, outputBytes: counted, ...(pipeline === undefined ? {} : { pipelineSeconds: pipeline }) };
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

/**
 * Checks large files with third-party readers: output above 4 GiB, and a side beyond the 65,535
 * pixels of JPEG.
 *
 *     node tests/interop/run-large.ts [--folder DIR] [--only dense|wide] [--keep]
 *
 * Creates masters in a folder of its own (by default below the system's temporary folder, removed
 * at the end), runs `npm start` and compares every pixel of every level. It takes five minutes and
 * 20 GB of disk, and is not part of `.ci/run`. It needs the packages of `tests/interop/run.ts` and
 * GNU time. The last line is `N passed, N failed`; the exit code is 1 when any failed.
 */
import { mkdir, mkdtemp, rm, stat } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { measure } from '../../bench/measure.ts';
import { print, project } from './command-line.ts';
import { type Case, type Reader, readers } from './readers.ts';
import { checkBigTiff, tilesBeyond } from './large-layout.ts';
import { dense, wide, writeDense, writeWide } from './large-masters.ts';
import { checkJpegLevels, checkLosslessLevels } from './large-pixels.ts';
import { fileOf, type Master } from './masters.ts';
import { versions } from './programs.ts';
import { expectedOutputs } from './recipes.ts';

interface Subject {
  readonly master: Master;
  readonly write: (file: string) => Promise<void>;
  readonly recipe: string;
  readonly readers: readonly Reader[];
}

const subjects: readonly Subject[] = [
  {
    master: dense,
    write: writeDense,
    recipe: 'archival',
    // Other readers write whole copies or keep whole levels in memory; IIPImage subsamples chroma,
    // which changes noise strongly.
    readers: [
      { name: 'BigTIFF', check: checkBigTiff },
      ...named('tiffinfo', 'vipsheader', 'gdalinfo', 'COG'),
      { name: 'every pixel of every level', check: checkLosslessLevels },
    ],
  },
  {
    master: wide,
    write: writeWide,
    recipe: 'default',
    // sharp cannot write JPEG in TIFF of this width.
    readers: [
      ...named('tiffinfo', 'tiffcp', 'tiff2rgba', 'vipsheader', 'gdalinfo', 'gdal=vips', 'COG', 'IIPImage'),
      { name: 'every pixel of every level', check: checkJpegLevels },
    ],
  },
];

function named(...names: readonly string[]): Reader[] {
  return readers.filter(({ name }) => names.includes(name));
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      folder: { type: 'string', default: os.tmpdir() },
      only: { type: 'string' },
      keep: { type: 'boolean', default: false },
    },
  });
  for (const version of await versions()) print(version);
  const folder = await mkdtemp(path.join(values.folder, 'stepwell-interop-large-'));
  let [passed, failed] = [0, 0];
  try {
    for (const subject of subjects.filter(({ master }) => values.only === undefined || master.name === values.only)) {
      const complaints = await checkSubject(subject, path.join(folder, subject.master.name));
      passed += complaints.filter((one) => one.length === 0).length;
      failed += complaints.filter((one) => one.length > 0).length;
    }
  } finally {
    if (values.keep) print(`kept: ${folder}`);
    else await rm(folder, { recursive: true, force: true });
  }
  print(`${passed} passed, ${failed} failed`);
  if (failed > 0 || passed === 0) process.exitCode = 1;
}

/** Complaints of every reader. Rejects when the command fails. */
async function checkSubject({ master, write, recipe, readers: chosen }: Subject, folder: string): Promise<string[][]> {
  const expectedOutput = expectedOutputs.find((one) => one.recipe === recipe);
  if (!expectedOutput) throw new Error(`Expected an expected output for the recipe ${recipe}`);
  const [masters, out, scratch] = ['masters', 'out', 'scratch'].map((name) => path.join(folder, name)) as [
    string,
    string,
    string,
  ];
  for (const one of [masters, scratch]) await mkdir(one, { recursive: true });
  await write(fileOf(masters, master));
  const subject: Case = { master, expectedOutput, file: path.join(out, `${master.name}.tif`), masters, scratch };
  await publishMeasured(subject, out, path.join(folder, 'workspace'));
  const complaints: string[][] = [];
  for (const { name, check } of chosen) {
    const begun = performance.now();
    const found = await check(subject).catch((error: unknown) => [
      error instanceof Error ? error.message : String(error),
    ]);
    const seconds = ((performance.now() - begun) / 1000).toFixed(1);
    print(`  ${name}: ${found.length === 0 ? 'ok' : `FAILED: ${found.slice(0, 10).join('; ')}`} (${seconds} s)`);
    complaints.push(found);
  }
  return complaints;
}

async function publishMeasured(
  { master, expectedOutput, file, masters }: Case,
  out: string,
  workspace: string,
): Promise<void> {
  const input = fileOf(masters, master);
  const options = ['--out', out, '--recipe', expectedOutput.recipe, '--workspace', workspace];
  const { wallSeconds, cpuSeconds, peakBytes } = await measure({
    program: 'npm',
    args: ['start', '--silent', '--', input, ...options],
    cwd: project,
  });
  await rm(workspace, { recursive: true });
  const gigabytes = async (name: string): Promise<string> => `${((await stat(name)).size / 1e9).toFixed(2)} GB`;
  print(
    `${master.name}, ${master.width} × ${master.height}, ${await gigabytes(input)}, recipe ${expectedOutput.recipe}:`,
  );
  print(
    `  ${wallSeconds.toFixed(1)} s, ${cpuSeconds.toFixed(1)} s of CPU, peak memory ${Math.round(peakBytes / 1e6)} MB`,
  );
  print(`  ${await gigabytes(file)} out; tiles beyond 4 GiB, by level: ${await tilesBeyond(file)}`);
}

await main();

/**
 * Checks large files with third-party readers: output above 4 GiB, and a side beyond the 65,535 pixels of JPEG.
 *
 *     node tests/interop/run-large.ts [--folder DIR] [--only dense|wide] [--keep]
 *
 * Makes its masters in a folder of its own, by default in the system's temporary one, and removes it; runs `npm start` and
 * compares every pixel of every level. It takes five minutes and 20 GB of disk, and is no part of `.ci/run`. Wants what
 * `tests/interop/run.ts` wants, and GNU time. The last line is `N passed, N failed`; the exit code is 1 when any failed.
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
import { promises } from './recipes.ts';

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
    // Other readers write whole copies or hold whole levels; IIPImage subsamples chroma, which
    // alters noise strongly.
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
    // sharp writes no JPEG in TIFF of such a side.
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
      passed += complaints.filter((said) => said.length === 0).length;
      failed += complaints.filter((said) => said.length > 0).length;
    }
  } finally {
    if (values.keep) print(`kept: ${folder}`);
    else await rm(folder, { recursive: true, force: true });
  }
  print(`${passed} passed, ${failed} failed`);
  if (failed > 0 || passed === 0) process.exitCode = 1;
}

/** Complaints of every reader. Rejects when the command fails. */
async function checkSubject({ master, write, recipe, readers: asked }: Subject, folder: string): Promise<string[][]> {
  const promised = promises.find((one) => one.recipe === recipe);
  if (!promised) throw new Error(`Expected the promises of ${recipe}`);
  const [masters, out, scratch] = ['masters', 'out', 'scratch'].map((name) => path.join(folder, name)) as [
    string,
    string,
    string,
  ];
  for (const one of [masters, scratch]) await mkdir(one, { recursive: true });
  await write(fileOf(masters, master));
  const subject: Case = { master, promised, file: path.join(out, `${master.name}.tif`), masters, scratch };
  await publishMeasured(subject, out, path.join(folder, 'workspace'));
  const complaints: string[][] = [];
  for (const { name, check } of asked) {
    const begun = performance.now();
    const said = await check(subject).catch((error: unknown) => [
      error instanceof Error ? error.message : String(error),
    ]);
    const seconds = ((performance.now() - begun) / 1000).toFixed(1);
    print(`  ${name}: ${said.length === 0 ? 'ok' : `FAILED: ${said.slice(0, 10).join('; ')}`} (${seconds} s)`);
    complaints.push(said);
  }
  return complaints;
}

async function publishMeasured(
  { master, promised, file, masters }: Case,
  out: string,
  workspace: string,
): Promise<void> {
  const input = fileOf(masters, master);
  const options = ['--out', out, '--recipe', promised.recipe, '--workspace', workspace];
  const { wallSeconds, cpuSeconds, peakBytes } = await measure({
    program: 'npm',
    args: ['start', '--silent', '--', input, ...options],
    cwd: project,
  });
  await rm(workspace, { recursive: true });
  const gigabytes = async (name: string): Promise<string> => `${((await stat(name)).size / 1e9).toFixed(2)} GB`;
  print(`${master.name}, ${master.width} × ${master.height}, ${await gigabytes(input)}, recipe ${promised.recipe}:`);
  print(
    `  ${wallSeconds.toFixed(1)} s, ${cpuSeconds.toFixed(1)} s of CPU, peak memory ${Math.round(peakBytes / 1e6)} MB`,
  );
  print(`  ${await gigabytes(file)} out; tiles beyond 4 GiB, by level: ${await tilesBeyond(file)}`);
}

await main();

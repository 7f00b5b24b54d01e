/**
 * Measures the image server beside IIPImage and iiif-processor on the same pyramid, and its memory
 * over many requests and images. See bench/README.md.
 *
 *     npm run bench:serve -- [--rounds 5] [--seconds 5] [--requests 100000] [--images 1000] [--short]
 */
import { link, mkdir, mkdtemp, readdir, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import sharp from 'sharp';
import { registerBucket } from '../src/storage/files/files.ts';
import { existsSync } from 'node:fs';
import { publish } from '../tests/interop/command-line.ts';
import { iipServer } from '../tests/interop/programs.ts';
import {
  type RequestOf,
  type ServingContestant,
  startIiifProcessor,
  startIipImage,
  startStepwell,
} from './serving/contestants.ts';
import type { LoadResult } from './serving/http-load.ts';

/** Side of a tile of the recipe `default`. Pixels. */
const TILE = 512;
const IDENTIFIER = 'picture';
/** Requests of one contestant in progress. */
const CONNECTIONS = 8;

interface Workload {
  readonly title: string;
  readonly requestOf: RequestOf;
  /** Least ratio of Stepwell's tiles a second to IIPImage's. */
  readonly target: number;
}

interface Settings {
  readonly rounds: number;
  readonly seconds: number;
  readonly requests: number;
  readonly images: number;
  readonly size: readonly [number, number];
}

function settingsOf(): Settings {
  const { values } = parseArgs({
    options: {
      rounds: { type: 'string', default: '5' },
      seconds: { type: 'string', default: '5' },
      requests: { type: 'string', default: '100000' },
      images: { type: 'string', default: '1000' },
      short: { type: 'boolean', default: false },
    },
  });
  if (values.short) return { rounds: 1, seconds: 0.5, requests: 500, images: 20, size: [2_600, 1_600] };
  const [rounds, seconds, requests, images] = [values.rounds, values.seconds, values.requests, values.images].map(
    Number,
  );
  return {
    rounds: rounds ?? 5,
    seconds: seconds ?? 5,
    requests: requests ?? 0,
    images: images ?? 0,
    size: [9_600, 6_400],
  };
}

/** Tiles of the grid, or regions between them, that lie within the picture; the same for all. */
function workloadsOf([width, height]: Settings['size']): Workload[] {
  const [across, down] = [Math.floor(width / TILE) - 1, Math.floor(height / TILE) - 1];
  const regionOf =
    (left: number, top: number): RequestOf =>
    (request) => {
      // Consecutive requests are far from each other; 7 and 13 share no factor with the grids.
      const [column, row] = [(request * 7) % across, (request * 13) % down];
      return {
        identifier: IDENTIFIER,
        region: `${column * TILE + left},${row * TILE + top},${TILE},${TILE}`,
        size: `${TILE},${TILE}`,
      };
    };
  return [
    { title: 'interior tiles', requestOf: regionOf(0, 0), target: 10 },
    { title: 'regions of four tiles', requestOf: regionOf(200, 120), target: 1 },
  ];
}

async function makePyramid(folder: string, [width, height]: Settings['size']): Promise<string> {
  const masters = path.join(folder, 'masters');
  const out = path.join(folder, 'published');
  await mkdir(masters);
  const noise = { type: 'gaussian', mean: 128, sigma: 12 } as const;
  await sharp({ create: { width, height, channels: 3, background: '#808080', noise }, limitInputPixels: false })
    .blur(1.5)
    .jpeg({ quality: 92 })
    .toFile(path.join(masters, `${IDENTIFIER}.jpg`));
  const isPublished = await publish(masters, out, [
    '--recipe',
    'default',
    '--workspace',
    path.join(folder, 'workspace'),
  ]);
  if (!isPublished) throw new Error('Expected a pyramid to serve');
  return out;
}

const perSecond = ({ requests, seconds }: LoadResult): number => requests / seconds;

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}

async function compare(
  contestants: readonly ServingContestant[],
  workload: Workload,
  settings: Settings,
): Promise<void> {
  const figures = new Map<string, number[]>(contestants.map(({ name }) => [name, []]));
  for (let round = 0; round < settings.rounds; round++) {
    for (const contestant of contestants) {
      const until = performance.now() + settings.seconds * 1000;
      const result = await contestant.load(CONNECTIONS, workload.requestOf, () => performance.now() >= until);
      if (result.failures > 0) throw new Error(`${contestant.name}: ${result.failures} of ${result.requests} failed`);
      figures.get(contestant.name)?.push(perSecond(result));
    }
  }
  const own = figures.get('Stepwell') ?? [];
  for (const [name, values] of figures) {
    const ratio = median(own.map((value, round) => value / (values[round] ?? Number.NaN)));
    const compared = name === 'Stepwell' ? '' : `, Stepwell ${ratio.toFixed(1)} times as many`;
    const target = name === 'IIPImage' ? ` (target: ${workload.target})` : '';
    print(`${workload.title}, ${name}: ${median(values).toFixed(0)} a second${compared}${target}`);
  }
}

/** Bytes and ranges of a tile, and the time of the first one. */
async function measureReads(stepwell: ServingContestant, { requestOf }: Workload): Promise<void> {
  const ask = async (requests: number): Promise<LoadResult> => stepwell.load(1, requestOf, (sent) => sent >= requests);
  await stepwell.report?.();
  const first = await ask(1);
  const opening = await stepwell.report?.();
  const more = await ask(100);
  const reads = await stepwell.report?.();
  print(`first tile: ${opening?.reads} reads (target: at most 2), ${(first.seconds * 1000).toFixed(1)} ms`);
  const ratio = (reads?.readBytes ?? Number.NaN) / more.bytes;
  print(
    `a further tile: ${reads?.reads ?? 0} reads a hundred, ${ratio.toFixed(3)} of the bytes sent (target: at most 1.1)`,
  );
}

/** First-tile latency of a server that was just started. */
async function measureFirst(start: () => Promise<ServingContestant>, { requestOf }: Workload): Promise<void> {
  const contestant = await start();
  try {
    const { seconds } = await contestant.load(1, requestOf, (sent) => sent >= 1);
    print(`first tile, ${contestant.name}: ${(seconds * 1000).toFixed(1)} ms`);
  } finally {
    await contestant.stop();
  }
}

/** Memory over many requests for tiles, and some derivatives, of many images. */
async function measureMemory(folder: string, published: string, settings: Settings): Promise<void> {
  const many = path.join(folder, 'many');
  await mkdir(many);
  const [file = ''] = (await readdir(published)).filter((name) => name.endsWith('.tif'));
  const names = Array.from({ length: settings.images }, (_, index) => `image-${index}`);
  for (const name of names) await link(path.join(published, file), path.join(many, `${name}.tif`));
  const workspace = path.join(folder, 'many-workspace');
  await registerBucket(workspace, 'published', many);
  const [tiles, regions] = workloadsOf(settings.size);
  const stepwell = await startStepwell(workspace);
  try {
    const requestOf: RequestOf = (request) => ({
      // Every twentieth request is decoded.
      ...((request % 20 === 0 ? regions : tiles)?.requestOf(request) ?? { region: 'full', size: 'max' }),
      identifier: names[request % names.length] ?? '',
    });
    const part = Math.ceil(settings.requests / 10);
    for (let done = 0; done < settings.requests; done += part) {
      await stepwell.load(
        CONNECTIONS,
        (request) => requestOf(done + request),
        (sent) => sent >= part,
      );
      const report = await stepwell.report?.();
      print(
        `memory after ${done + part} requests of ${settings.images} images: ${((report?.memory ?? 0) / 1e6).toFixed(0)} MB`,
      );
    }
  } finally {
    await stepwell.stop();
  }
}

async function main(): Promise<void> {
  const settings = settingsOf();
  const folder = await mkdtemp(path.join(os.tmpdir(), 'stepwell-serve-'));
  try {
    const published = await makePyramid(folder, settings.size);
    const workspace = path.join(folder, 'served');
    await registerBucket(workspace, 'published', published);
    const [tiles, ...others] = workloadsOf(settings.size);
    if (!tiles) throw new RangeError('Expected a workload');
    const starts = [
      () => startStepwell(workspace),
      ...(existsSync(iipServer) ? [() => startIipImage(published, folder, os.availableParallelism())] : []),
      () => startIiifProcessor(published),
    ];
    for (const start of starts) await measureFirst(start, tiles);
    const contestants: ServingContestant[] = [];
    try {
      for (const start of starts) contestants.push(await start());
      const [stepwell] = contestants;
      if (stepwell) await measureReads(stepwell, tiles);
      for (const workload of [tiles, ...others]) await compare(contestants, workload, settings);
    } finally {
      for (const contestant of contestants) await contestant.stop();
    }
    await measureMemory(folder, published, settings);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}

await main();

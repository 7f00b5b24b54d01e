/**
 * Checks how Debian's IIPImage serves a published file over FastCGI: the descriptions and tiles of
 * IIIF and of Deep Zoom.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { readFile, rm } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import sharp from 'sharp';
import { z } from 'zod';
import { type Answer, askFastCgi } from './fastcgi.ts';
import type { Case } from './readers.ts';
import { complaintOf, iipServer, run } from './programs.ts';
import { levelSizes, publishedDepth, type Size } from './recipes.ts';

/**
 * Mean difference of a sample. IIPImage encodes again, at quality 100 with subsampled chroma; a
 * wrong tile differs by dozens.
 */
const TOLERANCE = 4;

/** A tile of a level, by its column and row in the level's grid. */
interface Tile extends Size {
  readonly level: number;
  readonly column: number;
  readonly row: number;
}

type Ask = (query: string) => Promise<Answer>;

const Info = z.object({
  width: z.number(),
  height: z.number(),
  tiles: z.array(z.object({ width: z.number(), height: z.number(), scaleFactors: z.array(z.number()) })),
});

/** Complaints about the descriptions and the tiles of every level, in IIIF and in Deep Zoom. */
export async function checkServed(subject: Case): Promise<string[]> {
  const socket = path.join(subject.scratch, 'iipsrv.sock');
  const server = spawn(iipServer, ['--bind', socket], {
    env: { FILESYSTEM_PREFIX: `${path.dirname(subject.file)}/`, JPEG_QUALITY: '100', OMP_NUM_THREADS: '1' },
    stdio: 'ignore',
  });
  try {
    await listening(server, socket);
    const ask: Ask = (query) => onceListening(() => askFastCgi(socket, parametersOf(query)));
    return [...(await checkDescriptions(subject, ask)), ...(await checkTiles(subject, ask))];
  } finally {
    await end(server);
  }
}

async function listening(server: ChildProcess, socket: string): Promise<void> {
  for (let tries = 0; tries < 200; tries++) {
    if (existsSync(socket)) return;
    if (server.exitCode !== null) throw new Error(`iipsrv exited with ${server.exitCode}`);
    await sleep(50);
  }
  throw new Error('Expected iipsrv to listen within 10 s');
}

/** The socket file exists shortly before iipsrv listens on it. */
async function onceListening(ask: () => Promise<Answer>): Promise<Answer> {
  for (let tries = 1; ; tries++) {
    try {
      return await ask();
    } catch (error) {
      const isEarly = error instanceof Error && 'code' in error && error.code === 'ECONNREFUSED';
      if (!isEarly || tries === 100) throw error;
      await sleep(50);
    }
  }
}

async function end(server: ChildProcess): Promise<void> {
  if (server.exitCode !== null || server.signalCode !== null) return;
  const ended = once(server, 'exit');
  server.kill();
  await ended;
}

function parametersOf(query: string): Record<string, string> {
  return {
    REQUEST_METHOD: 'GET',
    SERVER_PROTOCOL: 'HTTP/1.1',
    SERVER_NAME: 'localhost',
    SERVER_PORT: '80',
    REQUEST_URI: `/iipsrv.fcgi?${query}`,
    QUERY_STRING: query,
  };
}

async function checkDescriptions({ file, master, expectedOutput }: Case, ask: Ask): Promise<string[]> {
  const name = path.basename(file);
  const { width, height } = master;
  const { tileSize } = expectedOutput;
  const scaleFactors = levelSizes(master, tileSize).map((_, level) => 2 ** level);
  const answer = await ask(`IIIF=${name}/info.json`);
  if (answer.status !== 200) return [`info.json: ${answer.status} ${answer.body.toString('latin1').trim()}`];
  const info = JSON.stringify(Info.parse(JSON.parse(answer.body.toString())));
  const expectedInfo = JSON.stringify({ width, height, tiles: [{ width: tileSize, height: tileSize, scaleFactors }] });
  const deepZoom = (await ask(`DeepZoom=${name}.dzi`)).body.toString('latin1');
  const expectedZoom = [`TileSize="${tileSize}"`, 'Overlap="0"', `<Size Width="${width}" Height="${height}"/>`];
  return [
    ...(info === expectedInfo ? [] : [`Expected ${expectedInfo} in info.json but received ${info}`]),
    ...expectedZoom.filter((part) => !deepZoom.includes(part)).map((part) => `the Deep Zoom description lacks ${part}`),
  ];
}

async function checkTiles(subject: Case, ask: Ask): Promise<string[]> {
  const found: string[] = [];
  const sizes = levelSizes(subject.master, subject.expectedOutput.tileSize);
  for (const [level, size] of sizes.entries()) {
    for (const tile of tilesToAsk(level, size, subject.expectedOutput.tileSize)) {
      const expected = await tileByVips(subject, tile);
      for (const query of [iiifQuery(subject, tile), deepZoomQuery(subject, tile)]) {
        const answer = await ask(query);
        const complaint =
          answer.status === 200 && answer.contentType === 'image/jpeg'
            ? compare(await decodeAnswer(answer, subject), expected)
            : `answered ${answer.status} ${answer.contentType}`;
        if (complaint !== undefined) found.push(`${query}: ${complaint}`);
      }
    }
  }
  return found;
}

/** The last tile of a level, which is cut at two edges; at level 0 also the first. */
function tilesToAsk(level: number, { width, height }: Size, side: number): Tile[] {
  const last = { column: Math.ceil(width / side) - 1, row: Math.ceil(height / side) - 1 };
  const tiles = level === 0 && last.column + last.row > 0 ? [{ column: 0, row: 0 }, last] : [last];
  return tiles.map(({ column, row }) => ({
    level,
    column,
    row,
    width: Math.min(side, width - column * side),
    height: Math.min(side, height - row * side),
  }));
}

function iiifQuery({ file, master, expectedOutput }: Case, tile: Tile): string {
  const side = expectedOutput.tileSize * 2 ** tile.level;
  const [left, top] = [tile.column * side, tile.row * side];
  const region = [left, top, Math.min(side, master.width - left), Math.min(side, master.height - top)];
  return `IIIF=${path.basename(file)}/${region.join(',')}/${tile.width},${tile.height}/0/default.jpg`;
}

/** Deep Zoom numbers levels upwards from a single pixel. */
function deepZoomQuery({ file, master }: Case, { level, column, row }: Tile): string {
  const largest = Math.ceil(Math.log2(Math.max(master.width, master.height)));
  return `DeepZoom=${path.basename(file)}_files/${largest - level}/${column}_${row}.jpg`;
}

interface Decoded extends Size {
  readonly samples: Uint8Array;
}

async function decodeAnswer({ body }: Answer, { master }: Case): Promise<Decoded> {
  const colourspace = master.bands === 1 ? 'b-w' : 'srgb';
  const { data, info } = await sharp(body).toColourspace(colourspace).raw().toBuffer({ resolveWithObject: true });
  return { width: info.width, height: info.height, samples: data };
}

/**
 * The tile as libvips decodes it from the file; of 16-bit samples the upper 8 bits. Rejects with
 * the error output of vips.
 */
async function tileByVips({ file, master, expectedOutput, scratch }: Case, tile: Tile): Promise<Decoded> {
  const target = path.join(scratch, 'tile.raw');
  const place = [tile.column * expectedOutput.tileSize, tile.row * expectedOutput.tileSize, tile.width, tile.height];
  const ran = await run('vips', ['crop', `${file}[page=${tile.level}]`, target, ...place.map(String)]);
  const complaint = complaintOf('vips', ran);
  if (complaint !== undefined) throw new Error(`level ${tile.level}: ${complaint}`);
  const samples = await readFile(target);
  await rm(target);
  const deep = publishedDepth(master, expectedOutput) === 16;
  const { width, height } = tile;
  return { width, height, samples: deep ? samples.filter((_, at) => at % 2 === 1) : samples };
}

function compare(actual: Decoded, expected: Decoded): string | undefined {
  if (actual.width !== expected.width || actual.height !== expected.height) {
    return `${actual.width} × ${actual.height}, not ${expected.width} × ${expected.height}`;
  }
  const sum = expected.samples.reduce((total, sample, at) => total + Math.abs(sample - (actual.samples[at] ?? 0)), 0);
  const mean = sum / expected.samples.length;
  return mean < TOLERANCE ? undefined : `off by ${mean.toFixed(1)} a sample`;
}

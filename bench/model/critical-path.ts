/** How long one image takes from its event to its publication, and what it costs. Arithmetic only. */
import { assumptions } from './assumptions.ts';
import type { BlockTimes } from './block-times.ts';

const a = Object.fromEntries(Object.entries(assumptions).map(([name, { value }]) => [name, value])) as Record<
  keyof typeof assumptions,
  number
>;

export interface Estimate {
  readonly seconds: number;
  readonly dollars: number;
}

/** Sizes that follow from the image. */
export interface Work {
  readonly pixels: number;
  readonly blocks: number;
  /** CPU seconds of one block on one core. */
  readonly blockCpu: number;
  readonly blockBytesIn: number;
  /** Tiles and the raster for the apex. */
  readonly blockBytesOut: number;
  readonly rasterBytes: number;
  readonly apexCpu: number;
  readonly outputBytes: number;
}

export function workOf(pixels: number, times: BlockTimes): Work {
  const blocks = Math.min(a.maxBlocks, Math.ceil(pixels / a.blockPixels));
  const perBlock = pixels / blocks;
  const scale = perBlock / times.pixels;
  const rasterBytes = (3 * pixels) / 4 ** a.splitLevel;
  const tileBytes = times.tileBytes * scale;
  const apexShare = 1 / 4 ** (a.splitLevel + 1);
  const cpu = (times.decode + times.halve + times.encode + times.write) * scale;
  return {
    pixels,
    blocks,
    blockCpu: cpu / a.core,
    blockBytesIn: a.bytesPerPixel * perBlock,
    blockBytesOut: tileBytes + rasterBytes / blocks,
    rasterBytes,
    apexCpu: (cpu * blocks * apexShare) / a.core,
    outputBytes: tileBytes * blocks * (1 + apexShare),
  };
}

/** One block in one function, once it runs: read, work, write, one after the other. */
function blockSeconds(work: Work): number {
  return work.blockBytesIn / a.network + work.blockCpu + work.blockBytesOut / a.network + 3 * a.request;
}

function apexSeconds(work: Work): number {
  if (work.blocks === 1) return 0;
  const apexBytes = (work.outputBytes * 1) / 4 ** (a.splitLevel + 1);
  return work.rasterBytes / a.network + work.apexCpu + apexBytes / a.network + rounds(work.blocks) * a.request;
}

/** So many requests, as many at once as a step keeps in flight. */
function rounds(requests: number): number {
  return Math.ceil(requests / a.requestsAtOnce);
}

function assembleSeconds(work: Work): number {
  return rounds(work.blocks) * (a.request + a.partCopy);
}

function publishSeconds(work: Work): number {
  const part = 2 ** 30;
  if (work.outputBytes <= 5 * part) return work.outputBytes / a.copyRate;
  return rounds(work.outputBytes / part) * (part / a.copyRate);
}

const SMALL_STEPS = 5;

/** The state machine with so many functions rendering at once. */
export function fannedOut(work: Work, functions: number): Estimate {
  const places = Math.min(functions, work.blocks);
  const map = a.coldStart + Math.ceil(work.blocks / places) * (blockSeconds(work) + a.invoke);
  // ValidateObject, RecordMetadata, PlanPyramid, VerifyTiff, and the function that takes the event.
  const small = SMALL_STEPS * (a.coldStart + a.invoke + 4 * a.request);
  const late = [apexSeconds(work), assembleSeconds(work), publishSeconds(work)];
  const seconds = small + map + late.reduce((sum, step) => sum + step + a.invoke + a.coldStart, 0);
  return { seconds, dollars: dollarsOf(work, places) };
}

function dollarsOf(work: Work, places: number): number {
  const rendering = work.blocks * blockSeconds(work) + places * a.coldStart + apexSeconds(work) + a.coldStart;
  const waiting = assembleSeconds(work) + publishSeconds(work) + (SMALL_STEPS + 2) * (a.coldStart + 4 * a.request);
  const gigabyteSeconds = rendering * a.renderMemory + waiting * a.smallMemory;
  const invocations = work.blocks + SMALL_STEPS + 3;
  // Tiles, raster and index of each block and of the apex; then each block once as a part.
  const puts = 3 * (work.blocks + 1) + work.blocks + 4;
  const gets = (work.blocks * work.blockBytesIn) / a.readBytes + 4 * work.blocks + 200;
  return (
    gigabyteSeconds * a.lambdaSecond +
    invocations * a.lambdaRequest +
    (work.blocks + 10) * a.transition +
    puts * a.put +
    gets * a.get
  );
}

/** One big function that reads, renders and writes in one pass, everything overlapped, with so many cores busy. */
export function oneBig(work: Work, busyCores: number): Estimate & { readonly fits: boolean } {
  const cpu = (work.blocks * work.blockCpu + work.apexCpu) / busyCores;
  const reading = (work.blocks * work.blockBytesIn) / a.network;
  const running = Math.max(cpu, reading, work.outputBytes / a.network);
  const seconds = a.coldStart + running;
  const requests = ((work.blocks * work.blockBytesIn) / a.readBytes) * a.get + (work.outputBytes / 64e6) * a.put;
  return {
    seconds,
    dollars: seconds * a.bigMemory * a.lambdaSecond + a.lambdaRequest + requests,
    fits: seconds <= a.lambdaLimit,
  };
}

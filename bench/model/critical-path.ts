/** Time of one image from its event to its publication, and its price. Arithmetic only. */
import { assumptions } from './assumptions.ts';
import type { BlockTimes } from './block-times.ts';
import type { PlannedWork } from './planned.ts';

const a = Object.fromEntries(Object.entries(assumptions).map(([name, { value }]) => [name, value])) as Record<
  keyof typeof assumptions,
  number
>;

export interface Estimate {
  /** The Map state alone, from the start of the first block to the end of the last. */
  readonly rendering: number;
  /** From the event to the publication, every function warm. */
  readonly warm: number;
  /** The same with a cold start of every function. */
  readonly cold: number;
  /** Price with cold starts, which are billed. */
  readonly dollars: number;
}

/** Sizes and times that follow from the plan, in CPU seconds of one core. */
export interface Work extends PlannedWork {
  readonly blockSeconds: readonly number[];
  readonly bytesIn: number;
  readonly outputBytes: number;
  readonly cpu: number;
  readonly topLevelsSeconds: number;
}

export function workOf(plan: PlannedWork, times: BlockTimes): Work {
  const { pixels, blocks, parts, splitLevel, topLevelCount } = plan;
  const perPixel = (times.decode + times.halve + times.encode + times.write) / times.pixels / a.core;
  const tileBytes = times.tileBytes / times.pixels;
  const topLevelsShare = topLevelCount === 0 ? 0 : 1 / 4 ** (splitLevel + 1);
  const rasterBytes = topLevelCount === 0 ? 0 : a.bytesPerPixel / 4 ** splitLevel;
  const oneBlock = (size: number): number => {
    const reading = (a.bytesPerPixel * size) / a.network;
    const computing = perPixel * size;
    // The next part is read while one is computed.
    const renders = (reading + computing + (parts - 1) * Math.max(reading, computing)) / parts;
    return renders + ((tileBytes + rasterBytes) * size) / a.network + 3 * a.request;
  };
  const topLevelsBytes = tileBytes * pixels * topLevelsShare;
  return {
    ...plan,
    blockSeconds: blocks.map(oneBlock),
    bytesIn: a.bytesPerPixel * pixels,
    outputBytes: tileBytes * pixels * (1 + topLevelsShare),
    cpu: perPixel * pixels * (1 + topLevelsShare),
    topLevelsSeconds:
      topLevelCount === 0
        ? 0
        : (rasterBytes * pixels) / a.network +
          perPixel * pixels * topLevelsShare +
          topLevelsBytes / a.network +
          rounds(blocks.length) * a.request,
  };
}

/** Rounds of concurrent requests that a step needs for this number of requests. */
function rounds(requests: number): number {
  return Math.ceil(requests / a.requestsAtOnce);
}

function assembleSeconds(work: Work): number {
  return Math.ceil(work.blocks.length / a.copiesAtOnce) * (a.request + a.partCopy);
}

function publishSeconds(work: Work): number {
  const part = 64 * 2 ** 20;
  const copies = Math.ceil(work.outputBytes / part / a.copiesAtOnce);
  return copies * (a.request + Math.min(part, work.outputBytes) / a.copyRate);
}

/** Blocks in order, each on the function that is free first. */
function renderingSeconds(work: Work, functions: number): number {
  const free = new Array<number>(functions).fill(0);
  for (const seconds of work.blockSeconds) {
    const earliest = free.indexOf(Math.min(...free));
    free[earliest] = (free[earliest] ?? 0) + seconds + a.invoke;
  }
  return Math.max(...free);
}

/** The function that takes the event, ValidateObject, RecordMetadata, PlanPyramid, VerifyTiff. */
const SMALL_STEPS = 5;
/** RenderTopLevels, AssembleTiff, PublishTiff. */
const LATE_STEPS = 3;

/** The state machine with this number of functions rendering concurrently. */
export function fannedOut(work: Work, functions: number): Estimate {
  const used = Math.min(functions, work.blocks.length);
  const rendering = renderingSeconds(work, used);
  const small = SMALL_STEPS * (a.invoke + 4 * a.request);
  const late = work.topLevelsSeconds + assembleSeconds(work) + publishSeconds(work) + LATE_STEPS * a.invoke;
  const warm = small + rendering + late;
  // Steps follow each other, and so do their cold starts; those of the Map are concurrent.
  const cold = warm + (SMALL_STEPS + LATE_STEPS + 1) * a.coldStart;
  return { rendering, warm, cold, dollars: dollarsOf(work, used) };
}

function dollarsOf(work: Work, functions: number): number {
  const blocks = work.blocks.length;
  const computing = work.blockSeconds.reduce((sum, seconds) => sum + seconds, 0) + work.topLevelsSeconds;
  const rendering = computing + (functions + 1) * a.coldStart;
  const waiting = assembleSeconds(work) + publishSeconds(work) + (SMALL_STEPS + 2) * (a.coldStart + 4 * a.request);
  const gigabyteSeconds = rendering * a.renderMemory + waiting * a.smallMemory;
  const invocations = blocks + SMALL_STEPS + LATE_STEPS;
  // Tiles, raster and index of each block and of the top levels; then each block once as a part.
  const puts = 3 * (blocks + 1) + blocks + 4;
  const gets = work.bytesIn / a.readBytes + 4 * blocks + 200;
  return (
    gigabyteSeconds * a.lambdaSecond +
    invocations * a.lambdaRequest +
    (blocks + 10) * a.transition +
    puts * a.put +
    gets * a.get
  );
}

/**
 * One large function that reads, renders and writes concurrently in one pass, on `busyCores` cores.
 */
export function oneBig(work: Work, busyCores: number): Estimate & { readonly fits: boolean } {
  const rendering = Math.max(work.cpu / busyCores, work.bytesIn / a.network, work.outputBytes / a.network);
  const cold = a.coldStart + rendering;
  const requests = (work.bytesIn / a.readBytes) * a.get + (work.outputBytes / 64e6) * a.put;
  return {
    rendering,
    warm: rendering + a.invoke,
    cold: cold + a.invoke,
    dollars: cold * a.bigMemory * a.lambdaSecond + a.lambdaRequest + requests,
    fits: cold <= a.lambdaLimit,
  };
}

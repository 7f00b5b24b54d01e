/**
 * The step AssembleTiff on generated tile bundle indexes of an image of the given size, over a
 * store that generates objects when they are read and counts the bytes written. Prints the size of
 * the file.
 *
 *     node bench/assemble.ts <pixels>
 */
import { MAP_CONCURRENCY, MAX_BLOCKS, memoryLimits } from '../src/limits.ts';
import { jsonLog } from '../src/log.ts';
import { blockCount, blockRect, edges, rectAtLevel, tilesOf } from '../src/pyramid/blocks.ts';
import { levelsOf, makePlan, type Plan } from '../src/pyramid/plan.ts';
import { Recipe } from '../src/recipe/recipe.ts';
import type { ExecutionInput } from '../src/work/execution-input.ts';
import type { SourceImage } from '../src/pyramid/source-image.ts';
import { makeAssembleTiff } from '../src/steps/assemble-tiff.ts';
import type { TileBundleIndex } from '../src/work/tile-bundle.ts';
import type { Header } from '../src/work/header.ts';
import { toJsonBytes, workArea } from '../src/work/work-area.ts';
import type { ObjectInfo, ObjectRef, ObjectStore } from '../src/storage/object-store.ts';

const TILE = 512;
/** Blocks of 8,192 pixels a side, or the next larger size that gives at most MAX_BLOCKS. */
const LEAST_SPLIT = 4;
const HASH = '0123456789abcdef';
const ETAG = 'etag';
const BUCKET = 'work';

const source: ExecutionInput['source'] = {
  imageId: '0'.repeat(32),
  sequence: '0'.repeat(32),
  bucket: 'source',
  key: 'giant.tif',
  etag: ETAG,
  size: 1,
};
const area = workArea(BUCKET, source);
const ref = { hash: HASH, key: area.plan(HASH).key };

function planFor(pixels: number): Plan {
  const side = Math.floor(Math.sqrt(pixels));
  const image: SourceImage = {
    format: 'tiff',
    width: side,
    height: side,
    model: 'rgb',
    profile: 'none',
    bands: 3,
    alpha: false,
    bitDepth: 8,
    orientation: 1,
    progressive: false,
    uncompressed: true,
    chunks: { kind: 'tiles', width: TILE, height: TILE },
    fileSize: side * side * 3,
  };
  const recipe = Recipe.parse({
    name: 'bench',
    version: 1,
    description: 'bench',
    tileSize: TILE,
    encoding: { compression: 'jpeg', quality: 75 },
    colour: 'keep',
    depth: 'keep',
    background: '#ffffff',
  });
  for (let splitLevel = LEAST_SPLIT; ; splitLevel++) {
    const cuts = edges(side, TILE * 2 ** splitLevel);
    const blocks = { columns: cuts, rows: cuts };
    if (blockCount(blocks) <= MAX_BLOCKS) return makePlan(image, recipe, {}, { cut: { splitLevel, blocks } });
  }
}

const encoding: TileBundleIndex['encoding'] = {
  compression: 7,
  photometric: 6,
  bitsPerSample: [8, 8, 8],
  sampleFormat: [1, 1, 1],
  extraSamples: [],
  subsampling: [2, 2],
  jpegTables: Buffer.alloc(574, 1).toString('base64'),
};

function indexOf(runs: readonly Omit<TileBundleIndex['runs'][number], 'byteCounts'>[]): TileBundleIndex {
  const counted = runs
    .filter(({ across, down }) => across * down > 0)
    .map((run) => ({
      ...run,
      byteCounts: Array.from({ length: run.across * run.down }, (_, i) => 20_000 + ((i * 7919) % 30_000)),
    }));
  const size = counted.reduce((sum, { byteCounts }) => sum + byteCounts.reduce((a, b) => a + b, 0), 0);
  return { schemaVersion: 1, tiles: { etag: ETAG, size }, encoding, warnings: [], runs: counted };
}

/** Objects that the step may read, by key; generated for every read. */
function objectsOf(plan: Plan): Map<string, () => Uint8Array> {
  const levels = levelsOf(plan);
  const whole = { left: 0, top: 0, right: plan.width, bottom: plan.height };
  const header = {
    metadata: { exif: {}, iptc: {}, descriptive: {}, warnings: [], redacted: { gps: true, serialNumbers: true } },
    digestSent: false,
    software: { stepwell: '0', sharp: '0', libvips: '0' },
  } satisfies Header;
  const objects = new Map([
    [ref.key, () => toJsonBytes(plan)],
    [area.header.key, () => toJsonBytes(header)],
  ]);
  const runsOf = (rect: typeof whole, from: number, to: number) =>
    levels
      .slice(from, to)
      .reverse()
      .map((level) => ({ level: level.index, ...tilesOf(rectAtLevel(rect, plan, level), TILE) }));
  const topLevels = runsOf(whole, plan.splitLevel + 1, levels.length);
  if (topLevels.length > 0) objects.set(area.index(ref, 'top-levels').key, () => toJsonBytes(indexOf(topLevels)));
  for (let block = 0; block < blockCount(plan.blocks); block++) {
    const runs = runsOf(blockRect(plan.blocks, block), 0, plan.splitLevel + 1);
    objects.set(area.index(ref, block).key, () => toJsonBytes(indexOf(runs)));
  }
  return objects;
}

function countingStore(objects: ReadonlyMap<string, () => Uint8Array>): ObjectStore {
  const unexpected = (): never => {
    throw new Error('Expected AssembleTiff to read indexes and to compose, and nothing else');
  };
  const info = (size: number): ObjectInfo => ({ size, etag: ETAG, metadata: {} });
  const find = ({ key }: ObjectRef): Uint8Array => {
    const make = objects.get(key);
    if (!make) throw new Error(`Expected no read of ${key}`);
    return make();
  };
  return {
    head: (object) => Promise.resolve(info(find(object).length)),
    read: (object) => Promise.resolve(find(object)),
    async compose(_, pieces) {
      let size = 0;
      for (const piece of pieces) size += 'make' in piece ? (await piece.make()).length : piece.length;
      return info(size);
    },
    write: unexpected,
    tags: unexpected,
    readDescribed: unexpected,
    materialise: unexpected,
    copy: unexpected,
    list: unexpected,
    remove: unexpected,
  };
}

const plan = planFor(Number(process.argv[2]));
const blocks = Array.from({ length: blockCount(plan.blocks) }, (_, block) => block);
const assembleTiff = makeAssembleTiff({
  store: countingStore(objectsOf(plan)),
  config: {
    store: { kind: 's3' },
    workBucket: BUCKET,
    publishedBucket: 'published',
    defaultRecipe: 'default',
    recipeRules: [],
    recipesDirectory: 'recipes',
    concurrency: MAP_CONCURRENCY,
    memory: memoryLimits.standard,
  },
});
const call = { remainingMs: () => 600_000, log: jsonLog(() => undefined, 'silent') };
const state = {
  schemaVersion: 1,
  source,
  recipe: 'bench',
  image: plan.image,
  plan: { ref, blocks, oneBlock: false, digests: 'beside' },
} as const;
const { size } = await assembleTiff(state, call);
process.stdout.write(`${size}\n`);

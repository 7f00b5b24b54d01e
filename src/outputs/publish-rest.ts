/**
 * Publishing of what is made from all blocks together: the tiles of small levels, images of the
 * whole region and descriptors; and removal of what earlier uploads have left.
 */
import { InconsistentWorkError } from '../errors.ts';
import { Arena } from '../imaging/arena.ts';
import { halveUpInto } from '../imaging/halve.ts';
import { encodePlainImage, encodePlainTiles, encodeReduced } from '../imaging/plain-tiles.ts';
import { bitDepthOf, placeRaster, type Raster, rasterBytes, rasterIn } from '../imaging/raster.ts';
import type { PublishedOutput } from '../ledger/ledger.ts';
import { forEachParallel } from '../parallel.ts';
import { blockCount, blockRect, isEmpty, rectSize } from '../pyramid/blocks.ts';
import { outputBands, outputBitDepth } from '../pyramid/output-samples.ts';
import type { Plan } from '../pyramid/plan.ts';
import { gridId, gridSize, rectAtRoundedUpLevel, roundedUpLevel, tileRect } from '../pyramid/tile-grids.ts';
import { openWork } from '../work/pinned-object.ts';
import { publishedKey } from '../work/published-key.ts';
import { workArea } from '../work/work-area.ts';
import { readFileBundleIndex } from './file-bundle.ts';
import type { FilesContext } from './output.ts';
import { keysOfTiles } from './publish-block.ts';
import { type FileTarget, publishEncoded, publishPlain, removeLeftOverFiles } from './publish-file.ts';
import { baseOf, gridsOf, lastBlockLevel, type NamedOutput, outputs, plannedOutputs } from './registry.ts';

/** Number of rasters read concurrently. */
const READERS = 8;

export interface PublishedRest {
  readonly outputs: readonly PublishedOutput[];
  /** Number of objects of earlier uploads that were removed. */
  readonly removed: number;
}

/**
 * Publishes the rest of a plan's outputs: tiles, then images, then descriptors. The entry of the
 * context has the outputs that an earlier upload published. Throws SourceChangedError if a newer
 * upload has published an object.
 */
export async function publishRest(
  target: FileTarget,
  workBucket: string,
  context: FilesContext,
): Promise<PublishedRest> {
  const { plan, entry } = context;
  const earlier = entry.outputs ?? [];
  const key = publishedKey(target.source);
  const planned = plannedOutputs(plan, key);
  const published = planned.map((output) => describe(output, plan, key, target));
  if (gridsOf(planned).length > 0) await publishSmallLevels(target, workBucket, plan, planned);
  for (const output of planned) {
    const files = await output.files({ ...context, entry: { ...entry, outputs: published } });
    for (const file of files) await publishPlain(target, file);
  }
  const names = new Set([...planned.map(({ output: { name } }) => name), ...earlier.map(({ name }) => name)]);
  let removed = 0;
  for (const output of Object.values(outputs).filter(({ name }) => names.has(name))) {
    const own = planned.find((each) => each.output === output);
    const keys = new Set(own && keysOf(own, plan));
    removed += await removeLeftOverFiles(target, output.prefixes(baseOf(key)), keys);
  }
  return { outputs: published, removed };
}

function describe(planned: NamedOutput, plan: Plan, key: string, { source }: FileTarget): PublishedOutput {
  const { output, fileKeys, pictures } = planned;
  const [prefix = ''] = output.prefixes(baseOf(key));
  const count = new Set(keysOf(planned, plan)).size;
  const record = { name: output.name, prefix, count, descriptor: fileKeys.at(-1) ?? '', sequence: source.sequence };
  return { ...record, ...(pictures ? { pictures } : {}) };
}

/** Every key that an output publishes of a plan. */
export function* keysOf(planned: Omit<NamedOutput, 'output' | 'files'>, plan: Plan): Generator<string> {
  for (const grid of planned.grids) {
    for (const index of grid.levels) {
      const level = roundedUpLevel(plan, index);
      const { across, down } = gridSize(level, grid);
      for (let row = 0; row < down; row++) {
        for (let column = 0; column < across; column++) yield* planned.tileKeys(grid, level, { column, row });
      }
    }
  }
  for (const { keys } of planned.images) yield* keys;
  yield* planned.fileKeys;
}

/**
 * Publishes tiles of the levels above the blocks' last one, then the images of the whole region.
 */
async function publishSmallLevels(
  target: FileTarget,
  workBucket: string,
  plan: Plan,
  planned: readonly NamedOutput[],
): Promise<void> {
  const grids = gridsOf(planned);
  const images = planned.flatMap((each) => each.images);
  const first = lastBlockLevel(plan);
  const last = Math.max(first, ...grids.flatMap(({ levels }) => levels), ...images.map(({ level }) => level));
  const keys = keysOfTiles(planned, plan);
  const arena = new Arena();
  try {
    const levels = [await joinBlocks(target, workBucket, plan, first, arena)];
    for (let index = first + 1; index <= last; index++) {
      const raster = halvedUp(levels.at(-1) as Raster, arena);
      levels.push(raster);
      for (const grid of grids.filter((each) => each.levels.includes(index))) {
        const size = roundedUpLevel(plan, index);
        const { across, down } = gridSize(size, grid);
        for (let row = 0; row < down; row++) {
          const tiles = Array.from({ length: across }, (_, column) => ({ column, row }));
          const rects = tiles.map((tile) => tileRect(size, grid, tile.column, tile.row));
          const encoded = await encodePlainTiles(raster, rects, grid, arena);
          await publishEncoded(
            target,
            tiles.map((tile, n) => ({ ...keys(gridId(grid), index, tile), bytes: Buffer.concat(encoded[n] ?? []) })),
          );
        }
      }
    }
    for (const { level, size, quality, keys: names } of images.filter((image) => image.keys.length > 0)) {
      const raster = levels[level - first];
      if (!raster) throw new RangeError(`Expected a level from ${first} to ${last} but received ${level}`);
      const format = { format: 'jpg', quality } as const;
      const isLevel = raster.width === size.width && raster.height === size.height;
      const whole = { left: 0, top: 0, right: raster.width, bottom: raster.height };
      const bytes = await (isLevel
        ? encodePlainImage(raster, whole, format, arena)
        : encodeReduced(raster, size, format, arena));
      await publishEncoded(target, [{ keys: names, bytes, format: 'jpg' }]);
    }
  } finally {
    arena.release();
  }
}

function halvedUp(raster: Raster, arena: Arena): Raster {
  const size = { width: Math.ceil(raster.width / 2), height: Math.ceil(raster.height / 2) };
  const half = rasterIn(arena, { ...size, bands: raster.bands, bitDepth: bitDepthOf(raster) });
  halveUpInto(raster, half);
  return half;
}

/** Joins the rasters of all blocks into the whole level. */
async function joinBlocks(
  { store, source, plan: ref }: FileTarget,
  workBucket: string,
  plan: Plan,
  index: number,
  arena: Arena,
): Promise<Raster> {
  const area = workArea(workBucket, source);
  const shape = { bands: outputBands(plan), bitDepth: outputBitDepth(plan) };
  const level = roundedUpLevel(plan, index);
  const whole = rasterIn(arena, { width: level.width, height: level.height, ...shape });
  const blocks = Array.from({ length: blockCount(plan.blocks) }, (_, block) => block);
  await forEachParallel(blocks, READERS, async (block) => {
    const rect = rectAtRoundedUpLevel(blockRect(plan.blocks, block), index);
    if (isEmpty(rect)) return;
    const own = new Arena();
    try {
      const part = rasterIn(own, { ...rectSize(rect), ...shape });
      const { raster } = await readFileBundleIndex(store, area, ref, block);
      const bytes = rasterBytes(part);
      if (raster.size !== bytes.length) {
        throw new InconsistentWorkError(
          `Expected a raster of ${bytes.length} bytes for block ${block} but its index names ${raster.size}`,
        );
      }
      await openWork(store, area.filesRaster(ref, block), raster).reader.readInto(bytes, 0);
      placeRaster(whole, part, rect.left, rect.top);
    } finally {
      own.release();
    }
  });
  return whole;
}

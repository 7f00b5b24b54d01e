/**
 * Tile bundles: the encoded tiles of one block, or of the top levels, in one object of the work
 * area, with an index beside it that lists their byte counts.
 */
import { z } from 'zod';
import { InconsistentWorkError } from '../errors.ts';
import { type Raster, rasterBytes } from '../imaging/raster.ts';
import type { EncodedLevels } from '../imaging/render-levels.ts';
import { type Rect, rectAtLevel, tilesOf } from '../pyramid/blocks.ts';
import { levelsOf, type Plan } from '../pyramid/plan.ts';
import type { ObjectRef, ObjectStore } from '../storage/object-store.ts';
import { TileEncoding } from '../tiff/pyramid-fields.ts';
import {
  type BundleName,
  isMissingOrReplaced,
  type PlanRef,
  readText,
  toJsonBytes,
  type WorkArea,
} from './work-area.ts';

const StoredObject = z.strictObject({ etag: z.string(), size: z.number() });

/**
 * Byte count of each tile, as 32-bit integers to halve the memory of the parsed JSON array. Bytes.
 */
const ByteCounts = z
  .array(z.uint32())
  .readonly()
  .transform((counts): Uint32Array | readonly number[] => new Uint32Array(counts));

/**
 * Written after the tiles and the raster, whose ETags it has: a bundle whose index matches its
 * objects is complete. Runs are in the order of the tiles object, smallest level first.
 */
const TileBundleIndexSchema = z.strictObject({
  schemaVersion: z.literal(1),
  tiles: StoredObject,
  raster: StoredObject.optional(),
  encoding: TileEncoding,
  /** What was unusual about the pixels and left none of them in doubt. */
  warnings: z.array(z.string()).default([]),
  runs: z.array(
    z.strictObject({
      level: z.number(),
      column: z.number(),
      row: z.number(),
      across: z.number(),
      down: z.number(),
      byteCounts: ByteCounts,
    }),
  ),
});
export type TileBundleIndex = z.infer<typeof TileBundleIndexSchema>;

/** The content of a tile bundle. */
export interface BundleContent {
  readonly plan: Plan;
  /** The part of level 0 that was rendered. */
  readonly rect: Rect;
  readonly rendered: EncodedLevels;
  /** For the sidecar. */
  readonly warnings?: readonly string[];
  /** The block's level-k raster if RenderTopLevels needs it. */
  readonly raster?: Raster | undefined;
}

/**
 * The tiles of a bundle in the order in which they are stored, smallest level first, and their
 * runs.
 */
export function tilesAndRuns({ plan, rect, rendered }: BundleContent): {
  tiles: readonly Uint8Array[];
  runs: TileBundleIndex['runs'];
} {
  const smallestFirst = [...rendered.levels].reverse();
  const levels = levelsOf(plan);
  const runs = smallestFirst.map(({ index, across, down, tiles }) => {
    const level = levels[index];
    if (!level) throw new RangeError(`Expected a level below ${levels.length} but received ${index}`);
    const { column, row } = tilesOf(rectAtLevel(rect, plan, level), plan.recipe.tileSize);
    return { level: index, column, row, across, down, byteCounts: tiles.map((tile) => tile.length) };
  });
  return { tiles: smallestFirst.flatMap(({ tiles }) => tiles), runs };
}

/** Writes the tiles, the raster if there is one, and finally the index. */
export async function writeTileBundle(
  store: ObjectStore,
  area: WorkArea,
  ref: PlanRef,
  name: BundleName,
  content: BundleContent,
): Promise<TileBundleIndex> {
  const { tiles: encoded, runs } = tilesAndRuns(content);
  const tiles = await store.compose(area.tiles(ref, name), encoded);
  const raster = content.raster && (await store.write(area.raster(ref, name), rasterBytes(content.raster)));
  const index: TileBundleIndex = {
    schemaVersion: 1,
    tiles: { etag: tiles.etag, size: tiles.size },
    ...(raster ? { raster: { etag: raster.etag, size: raster.size } } : {}),
    encoding: content.rendered.encoding,
    warnings: [...(content.warnings ?? [])],
    runs,
  };
  await store.write(area.index(ref, name), toJsonBytes(index));
  return index;
}

/**
 * Whether the bundle has its index and the objects that the index names. A complete bundle is not
 * rendered again.
 */
export async function isBundleComplete(
  store: ObjectStore,
  area: WorkArea,
  plan: PlanRef,
  name: BundleName,
): Promise<boolean> {
  const index = await findBundleIndex(store, area.index(plan, name));
  if (!index) return false;
  const hasTiles = await isStored(store, area.tiles(plan, name), index.tiles);
  return hasTiles && (!index.raster || (await isStored(store, area.raster(plan, name), index.raster)));
}

async function isStored(
  store: ObjectStore,
  ref: ObjectRef,
  expected: { etag: string; size: number },
): Promise<boolean> {
  try {
    return (await store.head(ref, { ifMatch: expected.etag })).size === expected.size;
  } catch (error) {
    if (isMissingOrReplaced(error)) return false;
    throw error;
  }
}

/** Reads an index; undefined if it is missing or malformed. */
async function findBundleIndex(store: ObjectStore, ref: ObjectRef): Promise<TileBundleIndex | undefined> {
  try {
    return await readBundleIndex(store, ref);
  } catch (error) {
    if (error instanceof InconsistentWorkError) return undefined;
    throw error;
  }
}

/** Reads an index. Throws InconsistentWorkError if it is missing or malformed. */
export async function readBundleIndex(store: ObjectStore, ref: ObjectRef): Promise<TileBundleIndex> {
  const text = await readText(store, ref);
  try {
    return TileBundleIndexSchema.parse(JSON.parse(text));
  } catch (error) {
    throw new InconsistentWorkError(`Expected the index of a tile bundle in ${ref.key}`, { cause: error });
  }
}

/**
 * Tile bundles: the encoded tiles of one block, or of the top levels, in one object of the work area, with an index beside
 * it that lists their byte counts.
 */
import { z } from 'zod';
import { InconsistentWorkError, ObjectNotFoundError, PreconditionFailedError } from '../errors.ts';
import { type Raster, rasterBytes } from '../imaging/raster.ts';
import type { EncodedLevels } from '../imaging/render-levels.ts';
import type { TileRect } from '../pyramid/blocks.ts';
import type { Level } from '../pyramid/levels.ts';
import type { ObjectRef, ObjectStore } from '../storage/object-store.ts';
import { TileEncoding } from '../tiff/pyramid-fields.ts';
import { type BundleName, type PlanRef, readText, toJsonBytes, type WorkArea } from './work-area.ts';

const StoredObject = z.strictObject({ etag: z.string(), size: z.number() });

/** One per tile of the image, so they are kept as 32-bit integers: half the memory of the array that JSON gives. Bytes. */
const ByteCounts = z
  .array(z.uint32())
  .readonly()
  .transform((counts): Uint32Array | readonly number[] => new Uint32Array(counts));

/**
 * Written after the tiles (and the raster), whose ETags it names: a bundle whose index matches its objects is complete.
 * Runs are in the order of the tiles object, smallest level first.
 */
const TileBundleIndexSchema = z.strictObject({
  schemaVersion: z.literal(1),
  tiles: StoredObject,
  raster: StoredObject.optional(),
  encoding: TileEncoding,
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

export interface BundleContent {
  readonly rendered: EncodedLevels;
  /** All levels of the pyramid, full size first. */
  readonly levels: readonly Level[];
  /** The tiles of a level that the bundle holds. */
  readonly tilesAt: (level: Level) => TileRect;
  /** The block's level-k raster, where RenderTopLevels needs it. */
  readonly raster?: Raster | undefined;
}

/** Writes the tiles, smallest level first, then the raster if there is one, and last the index. */
export async function writeTileBundle(
  store: ObjectStore,
  area: WorkArea,
  plan: PlanRef,
  name: BundleName,
  { rendered, levels, tilesAt, raster: pixels }: BundleContent,
): Promise<TileBundleIndex> {
  const smallestFirst = [...rendered.levels].reverse();
  const tiles = await store.compose(
    area.tiles(plan, name),
    smallestFirst.flatMap((level) => level.tiles),
  );
  const raster = pixels && (await store.write(area.raster(plan, name), rasterBytes(pixels)));
  const index: TileBundleIndex = {
    schemaVersion: 1,
    tiles: { etag: tiles.etag, size: tiles.size },
    ...(raster ? { raster: { etag: raster.etag, size: raster.size } } : {}),
    encoding: rendered.encoding,
    runs: smallestFirst.map(({ index, across, down, tiles: encoded }) => {
      const level = levels[index];
      if (!level) throw new RangeError(`Expected a level below ${levels.length} but received ${index}`);
      const { column, row } = tilesAt(level);
      return { level: index, column, row, across, down, byteCounts: encoded.map((tile) => tile.length) };
    }),
  };
  await store.write(area.index(plan, name), toJsonBytes(index), { contentType: 'application/json' });
  return index;
}

/** Whether the bundle has an index and the objects that it names. A complete bundle is not rendered again. */
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
    if (error instanceof ObjectNotFoundError || error instanceof PreconditionFailedError) return false;
    throw error;
  }
}

/** Reads an index; undefined where the bundle was not finished or the object is not an index. */
async function findBundleIndex(store: ObjectStore, ref: ObjectRef): Promise<TileBundleIndex | undefined> {
  try {
    return await readBundleIndex(store, ref);
  } catch (error) {
    if (error instanceof InconsistentWorkError) return undefined;
    throw error;
  }
}

/** Reads an index that must be there. Throws InconsistentWorkError when it is missing or malformed. */
export async function readBundleIndex(store: ObjectStore, ref: ObjectRef): Promise<TileBundleIndex> {
  const text = await readText(store, ref);
  try {
    return TileBundleIndexSchema.parse(JSON.parse(text));
  } catch (error) {
    throw new InconsistentWorkError(`Expected the index of a tile bundle in ${ref.key}`, { cause: error });
  }
}

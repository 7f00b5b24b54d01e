import { PreconditionFailedError, ObjectNotFoundError } from '../errors.ts';
import type { EncodedLevels } from '../imaging/render-levels.ts';
import { type Raster, rasterBytes } from '../imaging/raster.ts';
import type { TileRect } from '../pyramid/blocks.ts';
import type { Level } from '../pyramid/levels.ts';
import type { ObjectRef, ObjectStore } from '../storage/object-store.ts';
import {
  findIndex,
  type PlanRef,
  type SegmentIndex,
  type SegmentName,
  toJsonBytes,
  type WorkArea,
} from './work-area.ts';

/** Writes the tiles, smallest level first, then the raster if it is wanted, and last the index that marks them whole. */
export async function writeSegment(
  store: ObjectStore,
  area: WorkArea,
  plan: PlanRef,
  name: SegmentName,
  rendered: EncodedLevels,
  place: { levels: readonly Level[]; tilesAt: (level: Level) => TileRect; raster?: Raster | undefined },
): Promise<SegmentIndex> {
  const smallestFirst = [...rendered.levels].reverse();
  const tiles = await store.compose(
    area.tiles(plan, name),
    smallestFirst.flatMap((level) => level.tiles),
  );
  const raster = place.raster && (await store.write(area.raster(plan, name), rasterBytes(place.raster)));
  const index: SegmentIndex = {
    schemaVersion: 1,
    tiles: { etag: tiles.etag, size: tiles.size },
    ...(raster ? { raster: { etag: raster.etag, size: raster.size } } : {}),
    encoding: rendered.encoding,
    runs: smallestFirst.map(({ index, across, down, tiles: encoded }) => {
      const level = place.levels[index];
      if (!level) throw new RangeError(`Expected a level below ${place.levels.length} but received ${index}`);
      const { column, row } = place.tilesAt(level);
      return { level: index, column, row, across, down, byteCounts: encoded.map((tile) => tile.length) };
    }),
  };
  await store.write(area.index(plan, name), toJsonBytes(index), { contentType: 'application/json' });
  return index;
}

/** Is the segment there, whole, as its index says? Then it need not be rendered again. */
export async function isRendered(
  store: ObjectStore,
  area: WorkArea,
  plan: PlanRef,
  name: SegmentName,
): Promise<boolean> {
  const index = await findIndex(store, area.index(plan, name));
  if (!index) return false;
  const tilesThere = await isThere(store, area.tiles(plan, name), index.tiles);
  return tilesThere && (!index.raster || (await isThere(store, area.raster(plan, name), index.raster)));
}

async function isThere(store: ObjectStore, ref: ObjectRef, expected: { etag: string; size: number }): Promise<boolean> {
  try {
    return (await store.head(ref, { ifMatch: expected.etag })).size === expected.size;
  } catch (error) {
    if (error instanceof ObjectNotFoundError || error instanceof PreconditionFailedError) return false;
    throw error;
  }
}

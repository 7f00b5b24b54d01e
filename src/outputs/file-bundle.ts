/**
 * The tiles of one block that are published as files: one object of the work area, with what the
 * tiles of several blocks and the smaller levels are made from, and an index that is written last.
 */
import { z } from 'zod';
import { InconsistentWorkError } from '../errors.ts';
import type { PlainLevelsRendered } from '../imaging/plain-levels.ts';
import { type Raster, rasterBytes } from '../imaging/raster.ts';
import type { ObjectInfo, ObjectStore } from '../storage/object-store.ts';
import { type PlanRef, readText, toJsonBytes, type WorkArea } from '../work/work-area.ts';

const StoredObject = z.strictObject({ etag: z.string(), size: z.number() });

const FileBundleIndexSchema = z.strictObject({
  schemaVersion: z.literal(1),
  tiles: StoredObject,
  /** The last level of the block, uncompressed. */
  raster: StoredObject,
  margins: StoredObject.optional(),
  /** In the order of the tiles object. */
  runs: z.array(
    z.strictObject({
      grid: z.string(),
      level: z.number(),
      column: z.number(),
      row: z.number(),
      across: z.number(),
      down: z.number(),
      byteCounts: z.array(z.number()),
    }),
  ),
});
export type FileBundleIndex = z.infer<typeof FileBundleIndexSchema>;

/** Writes tiles, margins and raster, and finally the index. */
export async function writeFileBundle(
  store: ObjectStore,
  area: WorkArea,
  ref: PlanRef,
  block: number,
  { runs, last, margins }: PlainLevelsRendered,
): Promise<FileBundleIndex> {
  const tiles = await store.compose(
    area.files(ref, block),
    runs.flatMap((run) => run.tiles.flat()),
  );
  const raster = await store.write(area.filesRaster(ref, block), rasterBytes(last));
  const sides = margins.flatMap(({ top, bottom, left, right }) => [top, bottom, left, right]);
  const edges = margins.length > 0 && (await store.compose(area.filesMargins(ref, block), sides.map(rasterBytes)));
  const index: FileBundleIndex = {
    schemaVersion: 1,
    tiles: stored(tiles),
    raster: stored(raster),
    ...(edges ? { margins: stored(edges) } : {}),
    runs: runs.map(({ tiles: encoded, grid, level, column, row, across, down }) => ({
      ...{ grid, level, column, row, across, down },
      byteCounts: encoded.map((pieces) => pieces.reduce((sum, { length }) => sum + length, 0)),
    })),
  };
  await store.write(area.filesIndex(ref, block), toJsonBytes(index));
  return index;
}

/** Reads an index. Throws InconsistentWorkError if it is missing or malformed. */
export async function readFileBundleIndex(
  store: ObjectStore,
  area: WorkArea,
  ref: PlanRef,
  block: number,
): Promise<FileBundleIndex> {
  const at = area.filesIndex(ref, block);
  const text = await readText(store, at);
  try {
    return FileBundleIndexSchema.parse(JSON.parse(text));
  } catch (error) {
    throw new InconsistentWorkError(`Expected the index of a bundle of files in ${at.key}`, { cause: error });
  }
}

function stored({ etag, size }: ObjectInfo): { etag: string; size: number } {
  return { etag, size };
}

/** Bytes of a raster of the given shape. */
export function bytesOfRaster({ width, height, bands }: Omit<Raster, 'data'>, bitDepth: number): number {
  return width * height * bands * (bitDepth / 8);
}

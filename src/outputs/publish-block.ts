/** Publishing of the tiles of one block. */
import type { Plan } from '../pyramid/plan.ts';
import { crossesBlocks, gridId, roundedUpLevel, type PlainGrid, type GridPosition } from '../pyramid/tile-grids.ts';
import { openWork, type PinnedContent } from '../work/pinned-object.ts';
import { publishedKey } from '../work/published-key.ts';
import { workArea } from '../work/work-area.ts';
import { joinedTiles } from './block-margins.ts';
import { type FileBundleIndex, readFileBundleIndex } from './file-bundle.ts';
import { type EncodedFile, type FileTarget, publishEncoded, withdrawOlderFiles } from './publish-file.ts';
import { gridsOf, lastBlockLevel, type NamedOutput, plannedOutputs } from './registry.ts';

/** Most bytes of tiles that are read at a time; a larger tile is read alone. */
const READ_BYTES = 16 * 2 ** 20;

/**
 * Publishes all tiles that begin in the block, and returns the number of objects. First withdraws
 * the descriptors of an earlier upload, so that no viewer takes new tiles for those of the old
 * image. Throws SourceChangedError if a newer upload has published tiles.
 */
export async function publishBlockTiles(
  target: FileTarget,
  workBucket: string,
  plan: Plan,
  block: number,
): Promise<number> {
  const planned = plannedOutputs(plan, publishedKey(target.source));
  await withdrawOlderFiles(
    target,
    planned.flatMap(({ fileKeys }) => fileKeys),
  );
  const { store, plan: ref } = target;
  const area = workArea(workBucket, target.source);
  const index = await readFileBundleIndex(store, area, ref, block);
  const keysOf = keysOfTiles(planned, plan);
  let objects = 0;
  const publish = async (files: readonly EncodedFile[]): Promise<void> => {
    await publishEncoded(target, files);
    objects += files.reduce((sum, { keys }) => sum + keys.length, 0);
  };
  const { reader } = openWork(store, area.files(ref, block), index.tiles);
  for await (const files of storedTiles(reader, index, keysOf)) await publish(files);
  const grids = gridsOf(planned);
  const lastLevel = lastBlockLevel(plan);
  if (!crossesBlocks(plan.blocks, grids, lastLevel)) return objects;
  const margins = { store, area, ref, plan, grids, lastLevel };
  for (const grid of grids) {
    for (const level of grid.levels.filter((each) => each <= lastLevel)) {
      for await (const tiles of joinedTiles(margins, block, grid, level)) {
        await publish(tiles.map(({ bytes, ...tile }) => ({ bytes, ...keysOf(gridId(grid), level, tile) })));
      }
    }
  }
  return objects;
}

export type KeysOf = (grid: string, level: number, tile: GridPosition) => Pick<EncodedFile, 'keys' | 'format'>;

/** The keys of a tile in all outputs that have its grid. */
export function keysOfTiles(planned: readonly NamedOutput[], plan: Plan): KeysOf {
  const byGrid = new Map<string, { output: NamedOutput; grid: PlainGrid }[]>();
  for (const output of planned) {
    for (const grid of output.grids) {
      byGrid.set(gridId(grid), [...(byGrid.get(gridId(grid)) ?? []), { output, grid }]);
    }
  }
  return (id, index, tile) => {
    const using = (byGrid.get(id) ?? []).filter(({ grid }) => grid.levels.includes(index));
    const level = roundedUpLevel(plan, index);
    const keys = using.flatMap(({ output, grid }) => output.tileKeys(grid, level, tile));
    return { keys, format: using[0]?.grid.format ?? 'jpg' };
  };
}

/** Reads the tiles of a bundle, as many as fit into READ_BYTES at a time. */
async function* storedTiles(
  reader: PinnedContent['reader'],
  { runs }: FileBundleIndex,
  keysOf: KeysOf,
): AsyncGenerator<readonly EncodedFile[]> {
  let offset = 0;
  let waiting: { readonly length: number; readonly file: Omit<EncodedFile, 'bytes'> }[] = [];
  let bytes = 0;
  const read = async (): Promise<EncodedFile[]> => {
    const all = new Uint8Array(bytes);
    await reader.readInto(all, offset);
    let end = 0;
    const files = waiting.map(({ length, file }) => ({ ...file, bytes: all.subarray(end, (end += length)) }));
    offset += bytes;
    [waiting, bytes] = [[], 0];
    return files;
  };
  for (const { grid, level, column, row, across, byteCounts } of runs) {
    for (const [index, length] of byteCounts.entries()) {
      if (bytes > 0 && bytes + length > READ_BYTES) yield read();
      const tile = { column: column + (index % across), row: row + Math.floor(index / across) };
      waiting.push({ length, file: keysOf(grid, level, tile) });
      bytes += length;
    }
  }
  if (bytes > 0) yield read();
}

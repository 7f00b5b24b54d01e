/** Rendering of a block's tiles that are files, beside its tiles of the TIFF. */
import type { Arena } from '../imaging/arena.ts';
import { PlainLevels, type PlainLevelsRendered } from '../imaging/plain-levels.ts';
import { type PlainTile, sharesTiffTiles, tileConverter } from '../imaging/plain-tiles.ts';
import type { EncodedLevels, MakePartReader } from '../imaging/render-levels.ts';
import { type Rect, rectAtLevel, tilesOf } from '../pyramid/blocks.ts';
import { outputBitDepth } from '../pyramid/output-samples.ts';
import { levelsOf, type Plan } from '../pyramid/plan.ts';
import { crossesBlocks, type PlainGrid, tileRect } from '../pyramid/tile-grids.ts';
import type { Source } from '../work/execution-input.ts';
import { publishedKey } from '../work/published-key.ts';
import { gridsOf, lastBlockLevel, plannedOutputs } from './registry.ts';

export interface FilesRenderer {
  /** Pass to `renderArea` or `renderImage`. */
  readonly reader: MakePartReader;
  /** What was rendered; `tiff` has the tiles of the TIFF, which some of the files are. */
  finish(tiff: EncodedLevels): PlainLevelsRendered;
}

/** The renderer of a block's files; undefined if the recipe has no tiles beside the TIFF. */
export function filesRenderer(
  plan: Plan,
  source: Pick<Source, 'key' | 'page'>,
  rect: Rect,
  arena: Arena,
): FilesRenderer | undefined {
  const grids = gridsOf(plannedOutputs(plan, publishedKey(source)));
  if (grids.length === 0) return undefined;
  const lastLevel = lastBlockLevel(plan);
  const isShared = (grid: PlainGrid, level: number, tile: Rect): boolean => isTiffTile(plan, grid, level, tile);
  const withMargins = crossesBlocks(plan.blocks, grids, lastLevel);
  let levels: PlainLevels | undefined;
  return {
    reader: (partRows) => {
      levels = new PlainLevels({ rect, full: plan, grids, lastLevel, withMargins, isShared }, partRows, arena);
      return levels;
    },
    finish(tiff) {
      if (!levels) throw new RangeError('Expected the area to be rendered');
      const rendered = levels.finish();
      return { ...rendered, runs: rendered.runs.map((run) => withTiffTiles(plan, rect, grids, run, tiff)) };
    },
  };
}

/**
 * Whether a tile is one of the TIFF: of the same grid and encoding, and within the level of the
 * TIFF, which may lack the last column and row.
 */
function isTiffTile(
  { recipe, ...plan }: Plan,
  grid: PlainGrid,
  index: number,
  { right, bottom, left, top }: Rect,
): boolean {
  const { encoding, tileSize } = recipe;
  const isSameGrid = grid.tileSize === tileSize && grid.overlap === 0 && outputBitDepth({ ...plan, recipe }) === 8;
  const isSameEncoding = encoding.compression === 'jpeg' && encoding.quality === grid.quality && sharesTiffTiles(grid);
  if (!isSameGrid || !isSameEncoding || right - left < tileSize || bottom - top < tileSize) return false;
  const level = levelsOf({ ...plan, recipe })[index];
  return level !== undefined && right <= level.width && bottom <= level.height;
}

type PlainRun = PlainLevelsRendered['runs'][number];

/** Fills in the tiles that are those of the TIFF. */
function withTiffTiles(
  plan: Plan,
  block: Rect,
  grids: readonly PlainGrid[],
  run: PlainRun,
  { levels, encoding }: EncodedLevels,
): PlainRun {
  const rendered = levels.find(({ index }) => index === run.level);
  const level = levelsOf(plan)[run.level];
  const grid = grids.find(
    ({ levels: indexes, tileSize, overlap }) =>
      indexes.includes(run.level) && tileSize === plan.recipe.tileSize && overlap === 0,
  );
  if (!rendered || !level || !grid || run.tiles.every((tile) => tile.length > 0)) return run;
  const toFile = tileConverter(encoding);
  const first = tilesOf(rectAtLevel(block, plan, level), plan.recipe.tileSize);
  const tiles = run.tiles.map((tile, index): PlainTile => {
    if (tile.length > 0) return tile;
    const column = run.column + (index % run.across);
    const row = run.row + Math.floor(index / run.across);
    const own = rendered.tiles[(row - first.row) * rendered.across + column - first.column];
    if (!own) throw new RangeError(`Expected tile ${column}, ${row} of level ${run.level} in the TIFF`);
    return toFile(own, tileRect(level, grid, column, row));
  });
  return { ...run, tiles };
}

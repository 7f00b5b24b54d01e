/** Layout of `assembled.tif`, the published file, from its tile bundles. */
import { InconsistentWorkError } from '../errors.ts';
import { descriptiveFields } from '../metadata/descriptive.ts';
import { tileGrid } from '../pyramid/levels.ts';
import { levelsOf, type Plan } from '../pyramid/plan.ts';
import { layoutTiff, type TiffLayout, type TileBundle } from '../tiff/layout.ts';
import { pyramidFields, type TileEncoding } from '../tiff/pyramid-fields.ts';
import type { LevelTable } from '../tiff/written-directory.ts';
import type { Header } from './header.ts';

/**
 * Lays out the TIFF of a plan: header and directories, followed by the tile bundles in the given
 * order. Throws InconsistentWorkError unless the bundles hold every tile of every level once.
 */
export function layOutAssembled(
  plan: Plan,
  { metadata }: Pick<Header, 'metadata'>,
  encoding: TileEncoding,
  bundles: readonly TileBundle[],
): TiffLayout {
  const descriptive = descriptiveFields(metadata.descriptive);
  const levels = levelsOf(plan).map((level): LevelTable => {
    const grid = tileGrid(level, plan.recipe.tileSize);
    const fields = pyramidFields(level.index, encoding, plan.description);
    if (level.index === 0) fields.push(...descriptive);
    return { width: level.width, height: level.height, tilesAcross: grid.across, tilesDown: grid.down, fields };
  });
  try {
    return layoutTiff({ tileSize: plan.recipe.tileSize, levels, bundles });
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw new InconsistentWorkError(`Expected tile bundles that hold every tile once: ${error.message}`, {
      cause: error,
    });
  }
}

import type { Recipe } from '../pyramid/recipe.ts';
import type { TileEncoding } from '../tiff/pyramid-fields.ts';
import { encodeTiles } from './encode.ts';
import { halve } from './halve.ts';
import type { Raster } from './raster.ts';

export interface RenderedLevel {
  /** Steps up from the raster that was given; 0 is the raster itself. */
  readonly step: number;
  readonly across: number;
  readonly down: number;
  readonly tiles: readonly Uint8Array[];
}

export interface RenderedLevels {
  readonly levels: readonly RenderedLevel[];
  readonly encoding: TileEncoding;
  /** The smallest raster. */
  readonly last: Raster;
}

/**
 * Encodes a raster and its halvings into tiles. `sizes` gives the size of each level wanted, the raster's own first: at
 * an image's edge it is that of the raster or its halving, or empty where halving drops the last column or row.
 */
export async function renderLevels(
  raster: Raster,
  sizes: readonly { readonly width: number; readonly height: number }[],
  recipe: Pick<Recipe, 'tileSize' | 'encoding'>,
): Promise<RenderedLevels> {
  const levels: RenderedLevel[] = [];
  let encoding: TileEncoding | undefined;
  let current = raster;
  for (const [step, size] of sizes.entries()) {
    if (step > 0) current = halve(current);
    if (size.width === 0 || size.height === 0) continue;
    if (size.width !== current.width || size.height !== current.height) {
      throw new RangeError(
        `Expected a raster of ${size.width} × ${size.height} but received ${current.width} × ${current.height}`,
      );
    }
    const { across, down, tiles, encoding: encoded } = await encodeTiles(current, recipe);
    encoding ??= encoded;
    levels.push({ step, across, down, tiles });
  }
  if (!encoding) throw new RangeError('Expected at least one level that is not empty');
  return { levels, encoding, last: current };
}

/** A TIFF of one level around encoded tiles, for a decoder that reads files. */
import { joinHeader, layoutTiff } from './layout.ts';
import type { Field } from './written-directory.ts';

export interface TileFile {
  /** Header and directory, followed by room for the tiles. */
  readonly bytes: Uint8Array;
  /** Offset of the first tile; the others follow without gaps, row by row. Bytes. */
  readonly tilesAt: number;
}

/**
 * Lays out `across · down` tiles of the given lengths, which the caller then copies into place. The
 * image consists of whole tiles. `fields`: see `pyramidFields`. `allocate` provides the memory.
 */
export function layoutTileFile(
  { tileSize, across, down }: { readonly tileSize: number; readonly across: number; readonly down: number },
  byteCounts: readonly number[],
  fields: readonly Field[],
  allocate: (bytes: number) => Uint8Array,
): TileFile {
  const level = { width: across * tileSize, height: down * tileSize, tilesAcross: across, tilesDown: down, fields };
  const run = { level: 0, column: 0, row: 0, across, down, byteCounts };
  const layout = layoutTiff({ tileSize, levels: [level], bundles: [{ runs: [run] }] });
  const bytes = allocate(layout.size);
  bytes.set(joinHeader(layout));
  return { bytes, tilesAt: layout.headerBytes };
}

import type { Size } from '../pyramid/levels.ts';
import type { EncodedTiles } from '../tiff/encoded-tiles.ts';

/** The tiles of one level of an area, collected from its parts. */
export class LevelTiles {
  readonly across: number;
  readonly down: number;
  /** In row-major order. */
  readonly tiles: Uint8Array[];

  constructor({ width, height }: Size, tileSize: number) {
    const isEmpty = width <= 0 || height <= 0;
    this.across = isEmpty ? 0 : Math.ceil(width / tileSize);
    this.down = isEmpty ? 0 : Math.ceil(height / tileSize);
    this.tiles = new Array<Uint8Array>(this.across * this.down);
  }

  /** Takes the tiles of a part whose first tile is at `column`, `row`. */
  put(part: Pick<EncodedTiles, 'across' | 'tiles'>, column: number, row: number): void {
    part.tiles.forEach((tile, index) => {
      const x = column + (index % part.across);
      const y = row + Math.floor(index / part.across);
      this.tiles[y * this.across + x] = tile;
    });
  }
}

/** Width and height in pixels. */
export interface Size {
  readonly width: number;
  readonly height: number;
}

/** Text for messages, such as 20480 × 14400. */
export function describeSize({ width, height }: Size): string {
  return `${width} × ${height}`;
}

export interface Level extends Size {
  /** 0 is full size; level n halves n times. */
  readonly index: number;
}

/**
 * All levels: each halves the one before, rounding down and never below one pixel, until the image
 * fits in a single tile.
 *
 * libvips halves in the same way (`tiffsave --pyramid`) but stops when a side would become 0. Here
 * a 1 × N image is halved further, so that its smallest level fits in one tile like that of every
 * other image.
 */
export function planLevels(full: Size, tileSize: number): Level[] {
  const levels: Level[] = [];
  for (let index = 0; ; index++) {
    const width = Math.max(1, Math.floor(full.width / 2 ** index));
    const height = Math.max(1, Math.floor(full.height / 2 ** index));
    levels.push({ index, width, height });
    if (width <= tileSize && height <= tileSize) return levels;
  }
}

/** Number of tiles that cover a level, across and down. */
export function tileGrid(size: Size, tileSize: number): { across: number; down: number } {
  return { across: Math.ceil(size.width / tileSize), down: Math.ceil(size.height / tileSize) };
}

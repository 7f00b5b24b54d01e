/** Whether rectangles tile a grid. Pure. */

/** A rectangle of a tile grid. Tiles. */
export interface GridRect {
  readonly column: number;
  readonly row: number;
  readonly across: number;
  readonly down: number;
}

/** Tiles. */
export interface TileGrid {
  readonly tilesAcross: number;
  readonly tilesDown: number;
}

/** Throws RangeError unless the rectangle has tiles and all of them are the grid's. */
export function assertWithin({ tilesAcross, tilesDown }: TileGrid, rect: GridRect, level: number): void {
  const { column, row, across, down } = rect;
  const whole = [column, row, across, down].every((value) => Number.isSafeInteger(value));
  const within = column >= 0 && row >= 0 && column + across <= tilesAcross && row + down <= tilesDown;
  if (whole && within && across > 0 && down > 0) return;
  throw new RangeError(
    `Expected a run within ${tilesAcross} × ${tilesDown} tiles for level ${level} but received ${across} × ${down} at ${column}, ${row}`,
  );
}

/**
 * Throws RangeError unless every tile of the grid is in exactly one of the rectangles, which are within it. From the top
 * down, every rectangle must begin where its columns are filled to; the columns between two sides of rectangles are
 * counted as one, so time and memory depend on how many rectangles there are and not on the tiles.
 */
export function assertCoveredOnce(
  { tilesAcross, tilesDown }: TileGrid,
  rects: readonly GridRect[],
  level: number,
): void {
  const sides = new Set([0, tilesAcross, ...rects.flatMap(({ column, across }) => [column, column + across])]);
  const columns = [...sides].sort((a, b) => a - b);
  const places = new Map(columns.map((column, place) => [column, place]));
  const filled = new Array<number>(columns.length - 1).fill(0);
  for (const { column, row, across, down } of [...rects].sort((a, b) => a.row - b.row)) {
    const end = places.get(column + across) ?? 0;
    for (let place = places.get(column) ?? 0; place < end; place++) {
      if (filled[place] !== row) throw uncovered(level, columns[place], Math.min(row, filled[place] ?? row));
      filled[place] = row + down;
    }
  }
  const short = filled.findIndex((rows) => rows !== tilesDown);
  if (short >= 0) throw uncovered(level, columns[short], filled[short]);
}

function uncovered(level: number, column = 0, row = 0): RangeError {
  return new RangeError(
    `Expected every tile of level ${level} in one run but received none or two at ${column}, ${row}`,
  );
}

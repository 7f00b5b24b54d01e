/** Checks that rectangles cover a tile grid without gap and overlap. Pure. */

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

/** Throws RangeError unless the rectangle is not empty and lies within the grid. */
export function assertWithin({ tilesAcross, tilesDown }: TileGrid, rect: GridRect, level: number): void {
  const { column, row, across, down } = rect;
  const whole = [column, row, across, down].every((value) => Number.isSafeInteger(value));
  const within = column >= 0 && row >= 0 && column + across <= tilesAcross && row + down <= tilesDown;
  if (whole && within && across > 0 && down > 0) return;
  throw new RangeError(
    `Expected a run within ${tilesAcross} × ${tilesDown} tiles for level ${level} but received ${across} × ${down} tiles from column ${column}, row ${row}`,
  );
}

/**
 * Throws RangeError unless every tile of the grid is in exactly one of the rectangles, all of which
 * lie within it. The rectangles are taken from the top down; each must start at the row up to which
 * its columns are covered so far. Columns between two neighbouring rectangle edges are treated as
 * one, so time and memory depend on the number of rectangles and not on the number of tiles.
 */
export function assertCoveredOnce(
  { tilesAcross, tilesDown }: TileGrid,
  rects: readonly GridRect[],
  level: number,
): void {
  const edges = new Set([0, tilesAcross, ...rects.flatMap(({ column, across }) => [column, column + across])]);
  const columns = [...edges].sort((a, b) => a - b);
  const indices = new Map(columns.map((column, index) => [column, index]));
  const coveredRows = new Array<number>(columns.length - 1).fill(0);
  for (const { column, row, across, down } of [...rects].sort((a, b) => a.row - b.row)) {
    const end = indices.get(column + across) ?? 0;
    for (let index = indices.get(column) ?? 0; index < end; index++) {
      if (coveredRows[index] !== row) throw uncovered(level, columns[index], Math.min(row, coveredRows[index] ?? row));
      coveredRows[index] = row + down;
    }
  }
  const short = coveredRows.findIndex((rows) => rows !== tilesDown);
  if (short >= 0) throw uncovered(level, columns[short], coveredRows[short]);
}

function uncovered(level: number, column = 0, row = 0): RangeError {
  return new RangeError(
    `Expected every tile of level ${level} in exactly one run but received none or several for column ${column}, row ${row}`,
  );
}

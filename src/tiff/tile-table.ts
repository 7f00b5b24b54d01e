/** Where the tiles of one level are, told by runs of tiles; its two tables are written from those, a stretch at a time. */
import { PIECE_BYTES, type Section } from './head-pieces.ts';
import { FieldType } from './tags.ts';
import { assertCoveredOnce, assertWithin, type GridRect, type TileGrid } from './tile-coverage.ts';
import { valueWriter } from './value-writers.ts';

/** The tiles of one level within a tile bundle: a rectangle of the level's tile grid, row by row, back to back. */
export interface TileRun extends GridRect {
  readonly level: number;
  /** Bytes of each tile, row by row; `across · down` of them. */
  readonly byteCounts: Uint32Array | readonly number[];
}

interface PlacedRun extends TileRun {
  /** Where its first tile is. Bytes from the first tile of the file. */
  readonly start: number;
  /** The bytes of the run before tile 0, MARK_TILES, 2 · MARK_TILES, … */
  readonly marks: Float64Array;
}

/** A run's bytes are summed from the last mark on: a few adds for a stretch, a few bytes for a run. Tiles. */
const MARK_TILES = 1_024;

/** One of the two tables: its values, and the sections that write them. */
export interface TableValues {
  readonly type: number;
  readonly count: number;
  readonly bytes: number;
  sections(tilesAt: number): Section[];
}

export class TileTable {
  readonly #grid: TileGrid;
  readonly #level: number;
  readonly #runs: PlacedRun[] = [];

  constructor(grid: TileGrid, level: number) {
    this.#grid = grid;
    this.#level = level;
  }

  /**
   * Puts a run's tiles back to back from `start`, in bytes from the first tile of the file; returns where they end. Its
   * byte counts are read again later. Throws RangeError for what is no run of this level, and for a tile without bytes.
   */
  place(run: TileRun, start: number): number {
    const { across, down, byteCounts } = run;
    if (byteCounts.length !== across * down) {
      throw new RangeError(`Expected ${across * down} byte counts but received ${byteCounts.length}`);
    }
    if (byteCounts.length === 0) return start;
    assertWithin(this.#grid, run, this.#level);
    const marks = new Float64Array(Math.ceil(byteCounts.length / MARK_TILES));
    let bytes = 0;
    for (let tile = 0; tile < byteCounts.length; tile++) {
      if (tile % MARK_TILES === 0) marks[tile / MARK_TILES] = bytes;
      const count = byteCounts[tile] ?? 0;
      if (!(count > 0))
        throw new RangeError(`Expected bytes for tile ${tile} of a run of level ${this.#level} but received ${count}`);
      bytes += count;
    }
    this.#runs.push({ ...run, start, marks });
    return start + bytes;
  }

  /** Throws RangeError unless every tile is in one run. */
  assertCovered(): void {
    assertCoveredOnce(this.#grid, this.#runs, this.#level);
  }

  /** Where the tiles are when the first one of the file is at `tilesAt`: LONG or, in BigTIFF, LONG8. */
  offsets(bigTiff: boolean): TableValues {
    const [type, bytesPerValue] = bigTiff ? [FieldType.LONG8, 8] : [FieldType.LONG, 4];
    const write = valueWriter(type);
    return this.#values(type, bytesPerValue, (stretch, tilesAt, view, at) => {
      this.#forEachTile(stretch, (place, start) => {
        write(view, at + place * bytesPerValue, tilesAt + start);
      });
    });
  }

  /** How many bytes the tiles have: LONG. */
  byteCounts(): TableValues {
    const write = valueWriter(FieldType.LONG);
    return this.#values(FieldType.LONG, 4, (stretch, _, view, at) => {
      this.#forEachTile(stretch, (place, _start, bytes) => {
        write(view, at + place * 4, bytes);
      });
    });
  }

  #values(
    type: number,
    bytesPerValue: number,
    write: (stretch: GridRect, tilesAt: number, view: DataView, at: number) => void,
  ): TableValues {
    const count = this.#grid.tilesAcross * this.#grid.tilesDown;
    return {
      type,
      count,
      bytes: count * bytesPerValue,
      sections: (tilesAt) =>
        Array.from(stretches(this.#grid, Math.floor(PIECE_BYTES / bytesPerValue)), (stretch) => ({
          length: stretch.across * stretch.down * bytesPerValue,
          write: (view, at) => {
            write(stretch, tilesAt, view, at);
          },
        })),
    };
  }

  /** Calls `visit` with every tile of the stretch, run by run: its place in it, its start and its bytes. */
  #forEachTile(stretch: GridRect, visit: (place: number, start: number, bytes: number) => void): void {
    for (const run of this.#runs) {
      const top = Math.max(run.row, stretch.row);
      const bottom = Math.min(run.row + run.down, stretch.row + stretch.down);
      const left = Math.max(run.column, stretch.column);
      const right = Math.min(run.column + run.across, stretch.column + stretch.across);
      if (top >= bottom || left >= right) continue;
      // A stretch of several rows has whole rows: all that the run has between the first tile and the last.
      let tile = (top - run.row) * run.across + left - run.column;
      let start = run.start + bytesBefore(run, tile);
      for (let row = top; row < bottom; row++) {
        const rowPlace = (row - stretch.row) * stretch.across - stretch.column;
        for (let column = left; column < right; column++) {
          const bytes = run.byteCounts[tile++] ?? 0;
          visit(rowPlace + column, start, bytes);
          start += bytes;
        }
      }
    }
  }
}

function bytesBefore({ byteCounts, marks }: PlacedRun, tile: number): number {
  const mark = Math.floor(tile / MARK_TILES);
  let bytes = marks[mark] ?? 0;
  for (let before = mark * MARK_TILES; before < tile; before++) bytes += byteCounts[before] ?? 0;
  return bytes;
}

/** The grid in stretches of at most so many tiles: whole rows, or parts of one row where a row is longer. */
function* stretches({ tilesAcross, tilesDown }: TileGrid, tiles: number): Generator<GridRect> {
  const rows = Math.max(1, Math.floor(tiles / tilesAcross));
  for (let row = 0; row < tilesDown; row += rows) {
    const down = Math.min(rows, tilesDown - row);
    for (let column = 0; column < tilesAcross; column += tiles) {
      yield { column, row, across: Math.min(tiles, tilesAcross - column), down };
    }
  }
}

/**
 * The tile table of one level (TileOffsets and TileByteCounts), kept as runs of tiles. The values
 * of the two fields are generated from the runs on request, one band of the tile grid at a time.
 */
import { HEADER_PIECE_BYTES, type HeaderSection } from './header-pieces.ts';
import { FieldType } from './tags.ts';
import { assertCoveredOnce, assertWithin, type GridRect, type TileGrid } from './tile-coverage.ts';
import { valueWriter } from './value-writers.ts';

/**
 * The tiles of one level in a tile bundle: a rectangle of the tile grid, row by row, without gaps.
 */
export interface TileRun extends GridRect {
  readonly level: number;
  /** Bytes of each tile, row by row; `across · down` values. */
  readonly byteCounts: Uint32Array | readonly number[];
}

interface LocatedRun extends TileRun {
  /** Offset of the run's first tile from the first tile of the file. Bytes. */
  readonly start: number;
  /** Bytes of the run before its tile 0, SUM_INTERVAL, 2 · SUM_INTERVAL, … */
  readonly prefixSums: Float64Array;
}

/**
 * Distance between two stored prefix sums of a run: finding a tile's offset adds up at most this
 * many byte counts. Tiles.
 */
const SUM_INTERVAL = 1_024;

/** One of the two fields of the tile table, and the header sections that write its values. */
export interface TableValues {
  readonly type: number;
  readonly count: number;
  readonly bytes: number;
  /** `tilesAt`: offset of the first tile of the file. Bytes. */
  sections(tilesAt: number): HeaderSection[];
}

export class TileTable {
  readonly #grid: TileGrid;
  readonly #level: number;
  readonly #runs: LocatedRun[] = [];

  constructor(grid: TileGrid, level: number) {
    this.#grid = grid;
    this.#level = level;
  }

  /**
   * Adds a run whose tiles follow one another from `start`, in bytes from the first tile of the
   * file, and returns the end of its last tile. The byte counts are read again later.
   * Throws RangeError when the run does not lie within the grid or has a tile of no bytes.
   */
  append(run: TileRun, start: number): number {
    const { across, down, byteCounts } = run;
    if (byteCounts.length !== across * down) {
      throw new RangeError(`Expected ${across * down} byte counts but received ${byteCounts.length}`);
    }
    if (byteCounts.length === 0) return start;
    assertWithin(this.#grid, run, this.#level);
    const prefixSums = new Float64Array(Math.ceil(byteCounts.length / SUM_INTERVAL));
    let bytes = 0;
    for (let tile = 0; tile < byteCounts.length; tile++) {
      if (tile % SUM_INTERVAL === 0) prefixSums[tile / SUM_INTERVAL] = bytes;
      const count = byteCounts[tile] ?? 0;
      if (!(count > 0))
        throw new RangeError(`Expected bytes for tile ${tile} of a run of level ${this.#level} but received ${count}`);
      bytes += count;
    }
    this.#runs.push({ ...run, start, prefixSums });
    return start + bytes;
  }

  /** Throws RangeError unless every tile is in exactly one run. */
  assertCovered(): void {
    assertCoveredOnce(this.#grid, this.#runs, this.#level);
  }

  /** The TileOffsets field: LONG, or LONG8 in BigTIFF. */
  offsets(bigTiff: boolean): TableValues {
    const [type, bytesPerValue] = bigTiff ? [FieldType.LONG8, 8] : [FieldType.LONG, 4];
    const write = valueWriter(type);
    return this.#values(type, bytesPerValue, (band, tilesAt, view, at) => {
      this.#forEachTile(band, (index, start) => {
        write(view, at + index * bytesPerValue, tilesAt + start);
      });
    });
  }

  /** The TileByteCounts field: LONG. */
  byteCounts(): TableValues {
    const write = valueWriter(FieldType.LONG);
    return this.#values(FieldType.LONG, 4, (band, _, view, at) => {
      this.#forEachTile(band, (index, _start, bytes) => {
        write(view, at + index * 4, bytes);
      });
    });
  }

  #values(
    type: number,
    bytesPerValue: number,
    write: (band: GridRect, tilesAt: number, view: DataView, at: number) => void,
  ): TableValues {
    const count = this.#grid.tilesAcross * this.#grid.tilesDown;
    return {
      type,
      count,
      bytes: count * bytesPerValue,
      sections: (tilesAt) =>
        Array.from(bandsOf(this.#grid, Math.floor(HEADER_PIECE_BYTES / bytesPerValue)), (band) => ({
          length: band.across * band.down * bytesPerValue,
          write: (view, at) => {
            write(band, tilesAt, view, at);
          },
        })),
    };
  }

  /**
   * Calls `visit` for every tile of the band, run by run, with the tile's index in the band (row by
   * row), its offset from the first tile of the file and its length. Bytes.
   */
  #forEachTile(band: GridRect, visit: (index: number, start: number, bytes: number) => void): void {
    for (const run of this.#runs) {
      const top = Math.max(run.row, band.row);
      const bottom = Math.min(run.row + run.down, band.row + band.down);
      const left = Math.max(run.column, band.column);
      const right = Math.min(run.column + run.across, band.column + band.across);
      if (top >= bottom || left >= right) continue;
      // A band of several rows consists of whole rows, so the run's tiles in it are consecutive.
      let tile = (top - run.row) * run.across + left - run.column;
      let start = run.start + bytesBefore(run, tile);
      for (let row = top; row < bottom; row++) {
        const rowIndex = (row - band.row) * band.across - band.column;
        for (let column = left; column < right; column++) {
          const bytes = run.byteCounts[tile++] ?? 0;
          visit(rowIndex + column, start, bytes);
          start += bytes;
        }
      }
    }
  }
}

/** Bytes of the run's tiles before `tile`. */
function bytesBefore({ byteCounts, prefixSums }: LocatedRun, tile: number): number {
  const interval = Math.floor(tile / SUM_INTERVAL);
  let bytes = prefixSums[interval] ?? 0;
  for (let before = interval * SUM_INTERVAL; before < tile; before++) bytes += byteCounts[before] ?? 0;
  return bytes;
}

/**
 * Cuts the grid into bands of at most `tiles` tiles: whole rows, or parts of a row that is longer.
 */
function* bandsOf({ tilesAcross, tilesDown }: TileGrid, tiles: number): Generator<GridRect> {
  const rows = Math.max(1, Math.floor(tiles / tilesAcross));
  for (let row = 0; row < tilesDown; row += rows) {
    const down = Math.min(rows, tilesDown - row);
    for (let column = 0; column < tilesAcross; column += tiles) {
      yield { column, row, across: Math.min(tiles, tilesAcross - column), down };
    }
  }
}

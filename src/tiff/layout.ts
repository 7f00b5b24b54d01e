/**
 * Computes the position of every byte of a pyramid TIFF before any byte is written.
 *
 *     file header · IFDs, full size first, with arrays and blobs · bundle 0 · bundle 1 · …
 *
 * A tile bundle is an object of encoded tiles that is copied into the file whole: first the bundle
 * of the top levels, then one bundle per block. Within a bundle the smallest level comes first. The
 * first tile of every level therefore precedes the first tile of the next larger level. Together
 * with ascending IFDs ahead of all data, this is the order that readers of Cloud Optimized GeoTIFF
 * expect.
 */
import { CLASSIC_TIFF_BYTES } from '../limits.ts';
import { type HeaderPiece, headerPiecesOf, type HeaderSection, joinPieces } from './header-pieces.ts';
import { type TileRun, TileTable } from './tile-table.ts';
import { type LevelTable, WrittenDirectory } from './written-directory.ts';

/** The tiles of one tile bundle, in the order of its bytes. */
export interface TileBundle {
  readonly runs: readonly TileRun[];
}

export interface TiffLayout {
  readonly bigTiff: boolean;
  /**
   * File header, IFDs, arrays and blobs: all bytes before the first tile bundle. Making a piece
   * reads the byte counts of the runs, so those must not be changed or released before.
   */
  readonly headerPieces: readonly HeaderPiece[];
  /** Bytes of all header pieces. */
  readonly headerBytes: number;
  /** Offset of every tile bundle in the file. Bytes. */
  readonly bundleOffsets: readonly number[];
  /** Bytes of the whole file. */
  readonly size: number;
}

export interface HeaderRequest {
  readonly tileSize: number;
  /** Full size first. */
  readonly levels: readonly LevelTable[];
}

export interface LayoutRequest extends HeaderRequest {
  readonly bundles: readonly TileBundle[];
  /** True for BigTIFF, false for classic TIFF. Default: classic if the file ends below 4 GiB. */
  readonly bigTiff?: boolean;
}

/**
 * Lays out a little-endian file. Memory grows with the number of runs, not of tiles.
 * Throws RangeError when a tile of a level is in no run or in several, and when `bigTiff` is false
 * although the file would not end below 4 GiB.
 */
export function layoutTiff(request: LayoutRequest): TiffLayout {
  const tables = tablesOf(request);
  const { starts, bytes } = layOutBundles(tables, request.bundles);
  for (const table of tables) table.assertCovered();
  const header = new PyramidHeader(request, tables, request.bigTiff ?? false);
  if (header.bigTiff || header.bytes + bytes < CLASSIC_TIFF_BYTES) return layoutAfter(header, starts, bytes);
  if (request.bigTiff === undefined) return layoutAfter(new PyramidHeader(request, tables, true), starts, bytes);
  throw new RangeError(`Expected less than 4 GiB for a classic TIFF but received ${header.bytes + bytes} bytes`);
}

/** Length of the header, which does not depend on the sizes of the tiles. Bytes. */
export function headerBytes(request: HeaderRequest, bigTiff: boolean): number {
  return new PyramidHeader(request, tablesOf(request), bigTiff).bytes;
}

/** The whole header in memory. Intended for files with a header that is known to be small. */
export function joinHeader({ headerPieces }: Pick<TiffLayout, 'headerPieces'>): Uint8Array {
  return joinPieces(headerPieces);
}

function tablesOf({ levels }: HeaderRequest): TileTable[] {
  return levels.map((level, index) => new TileTable(level, index));
}

/** Lays the bundles back to back. Starts and total length in bytes from the end of the header. */
function layOutBundles(
  tables: readonly TileTable[],
  bundles: readonly TileBundle[],
): { starts: readonly number[]; bytes: number } {
  let bytes = 0;
  const starts = bundles.map((bundle) => {
    const start = bytes;
    for (const run of bundle.runs) bytes = tableOf(tables, run.level).append(run, bytes);
    return start;
  });
  return { starts, bytes };
}

function tableOf(tables: readonly TileTable[], level: number): TileTable {
  const table = tables[level];
  if (!table) throw new RangeError(`Expected a level below ${tables.length} but received ${level}`);
  return table;
}

function layoutAfter(header: PyramidHeader, starts: readonly number[], bytes: number): TiffLayout {
  return {
    bigTiff: header.bigTiff,
    headerPieces: headerPiecesOf(header.sections()),
    headerBytes: header.bytes,
    bundleOffsets: starts.map((start) => header.bytes + start),
    size: header.bytes + bytes,
  };
}

/** The file header and the chain of IFDs. */
class PyramidHeader {
  readonly bigTiff: boolean;
  readonly bytes: number;
  readonly #directories: readonly WrittenDirectory[];

  constructor({ levels, tileSize }: HeaderRequest, tables: readonly TileTable[], bigTiff: boolean) {
    this.bigTiff = bigTiff;
    this.#directories = levels.map(
      (level, index) => new WrittenDirectory(level, tileSize, tableOf(tables, index), bigTiff),
    );
    this.bytes = this.#directories.reduce((sum, { bytes }) => sum + bytes, this.#fileHeaderBytes);
  }

  sections(): HeaderSection[] {
    const fileHeader: HeaderSection = {
      length: this.#fileHeaderBytes,
      write: (view, at) => {
        writeFileHeader(view, at, this.bigTiff);
      },
    };
    let position = this.#fileHeaderBytes;
    const directories = this.#directories.map((directory, index) => {
      const end = position + directory.bytes;
      const next = index + 1 < this.#directories.length ? end : 0;
      const sections = directory.sections({ position, next, tilesAt: this.bytes });
      position = end;
      return sections;
    });
    return [fileHeader, ...directories.flat()];
  }

  get #fileHeaderBytes(): number {
    return this.bigTiff ? 16 : 8;
  }
}

/** The image file header: TIFF 6.0, section 2, and its BigTIFF form. */
function writeFileHeader(view: DataView, at: number, bigTiff: boolean): void {
  view.setUint16(at, 0x4949, true);
  view.setUint16(at + 2, bigTiff ? 43 : 42, true);
  if (bigTiff) {
    view.setUint16(at + 4, 8, true);
    view.setBigUint64(at + 8, 16n, true);
  } else {
    view.setUint32(at + 4, 8, true);
  }
}

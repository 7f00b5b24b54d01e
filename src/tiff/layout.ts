/**
 * Where every byte of a pyramid TIFF goes, computed before one is written.
 *
 *     header · every IFD, full size first, with its arrays and blobs · tile bundle 0 · tile bundle 1 · …
 *
 * A tile bundle is an object of encoded tiles that is copied as a whole: first that of the top levels, then one per block.
 * Within each, the smallest level comes first. The first tile of every level therefore precedes that of the next larger
 * level, which together with ascending IFDs ahead of all data is what readers of Cloud Optimized TIFF expect.
 */
import { CLASSIC_TIFF_BYTES } from '../limits.ts';
import { type HeadPiece, joinPieces, piecesOf, type Section } from './head-pieces.ts';
import { type TileRun, TileTable } from './tile-table.ts';
import { type LevelTable, WrittenDirectory } from './written-directory.ts';

/** The tiles of one object, as runs in the order in which they are stored. */
export interface TileBundle {
  readonly runs: readonly TileRun[];
}

export interface TiffLayout {
  readonly bigTiff: boolean;
  /** Header, IFDs, arrays and blobs: the bytes before the first tile bundle. They are made from the runs, which must stay. */
  readonly headPieces: readonly HeadPiece[];
  /** Of all head pieces. */
  readonly headBytes: number;
  /** Offset of each tile bundle. Bytes. */
  readonly bundleOffsets: readonly number[];
  /** Bytes of the whole file. */
  readonly size: number;
}

export interface HeadRequest {
  readonly tileSize: number;
  /** Full size first. */
  readonly levels: readonly LevelTable[];
}

export interface LayoutRequest extends HeadRequest {
  readonly bundles: readonly TileBundle[];
  /** A BigTIFF, or a classic file, whatever its size; otherwise classic when it ends below 4 GiB. */
  readonly bigTiff?: boolean;
}

/**
 * Lays out a little-endian file. Takes memory for runs, not for tiles.
 * Throws RangeError when the runs leave a tile of a level uncovered or cover one twice, and when a file that is to be
 * classic would not end below 4 GiB.
 */
export function layoutTiff(request: LayoutRequest): TiffLayout {
  const tables = tablesOf(request);
  const { starts, bytes } = placeBundles(tables, request.bundles);
  for (const table of tables) table.assertCovered();
  const head = new Head(request, tables, request.bigTiff ?? false);
  if (head.bigTiff || head.bytes + bytes < CLASSIC_TIFF_BYTES) return layoutBehind(head, starts, bytes);
  if (request.bigTiff === undefined) return layoutBehind(new Head(request, tables, true), starts, bytes);
  throw new RangeError(`Expected less than 4 GiB for a classic TIFF but received ${head.bytes + bytes} bytes`);
}

/** How long the head will be, whatever the tiles. Bytes. */
export function headBytes(request: HeadRequest, bigTiff: boolean): number {
  return new Head(request, tablesOf(request), bigTiff).bytes;
}

/** The head in memory, for files of which it is known that it is small. */
export function wholeHead({ headPieces }: Pick<TiffLayout, 'headPieces'>): Uint8Array {
  return joinPieces(headPieces);
}

function tablesOf({ levels }: HeadRequest): TileTable[] {
  return levels.map((level, index) => new TileTable(level, index));
}

/** Places tile bundles back to back. Offsets in bytes from the end of the head. */
function placeBundles(
  tables: readonly TileTable[],
  bundles: readonly TileBundle[],
): { starts: readonly number[]; bytes: number } {
  let bytes = 0;
  const starts = bundles.map((bundle) => {
    const start = bytes;
    for (const run of bundle.runs) bytes = tableOf(tables, run.level).place(run, bytes);
    return start;
  });
  return { starts, bytes };
}

function tableOf(tables: readonly TileTable[], level: number): TileTable {
  const table = tables[level];
  if (!table) throw new RangeError(`Expected a level below ${tables.length} but received ${level}`);
  return table;
}

function layoutBehind(head: Head, starts: readonly number[], bytes: number): TiffLayout {
  return {
    bigTiff: head.bigTiff,
    headPieces: piecesOf(head.sections()),
    headBytes: head.bytes,
    bundleOffsets: starts.map((start) => head.bytes + start),
    size: head.bytes + bytes,
  };
}

/** Header and IFDs, each naming the next. */
class Head {
  readonly bigTiff: boolean;
  readonly bytes: number;
  readonly #directories: readonly WrittenDirectory[];

  constructor({ levels, tileSize }: HeadRequest, tables: readonly TileTable[], bigTiff: boolean) {
    this.bigTiff = bigTiff;
    this.#directories = levels.map(
      (level, index) => new WrittenDirectory(level, tileSize, tableOf(tables, index), bigTiff),
    );
    this.bytes = this.#directories.reduce((sum, { bytes }) => sum + bytes, this.#headerBytes);
  }

  sections(): Section[] {
    const header: Section = {
      length: this.#headerBytes,
      write: (view, at) => {
        writeHeader(view, at, this.bigTiff);
      },
    };
    let position = this.#headerBytes;
    const directories = this.#directories.map((directory, index) => {
      const end = position + directory.bytes;
      const next = index + 1 < this.#directories.length ? end : 0;
      const sections = directory.sections({ position, next, tilesAt: this.bytes });
      position = end;
      return sections;
    });
    return [header, ...directories.flat()];
  }

  get #headerBytes(): number {
    return this.bigTiff ? 16 : 8;
  }
}

function writeHeader(view: DataView, at: number, bigTiff: boolean): void {
  view.setUint16(at, 0x4949, true);
  view.setUint16(at + 2, bigTiff ? 43 : 42, true);
  if (bigTiff) {
    view.setUint16(at + 4, 8, true);
    view.setBigUint64(at + 8, 16n, true);
  } else {
    view.setUint32(at + 4, 8, true);
  }
}

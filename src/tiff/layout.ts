/**
 * Where every byte of a pyramid TIFF goes, computed before one is written.
 *
 *     header · every IFD, full size first, with its arrays and blobs · segment 0 · segment 1 · …
 *
 * A segment is an object of encoded tiles that is copied in whole: first the apex, then block after block. Within each,
 * the smallest level comes first. So the first tile of every level stands before that of the next larger one, which
 * together with ascending IFDs ahead of all data is what readers of Cloud Optimized TIFF expect.
 */
import { CLASSIC_TIFF_BYTES } from '../limits.ts';
import { type LevelTable, type TileRun, WrittenDirectory } from './written-directory.ts';

export interface Segment {
  readonly runs: readonly TileRun[];
}

export interface TiffLayout {
  readonly bigTiff: boolean;
  /** Header, IFDs, arrays and blobs: the bytes before the first segment. */
  readonly head: Uint8Array;
  /** Where each segment starts. */
  readonly segmentOffsets: readonly number[];
  /** Bytes of the whole file. */
  readonly size: number;
}

export interface LayoutRequest {
  readonly tileSize: number;
  /** Full size first. */
  readonly levels: readonly LevelTable[];
  readonly segments: readonly Segment[];
}

/**
 * Lays out a little-endian file: classic when it ends below 4 GiB, BigTIFF when it does not.
 * Throws RangeError when the runs leave a tile of a level uncovered or cover one twice.
 */
export function layoutTiff(request: LayoutRequest): TiffLayout {
  const classic = layoutAs(request, false);
  return classic.size < CLASSIC_TIFF_BYTES ? classic : layoutAs(request, true);
}

function layoutAs(request: LayoutRequest, bigTiff: boolean): TiffLayout {
  const directories = request.levels.map((level) => new WrittenDirectory(level, request.tileSize, bigTiff));
  let position = bigTiff ? 16 : 8;
  for (const directory of directories) position = directory.place(position);
  const headBytes = position;
  const segmentOffsets = request.segments.map((segment) => {
    const start = position;
    for (const run of segment.runs) position = tableOf(directories, run.level).cover(run, position);
    return start;
  });
  for (const [level, directory] of directories.entries()) directory.assertCovered(level);
  if (!bigTiff && position >= CLASSIC_TIFF_BYTES)
    return { bigTiff, head: new Uint8Array(), segmentOffsets, size: position };
  return { bigTiff, head: writeHead(directories, headBytes, bigTiff), segmentOffsets, size: position };
}

function tableOf(directories: readonly WrittenDirectory[], level: number): WrittenDirectory {
  const directory = directories[level];
  if (!directory) throw new RangeError(`Expected a level below ${directories.length} but received ${level}`);
  return directory;
}

/** Header and IFDs, each naming the next: `bytes` of them in all. */
export function writeHead(directories: readonly WrittenDirectory[], bytes: number, bigTiff: boolean): Uint8Array {
  const head = new Uint8Array(bytes);
  const view = new DataView(head.buffer);
  view.setUint16(0, 0x4949, true);
  view.setUint16(2, bigTiff ? 43 : 42, true);
  if (bigTiff) {
    view.setUint16(4, 8, true);
    view.setBigUint64(8, 16n, true);
  } else {
    view.setUint32(4, 8, true);
  }
  directories.forEach((directory, index) => {
    directory.write(view, directories[index + 1]?.position ?? 0);
  });
  return head;
}

/** The chunks that cover a window of the stored image. */
import { MalformedTiffError } from '../errors.ts';
import { type NumberedChunk, readChunkRanges } from './chunk-ranges.ts';
import type { DirectoryInfo } from './directory-info.ts';
import type { Directory, TiffFile } from './read.ts';
import type { StoredRect } from './slice-header.ts';

/** The chunks of a slice. Columns and rows of chunks; ends exclusive. */
export interface SliceGrid {
  readonly columns: readonly [number, number];
  readonly rows: readonly [number, number];
  readonly rect: StoredRect;
}

/** Widens a window to whole chunks. */
export function gridOf(info: DirectoryInfo, window: StoredRect): SliceGrid {
  const { chunks } = info;
  const columns = [Math.floor(window.left / chunks.width), Math.ceil(window.right / chunks.width)] as const;
  const rows = [Math.floor(window.top / chunks.height), Math.ceil(window.bottom / chunks.height)] as const;
  const whole: StoredRect = {
    left: columns[0] * chunks.width,
    right: columns[1] * chunks.width,
    top: rows[0] * chunks.height,
    bottom: rows[1] * chunks.height,
  };
  return { columns, rows, rect: chunks.kind === 'tiles' ? whole : withinImage(whole, info) };
}

/**
 * Clips strips to the image. Tiles are not clipped: libvips refuses an image much smaller than its
 * tiles.
 */
function withinImage(rect: StoredRect, { width, height }: DirectoryInfo): StoredRect {
  return { ...rect, right: Math.min(rect.right, width), bottom: Math.min(rect.bottom, height) };
}

/**
 * Ranges of the chunks, plane after plane, row after row: the order of the slice's own chunk table.
 */
export async function readGrid(
  file: TiffFile,
  directory: Directory,
  info: DirectoryInfo,
  { columns, rows }: Pick<SliceGrid, 'columns' | 'rows'>,
): Promise<NumberedChunk[]> {
  const { across, down } = info.chunks;
  const ranges: NumberedChunk[] = [];
  const run = columns[1] - columns[0];
  // The entries of whole rows of chunks are adjacent in the table and are read together.
  const rowsAtOnce = run === across ? rows[1] - rows[0] : 1;
  for (let plane = 0; plane < (info.planar ? info.samplesPerPixel : 1); plane++) {
    for (let row = rows[0]; row < rows[1]; row += rowsAtOnce) {
      const first = plane * across * down + row * across + columns[0];
      for (const range of await readChunkRanges(file, directory, info, first, run * rowsAtOnce)) {
        assertWithinFile(file, range);
        ranges.push(range);
      }
    }
  }
  return ranges;
}

function assertWithinFile(file: TiffFile, { index, offset, byteCount }: NumberedChunk): void {
  if (offset + byteCount <= file.reader.size) return;
  throw new MalformedTiffError(
    `Expected an end within ${file.reader.size} bytes for chunk ${index} but received 0x${(offset + byteCount).toString(16)}`,
  );
}

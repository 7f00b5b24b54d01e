/** TIFFs of YCbCr samples in data units, without JPEG (TIFF 6.0, section 21). */
import { deflateSync } from 'node:zlib';
import { chunkFields, type HandField, handTiff, long, short } from './tiff-bytes.ts';

export interface YccTiff {
  readonly width: number;
  readonly height: number;
  readonly across: number;
  readonly down: number;
  /** Rows of a strip, a multiple of `down`; or the side of tiles. */
  readonly rows?: number;
  readonly tile?: number;
  readonly deflate?: boolean;
  readonly more?: readonly HandField[];
  /** Luma (band 0), Cb (1) and Cr (2); chroma is asked for at the first pixel that shares it. */
  readonly sample: (x: number, y: number, band: 0 | 1 | 2) => number;
}

export function yccTiff(image: YccTiff): Uint8Array {
  const { width, height, across, down, rows = height, tile, deflate = false, more = [] } = image;
  const [chunkWidth, chunkHeight] = tile ? [tile, tile] : [width, rows];
  const chunks: Uint8Array[] = [];
  for (let top = 0; top < height; top += chunkHeight) {
    for (let left = 0; left < width; left += chunkWidth) {
      const lines = tile ? tile : Math.min(rows, height - top);
      const bytes = unitsOf(image, { left, top, columns: chunkWidth, lines });
      chunks.push(deflate ? deflateSync(bytes) : bytes);
    }
  }
  const fields = [
    ...[long(256, width), long(257, height), short(258, 8, 8, 8), short(259, deflate ? 8 : 1)],
    ...[short(262, 6), short(277, 3), short(530, across, down), ...chunkFields(chunks, { rows, tile }), ...more],
  ].sort((a, b) => a.tag - b.tag);
  return handTiff({ data: Buffer.concat(chunks), directories: [fields] });
}

function unitsOf(
  { across, down, sample }: YccTiff,
  { left, top, columns, lines }: { left: number; top: number; columns: number; lines: number },
): Uint8Array {
  const bytes: number[] = [];
  for (let y = top; y < top + lines; y += down) {
    for (let x = left; x < left + columns; x += across) {
      for (let row = y; row < y + down; row++) for (let at = x; at < x + across; at++) bytes.push(sample(at, row, 0));
      bytes.push(sample(x, y, 1), sample(x, y, 2));
    }
  }
  return Uint8Array.from(bytes);
}

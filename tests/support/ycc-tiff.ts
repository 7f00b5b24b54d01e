/** TIFFs of YCbCr samples in data units, without JPEG (TIFF 6.0, section 21). */
import { deflateSync } from 'node:zlib';
import { chunkFields, type HandField, handTiff, long, short, withFields } from './tiff-bytes.ts';

export interface YccTiff {
  readonly width: number;
  readonly height: number;
  readonly across: number;
  readonly down: number;
  /** Rows of a strip, a multiple of `down`; or the side of tiles. */
  readonly rows?: number;
  readonly tile?: number;
  readonly deflate?: boolean;
  /** Luma, Cb and Cr in separate planes. */
  readonly planar?: boolean;
  /** Horizontal differencing, of planes. */
  readonly predictor?: boolean;
  readonly more?: readonly HandField[];
  /** Luma (band 0), Cb (1) and Cr (2); chroma is asked for at the first pixel that shares it. */
  readonly sample: (x: number, y: number, band: 0 | 1 | 2) => number;
}

export function yccTiff(image: YccTiff): Uint8Array {
  const { width, height, across, down, rows = height, tile, deflate = false, planar = false, more = [] } = image;
  const [chunkWidth, chunkHeight] = tile ? [tile, tile] : [width, rows];
  const chunks: Uint8Array[] = [];
  for (const plane of planar ? ([0, 1, 2] as const) : [undefined]) {
    for (let top = 0; top < height; top += chunkHeight) {
      for (let left = 0; left < width; left += chunkWidth) {
        const lines = tile ? tile : Math.min(rows, height - top);
        const place = { left, top, columns: chunkWidth, lines };
        const bytes = plane === undefined ? unitsOf(image, place) : planeOf(image, place, plane);
        chunks.push(deflate ? deflateSync(bytes) : bytes);
      }
    }
  }
  const fields = withFields(
    [
      ...[long(256, width), long(257, height), short(258, 8, 8, 8), short(259, deflate ? 8 : 1)],
      ...[short(262, 6), short(277, 3), short(530, across, down), short(284, planar ? 2 : 1)],
      ...[short(317, image.predictor ? 2 : 1), ...chunkFields(chunks, { rows, tile })],
    ],
    ...more,
  );
  return handTiff({ data: Buffer.concat(chunks), directories: [fields] });
}

interface Place {
  readonly left: number;
  readonly top: number;
  readonly columns: number;
  readonly lines: number;
}

function planeOf({ across, down, sample, predictor }: YccTiff, place: Place, plane: 0 | 1 | 2): Uint8Array {
  const { left, top, columns, lines } = place;
  const [right, below] = plane === 0 ? [1, 1] : [across, down];
  const bytes: number[] = [];
  for (let y = top; y < top + lines; y += below) {
    let before = 0;
    for (let x = left; x < left + columns; x += right) {
      const value = sample(x, y, plane);
      bytes.push(predictor ? (value - before) & 255 : value);
      before = value;
    }
  }
  return Uint8Array.from(bytes);
}

function unitsOf({ across, down, sample }: YccTiff, { left, top, columns, lines }: Place): Uint8Array {
  const bytes: number[] = [];
  for (let y = top; y < top + lines; y += down) {
    for (let x = left; x < left + columns; x += across) {
      for (let row = y; row < y + down; row++) for (let at = x; at < x + across; at++) bytes.push(sample(at, row, 0));
      bytes.push(sample(x, y, 1), sample(x, y, 2));
    }
  }
  return Uint8Array.from(bytes);
}

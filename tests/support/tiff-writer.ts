/**
 * Writes TIFFs of every layout that libvips does not write: big-endian, planar, planar tiles, one
 * strip, padded strips.
 */
import { deflateSync } from 'node:zlib';

export interface PlainTiff {
  readonly width: number;
  readonly height: number;
  /** 1 grey, 2 grey and alpha, 3 RGB, 4 RGB and alpha. */
  readonly samples: number;
  /** 8 or 16. */
  readonly bits: number;
  readonly bigEndian?: boolean;
  readonly bigTiff?: boolean;
  readonly planar?: boolean;
  readonly rowsPerStrip: number;
  /** Tiles of this size instead of strips. Their edges are filled with 0xaa. */
  readonly tile?: { readonly width: number; readonly height: number };
  /** Deflate, with horizontal differencing where `predictor` is 2. Uncompressed otherwise. */
  readonly deflate?: { readonly predictor: 1 | 2 };
  /** Unused bytes between one strip or tile and the next. */
  readonly gap?: number;
  readonly orientation?: number;
  /** Strips or tiles are written in reverse order. */
  readonly reversed?: boolean;
}

type Sample = (x: number, y: number, band: number) => number;

/** `sample(x, y, band)` gives the pixels. */
export function writePlainTiff(tiff: PlainTiff, sample: Sample): Buffer {
  const { samples, bigEndian = false, bigTiff = false, planar = false } = tiff;
  const bands = Array.from({ length: samples }, (_, band) => band);
  const segments = (planar ? bands.map((band) => [band]) : [bands]).flatMap((plane) => segmentsOf(tiff, plane, sample));
  const data: Buffer[] = [];
  let position = bigTiff ? 16 : 8;
  const offsets = segments.map(() => 0);
  for (const index of tiff.reversed ? [...segments.keys()].reverse() : segments.keys()) {
    const segment = segments[index] ?? Buffer.alloc(0);
    offsets[index] = position;
    const padded = Buffer.alloc(segment.length + (tiff.gap ?? 0), 0xaa);
    segment.copy(padded);
    data.push(padded);
    position += padded.length;
  }
  const pad = Buffer.alloc(position % 2);
  position += pad.length;
  const lengths = segments.map((segment) => segment.length);
  const fields = fieldsOf(tiff, offsets, lengths);
  return Buffer.concat([
    header(!bigEndian, bigTiff, position),
    ...data,
    pad,
    directory(fields, !bigEndian, bigTiff, position),
  ]);
}

type Field = [tag: number, type: number, values: number[]];

function fieldsOf(tiff: PlainTiff, offsets: number[], lengths: number[]): Field[] {
  const { width, height, samples, bits, rowsPerStrip, tile } = tiff;
  const pointer = tiff.bigTiff ? 16 : 4;
  const cut: Field[] = tile
    ? [
        [322, 3, [tile.width]],
        [323, 3, [tile.height]],
        [324, pointer, offsets],
        [325, pointer, lengths],
      ]
    : [
        [273, pointer, offsets],
        [278, 3, [Math.min(rowsPerStrip, 65_535)]],
        [279, pointer, lengths],
      ];
  const alpha: Field[] = samples % 2 === 0 ? [[338, 3, [2]]] : [];
  const fields: Field[] = [
    [256, 4, [width]],
    [257, 4, [height]],
    [258, 3, Array.from({ length: samples }, () => bits)],
    [259, 3, [tiff.deflate ? 8 : 1]],
    [262, 3, [samples >= 3 ? 2 : 1]],
    [274, 3, [tiff.orientation ?? 1]],
    [277, 3, [samples]],
    [284, 3, [tiff.planar ? 2 : 1]],
    [317, 3, [tiff.deflate?.predictor ?? 1]],
    ...cut,
    ...alpha,
  ];
  return fields.sort(([a], [b]) => a - b);
}

/** The strips or tiles of one plane, row by row. */
function segmentsOf(tiff: PlainTiff, plane: readonly number[], sample: Sample): Buffer[] {
  const { width, height, rowsPerStrip, tile } = tiff;
  const step = tile ?? { width, height: rowsPerStrip };
  const segments: Buffer[] = [];
  for (let top = 0; top < height; top += step.height) {
    for (let left = 0; left < width; left += step.width) {
      const rows = tile ? tile.height : Math.min(rowsPerStrip, height - top);
      segments.push(segmentOf(tiff, { left, top, columns: step.width, rows }, plane, sample));
    }
  }
  return segments;
}

function segmentOf(
  { width, height, bits, bigEndian = false, deflate }: PlainTiff,
  { left, top, columns, rows }: { left: number; top: number; columns: number; rows: number },
  plane: readonly number[],
  sample: Sample,
): Buffer {
  const bytes = Buffer.alloc(rows * columns * plane.length * (bits / 8), 0xaa);
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  let at = 0;
  for (let y = top; y < top + rows; y++) {
    const before = plane.map(() => 0);
    for (let x = left; x < left + columns; x++) {
      for (const [index, band] of plane.entries()) {
        const isInside = x < width && y < height;
        const value = isInside ? sample(x, y, band) : bits === 16 ? 0xaaaa : 0xaa;
        const written = deflate?.predictor === 2 ? value - (before[index] ?? 0) : value;
        before[index] = value;
        if (bits === 16) view.setUint16(at, written, !bigEndian);
        else view.setUint8(at, written);
        at += bits / 8;
      }
    }
  }
  return deflate ? deflateSync(bytes) : bytes;
}

function header(little: boolean, bigTiff: boolean, directoryAt: number): Buffer {
  const bytes = Buffer.alloc(bigTiff ? 16 : 8);
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  view.setUint16(0, little ? 0x4949 : 0x4d4d, true);
  view.setUint16(2, bigTiff ? 43 : 42, little);
  if (bigTiff) {
    view.setUint16(4, 8, little);
    view.setBigUint64(8, BigInt(directoryAt), little);
  } else view.setUint32(4, directoryAt, little);
  return bytes;
}

function directory(fields: readonly Field[], little: boolean, big: boolean, at: number): Buffer {
  const size = (type: number): number => ({ 3: 2, 4: 4, 16: 8 })[type] ?? 1;
  const pointer = big ? 8 : 4;
  const tableBytes = (big ? 8 : 2) + fields.length * (4 + 2 * pointer) + pointer;
  const extra = fields.reduce((sum, [, type, values]) => sum + values.length * size(type), 0);
  const bytes = Buffer.alloc(tableBytes + extra);
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  const put = (where: number, type: number, value: number): void => {
    if (type === 3) view.setUint16(where, value, little);
    else if (type === 4) view.setUint32(where, value, little);
    else view.setBigUint64(where, BigInt(value), little);
  };
  put(0, big ? 16 : 3, fields.length);
  let entry = big ? 8 : 2;
  let free = tableBytes;
  for (const [tag, type, values] of fields) {
    put(entry, 3, tag);
    put(entry + 2, 3, type);
    put(entry + 4, big ? 16 : 4, values.length);
    const inline = values.length * size(type) <= pointer;
    if (!inline) put(entry + 4 + pointer, big ? 16 : 4, at + free);
    values.forEach((value, index) => {
      put((inline ? entry + 4 + pointer : free) + index * size(type), type, value);
    });
    if (!inline) free += values.length * size(type);
    entry += 4 + 2 * pointer;
  }
  return bytes;
}

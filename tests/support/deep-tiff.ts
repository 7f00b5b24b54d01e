/** Hand-made TIFFs of samples of any depth, signed, and floating point. */
import { deflateSync, zstdCompressSync } from 'node:zlib';
import { strips } from './odd-tiffs.ts';
import { chunkFields, type HandField, handTiff, long, short } from './tiff-bytes.ts';

/** Size of the pictures. Pixels. */
export const width = 37;
export const height = 29;

export type Value = (x: number, y: number, band: number) => number;

/** How samples are stored. */
export interface Kind {
  readonly bits: number;
  /** 1 unsigned, 2 signed, 3 floating point. */
  readonly format?: 1 | 2 | 3;
  /** Samples of a pixel; more than 3 are RGB and others. */
  readonly bands?: number;
  readonly little?: boolean;
  readonly planar?: boolean;
  readonly rows?: number;
  /** Side of tiles; strips of `rows` rows if absent. */
  readonly tile?: number;
  readonly compression?: 'none' | 'deflate' | 'zstd';
  readonly predictor?: 1 | 2 | 3;
  readonly whiteIsZero?: boolean;
  readonly more?: readonly HandField[];
}

export const codes = { none: 1, deflate: 8, zstd: 50_000 } as const;

/** One row of samples, from the highest bit on where they are not whole bytes. */
function packRow(values: readonly number[], { bits, format = 1, little = true }: Kind): Uint8Array {
  const bytes = new Uint8Array(Math.ceil((values.length * bits) / 8));
  const view = new DataView(bytes.buffer);
  values.forEach((value, index) => {
    const at = (index * bits) / 8;
    if (format === 3 && bits === 16) view.setFloat16(at, value, little);
    else if (format === 3 && bits === 32) view.setFloat32(at, value, little);
    else if (format === 3) view.setFloat64(at, value, little);
    else if (bits === 16) view.setUint16(at, value, little);
    else if (bits === 32) view.setUint32(at, value, little);
    else if (bits === 24) {
      for (let byte = 0; byte < 3; byte++)
        bytes[at + (little ? byte : 2 - byte)] = Math.floor(value / 256 ** byte) & 255;
    } else {
      for (let bit = 0; bit < bits; bit++) {
        const place = index * bits + bit;
        if ((value >> (bits - 1 - bit)) & 1) bytes[place >> 3] = (bytes[place >> 3] ?? 0) | (0x80 >> (place & 7));
      }
    }
  });
  return bytes;
}

/** Horizontal differencing of integers of 8, 16 or 32 bits. */
function differences(values: readonly number[], bands: number, bits: number): number[] {
  return values.map((value, at) => (at < bands ? value : (value - (values[at - bands] ?? 0)) & (2 ** bits - 1)));
}

/** Predictor 3: the highest bytes of all samples first, then differences of bytes. */
function floatDifferences(row: Uint8Array, bands: number, { bits, little = true }: Kind): Uint8Array {
  const step = bits / 8;
  const count = row.length / step;
  const planes = row.map((_, at) => {
    const [byte, sample] = [Math.floor(at / count), at % count];
    return row[sample * step + (little ? step - 1 - byte : byte)] ?? 0;
  });
  return planes.map((value, at) => (at < bands ? value : value - (planes[at - bands] ?? 0)));
}

/** `value` returns stored samples; of signed ones of integers their bits. */
export function tiffOf(kind: Kind, value: Value): Uint8Array {
  const { bits, format = 1, bands = 1, little = true, planar = false, rows = 8, tile, predictor = 1 } = kind;
  const compression = kind.compression ?? 'none';
  const [across, down] = tile ? [tile, tile] : [width, rows];
  const chunks: Uint8Array[] = [];
  for (const plane of planar
    ? Array.from({ length: bands }, (_, band) => [band])
    : [Array.from({ length: bands }, (_, band) => band)]) {
    for (let top = 0; top < height; top += down) {
      for (let left = 0; left < width; left += across) {
        const lines = tile ? tile : Math.min(rows, height - top);
        const packed = Array.from({ length: lines }, (_, y) => {
          const line = Array.from({ length: across }, (__, x) =>
            plane.map((band) => value(left + x, top + y, band)),
          ).flat();
          const row = packRow(predictor === 2 ? differences(line, plane.length, bits) : line, kind);
          return predictor === 3 ? floatDifferences(row, plane.length, kind) : row;
        });
        const bytes = Buffer.concat(packed);
        chunks.push(
          compression === 'none' ? bytes : compression === 'zstd' ? zstdCompressSync(bytes) : deflateSync(bytes),
        );
      }
    }
  }
  const fields = [
    ...[long(256, width), long(257, height), short(277, bands), short(262, bands >= 3 ? 2 : kind.whiteIsZero ? 0 : 1)],
    ...[short(258, ...Array.from({ length: bands }, () => bits)), short(259, codes[compression])],
    ...[short(284, planar ? 2 : 1), short(317, predictor), short(339, ...Array.from({ length: bands }, () => format))],
    ...chunkFields(chunks, { rows, tile }),
    ...(kind.more ?? []),
  ].sort((a, b) => a.tag - b.tag);
  return handTiff({ littleEndian: little, data: Buffer.concat(chunks), directories: [fields] });
}

/** The samples of the whole picture, row by row. */
export function samplesOf(bands: number, sample: Value): number[] {
  return Array.from({ length: width * height * bands }, (_, at) => {
    const pixel = Math.floor(at / bands);
    return sample(pixel % width, Math.floor(pixel / width), at % bands);
  });
}

/** A grey TIFF of 32-bit floating point in uncompressed strips. */
export function floatTiff(
  values: Float32Array,
  image: { readonly width: number; readonly height: number; readonly rows: number },
  ...fields: readonly HandField[]
): Uint8Array {
  const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
  const rowBytes = 4 * image.width * image.rows;
  const chunks = Array.from({ length: Math.ceil(image.height / image.rows) }, (_, strip) =>
    bytes.subarray(strip * rowBytes, (strip + 1) * rowBytes),
  );
  return strips({ ...image, compression: 1, chunks }, short(258, 32), short(339, 3), ...fields);
}

/** Writes uncompressed TIFFs of every layout that libvips does not write: big-endian, planar, one strip, padded strips. */

export interface PlainTiff {
  readonly width: number;
  readonly height: number;
  readonly samples: number;
  /** 8 or 16. */
  readonly bits: number;
  readonly bigEndian?: boolean;
  readonly bigTiff?: boolean;
  readonly planar?: boolean;
  readonly rowsPerStrip: number;
  /** Unused bytes between one strip and the next. */
  readonly gap?: number;
  readonly orientation?: number;
  /** The strips stand in the file in reverse. */
  readonly reversed?: boolean;
}

/** `sample(x, y, band)` gives the pixels. */
export function writePlainTiff(tiff: PlainTiff, sample: (x: number, y: number, band: number) => number): Buffer {
  const { width, height, samples, bits, bigEndian = false, bigTiff = false, planar = false, rowsPerStrip } = tiff;
  const little = !bigEndian;
  const strips: Buffer[] = [];
  const bands = Array.from({ length: samples }, (_, band) => band);
  for (const plane of planar ? bands.map((band) => [band]) : [bands]) {
    for (let top = 0; top < height; top += rowsPerStrip) {
      const rows = Math.min(rowsPerStrip, height - top);
      const strip = Buffer.alloc(rows * width * plane.length * (bits / 8));
      const view = new DataView(strip.buffer, strip.byteOffset);
      let at = 0;
      for (let y = top; y < top + rows; y++) {
        for (let x = 0; x < width; x++) {
          for (const band of plane) {
            if (bits === 16) view.setUint16(at, sample(x, y, band), little);
            else view.setUint8(at, sample(x, y, band));
            at += bits / 8;
          }
        }
      }
      strips.push(strip);
    }
  }
  const data: Buffer[] = [];
  let position = bigTiff ? 16 : 8;
  const offsets = strips.map(() => 0);
  for (const index of tiff.reversed ? [...strips.keys()].reverse() : strips.keys()) {
    const strip = strips[index] ?? Buffer.alloc(0);
    offsets[index] = position;
    const padded = Buffer.alloc(strip.length + (tiff.gap ?? 0), 0xaa);
    strip.copy(padded);
    data.push(padded);
    position += padded.length;
  }
  const pad = Buffer.alloc(position % 2);
  position += pad.length;
  const pointer = bigTiff ? 16 : 4;
  const fields: [number, number, number[]][] = [
    [256, 4, [width]],
    [257, 4, [height]],
    [258, 3, bands.map(() => bits)],
    [259, 3, [1]],
    [262, 3, [samples >= 3 ? 2 : 1]],
    [273, pointer, offsets],
    [274, 3, [tiff.orientation ?? 1]],
    [277, 3, [samples]],
    [278, 3, [Math.min(rowsPerStrip, 65_535)]],
    [279, pointer, strips.map((strip) => strip.length)],
    [284, 3, [planar ? 2 : 1]],
  ];
  return Buffer.concat([header(little, bigTiff, position), ...data, pad, directory(fields, little, bigTiff, position)]);
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

function directory(fields: readonly [number, number, number[]][], little: boolean, big: boolean, at: number): Buffer {
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

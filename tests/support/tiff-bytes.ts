/** Writes handmade TIFFs, valid or not, without any of the project's own code. */

export interface HandField {
  readonly tag: number;
  readonly type: number;
  /** Written as values of the type. RATIONAL: numerator, denominator, … */
  readonly values: readonly number[];
  /** Count in the entry, instead of the number of values. */
  readonly count?: number;
  /** Offset in the entry, instead of that of its values. */
  readonly offset?: number;
}

export interface HandTiff {
  readonly littleEndian?: boolean;
  readonly bigTiff?: boolean;
  /** Right behind the header: from byte 8, or 16 of a BigTIFF. */
  readonly data?: Uint8Array;
  readonly directories: readonly (readonly HandField[])[];
  /** Next-directory offset of the last directory: a number, or the name of a directory. */
  readonly lastPoints?: number | { readonly directory: number };
  /** First-directory offset in the header. */
  readonly first?: number;
}

const sizes: Readonly<Record<number, number>> = {
  1: 1,
  2: 1,
  3: 2,
  4: 4,
  5: 4,
  6: 1,
  7: 1,
  8: 2,
  9: 4,
  10: 4,
  11: 4,
  12: 8,
  13: 4,
  16: 8,
  17: 8,
  18: 8,
};

/** SHORT. */
export function short(tag: number, ...values: number[]): HandField {
  return { tag, type: 3, values };
}

/** LONG. */
export function long(tag: number, ...values: number[]): HandField {
  return { tag, type: 4, values };
}

/** Fields of a grey 8-bit image in one uncompressed strip at `offset`. */
export function greyFields(width: number, height: number, offset: number): HandField[] {
  return [
    long(256, width),
    long(257, height),
    short(258, 8),
    short(259, 1),
    short(262, 1),
    long(273, offset),
    short(277, 1),
    long(278, height),
    long(279, width * height),
  ];
}

/**
 * Fields of strips of `rows` rows, or of square tiles, that follow a header of 8 bytes one after the
 * other.
 */
export function chunkFields(
  chunks: readonly Uint8Array[],
  { rows, tile }: { readonly rows: number; readonly tile: number | undefined },
): HandField[] {
  let end = 8;
  const offsets = chunks.map(({ length }) => (end += length) - length);
  const lengths = chunks.map(({ length }) => length);
  return tile === undefined
    ? [long(273, ...offsets), long(278, rows), long(279, ...lengths)]
    : [short(322, tile), short(323, tile), long(324, ...offsets), long(325, ...lengths)];
}

/** The same fields, but those that are given instead. */
export function withFields(fields: readonly HandField[], ...instead: readonly HandField[]): HandField[] {
  const tags = new Set(instead.map(({ tag }) => tag));
  return [...fields.filter(({ tag }) => !tags.has(tag)), ...instead].sort((a, b) => a.tag - b.tag);
}

export function withoutField(fields: readonly HandField[], tag: number): HandField[] {
  return fields.filter((field) => field.tag !== tag);
}

/** Header, data, then each directory with its values behind it. */
export function handTiff(tiff: HandTiff): Uint8Array {
  const { littleEndian: little = true, bigTiff: big = false, data = new Uint8Array() } = tiff;
  const shape = big ? { header: 16, count: 8, entry: 20, pointer: 8 } : { header: 8, count: 2, entry: 12, pointer: 4 };
  const places: number[] = [];
  let end = shape.header + data.length;
  end += end % 2;
  for (const fields of tiff.directories) {
    places.push(end);
    end += shape.count + shape.entry * fields.length + shape.pointer;
    for (const field of fields) end += external(field, shape.pointer);
  }
  const bytes = new Uint8Array(end);
  const view = new DataView(bytes.buffer);
  const pointer = (at: number, value: number): void => {
    if (big) view.setBigUint64(at, BigInt(value), little);
    else view.setUint32(at, value, little);
  };
  view.setUint16(0, little ? 0x4949 : 0x4d4d, little);
  view.setUint16(2, big ? 43 : 42, little);
  if (big) view.setUint16(4, 8, little);
  pointer(big ? 8 : 4, tiff.first ?? places[0] ?? 0);
  bytes.set(data, shape.header);
  tiff.directories.forEach((fields, index) => {
    const place = places[index] ?? 0;
    if (big) view.setBigUint64(place, BigInt(fields.length), little);
    else view.setUint16(place, fields.length, little);
    let values = place + shape.count + shape.entry * fields.length + shape.pointer;
    fields.forEach((field, position) => {
      const at = place + shape.count + shape.entry * position;
      const outside = external(field, shape.pointer);
      view.setUint16(at, field.tag, little);
      view.setUint16(at + 2, field.type, little);
      pointer(at + 4, field.count ?? field.values.length / (field.type === 5 || field.type === 10 ? 2 : 1));
      const inline = at + 4 + shape.pointer;
      writeValues(view, outside > 0 ? values : inline, field, little);
      if (outside > 0) pointer(inline, values);
      if (field.offset !== undefined) pointer(inline, field.offset);
      values += outside;
    });
    const last = tiff.lastPoints ?? 0;
    const lastPoints = typeof last === 'number' ? last : (places[last.directory] ?? 0);
    pointer(
      place + shape.count + shape.entry * fields.length,
      index + 1 < places.length ? (places[index + 1] ?? 0) : lastPoints,
    );
  });
  return bytes;
}

function external(field: HandField, inline: number): number {
  const bytes = (sizes[field.type] ?? 1) * field.values.length;
  return bytes > inline ? bytes + (bytes % 2) : 0;
}

function writeValues(view: DataView, from: number, { type, values }: HandField, little: boolean): void {
  values.forEach((value, index) => {
    const at = from + index * (sizes[type] ?? 1);
    switch (type) {
      case 3:
        view.setUint16(at, value, little);
        break;
      case 8:
        view.setInt16(at, value, little);
        break;
      case 4:
      case 5:
      case 13:
        view.setUint32(at, value, little);
        break;
      case 9:
      case 10:
        view.setInt32(at, value, little);
        break;
      case 11:
        view.setFloat32(at, value, little);
        break;
      case 12:
        view.setFloat64(at, value, little);
        break;
      case 16:
      case 18:
        view.setBigUint64(at, BigInt(value), little);
        break;
      case 17:
        view.setBigInt64(at, BigInt(value), little);
        break;
      case 6:
        view.setInt8(at, value);
        break;
      default:
        view.setUint8(at, value);
    }
  });
}

/** HEIC files made by hand: boxes (ISO/IEC 14496-12 and 23008-12) around HEVC pictures. */
import type { HevcStream } from './hevc-pcm.ts';
import { ascii, box, long, short } from './jp2-fixtures.ts';

export interface HeicItem {
  /** hvc1, grid, … */
  readonly type: string;
  /** Of an item of type mime. */
  readonly contentType?: string;
  readonly data: Uint8Array;
  /** Boxes, in the order in which they apply. */
  readonly properties: readonly Uint8Array[];
  /** A part of an image, which is not shown by itself. */
  readonly isHidden?: boolean;
  /** Reference type and the numbers of items, from 1. */
  readonly references?: readonly { readonly type: string; readonly to: readonly number[] }[];
}

export interface HeicFile {
  /** Items are numbered from 1; the first is the primary image. */
  readonly items: readonly HeicItem[];
  readonly brand?: string;
}

export function heic({ items, brand = 'heic' }: HeicFile): Uint8Array {
  const fileType = box('ftyp', [...ascii(brand), ...long(0), ...ascii('mif1'), ...ascii(brand)]);
  const headBytes = fileType.length + meta(items, 0).length + 8;
  const data = Buffer.concat(items.map((item) => item.data));
  return Uint8Array.from(Buffer.concat([fileType, meta(items, headBytes), box('mdat', data)]));
}

function meta(items: readonly HeicItem[], dataAt: number): Uint8Array {
  const properties = items.flatMap((item) => item.properties);
  let position = dataAt;
  const locations = items.flatMap(({ data }, index) => {
    const location = [...short(index + 1), ...short(0), ...short(1), ...long(position), ...long(data.length)];
    position += data.length;
    return location;
  });
  let property = 0;
  const associations = items.flatMap((item, index) => [
    ...[...short(index + 1), item.properties.length],
    ...item.properties.map(() => 0x80 | ++property),
  ]);
  const references = items.flatMap((item, index) =>
    (item.references ?? []).map(({ type, to }) =>
      box(type, [...short(index + 1), ...short(to.length), ...to.flatMap(short)]),
    ),
  );
  return fullBox(
    'meta',
    0,
    concat(
      fullBox('hdlr', 0, [...long(0), ...ascii('pict'), ...long(0), ...long(0), ...long(0), 0]),
      fullBox('pitm', 0, short(1)),
      fullBox('iloc', 0, [0x44, 0x00, ...short(items.length), ...locations]),
      fullBox('iinf', 0, [
        ...short(items.length),
        ...items.flatMap(({ type, contentType, isHidden = false }, index) => {
          const content = contentType === undefined ? [] : [...ascii(contentType), 0];
          const entry = fullBox('infe', 2, [...short(index + 1), ...short(0), ...ascii(type), 0, ...content]);
          // The lowest flag.
          entry[11] = Number(isHidden);
          return [...entry];
        }),
      ]),
      box(
        'iprp',
        concat(box('ipco', concat(...properties)), fullBox('ipma', 0, [...long(items.length), ...associations])),
      ),
      ...(references.length > 0 ? [fullBox('iref', 0, concat(...references))] : []),
    ),
  );
}

export function codedItem(
  stream: HevcStream,
  size: { width: number; height: number },
  ...more: readonly Uint8Array[]
): HeicItem {
  return { type: 'hvc1', data: stream.data, properties: [box('hvcC', stream.configuration), extents(size), ...more] };
}

/** ImageGrid (ISO/IEC 23008-12, section 6.6.2.3). */
export function gridData(rows: number, columns: number, size: { width: number; height: number }): Uint8Array {
  return Uint8Array.from([0, 0, rows - 1, columns - 1, ...short(size.width), ...short(size.height)]);
}

export function extents({ width, height }: { width: number; height: number }): Uint8Array {
  return fullBox('ispe', 0, [...long(width), ...long(height)]);
}

/**
 * Full range; matrix 0 means that the planes are G, B and R; primaries and transfer are those of
 * sRGB unless others are given (ITU-T H.273).
 */
export function codedColours(matrix: number, primaries = 1, transfer = 13): Uint8Array {
  return box('colr', [...ascii('nclx'), ...short(primaries), ...short(transfer), ...short(matrix), 0x80]);
}

/** Quarter turns, anticlockwise. */
export function rotation(turns: number): Uint8Array {
  return box('irot', [turns]);
}

/** Axis 0 turns upside down, 1 swaps left and right. */
export function mirroring(axis: 0 | 1): Uint8Array {
  return box('imir', [axis]);
}

/** A crop around the middle. */
export function cleanAperture({ width, height }: { width: number; height: number }): Uint8Array {
  return box('clap', [width, 1, height, 1, 0, 1, 0, 1].flatMap(long));
}

export function fullBox(type: string, version: number, content: ArrayLike<number>): Uint8Array {
  return box(type, [version, 0, 0, 0, ...Array.from(content)]);
}

function concat(...parts: readonly Uint8Array[]): Uint8Array {
  return Uint8Array.from(Buffer.concat(parts));
}

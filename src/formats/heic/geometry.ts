/** The transformations of a HEIF image, in the order of its properties. */
import { boxTitle } from '../boxes.ts';
import { viewOf } from '../../bytes/views.ts';
import { corrupt, withinBytes } from '../header-bytes.ts';
import type { Property } from './heif-boxes.ts';

interface Size {
  readonly width: number;
  readonly height: number;
}

interface Rect extends Size {
  readonly left: number;
  readonly top: number;
}

/** A crop property, and the size of the image that it would keep whole. */
export interface Aperture extends Size {
  /** Offset of the content of the property in the file. Bytes. */
  readonly at: number;
}

export interface HeicGeometry {
  /** Size of the image, rotated and not cropped. */
  readonly full: Size;
  /** The part of it that the file states. */
  readonly crop: Rect;
  readonly apertures: readonly Aperture[];
}

/** Follows the transformations of an item. Throws RejectedImageError. */
export function geometryOf(properties: readonly Property[]): HeicGeometry {
  const extents = properties.find(({ type }) => type === 'ispe')?.content;
  if (!extents) throw corrupt('Expected the size of the primary image', 'none');
  let full: Size = withinBytes(boxTitle('ispe'), () => ({ width: extents.getUint32(4), height: extents.getUint32(8) }));
  let crop: Rect = { left: 0, top: 0, ...full };
  const apertures: Aperture[] = [];
  for (const { type, content, at } of properties) {
    if (type === 'clap') {
      apertures.push({ at, ...full });
      crop = cropped(content, crop);
    }
    const value = content.byteLength > 0 ? content.getUint8(0) : 0;
    for (let turn = type === 'irot' ? value & 3 : 0; turn > 0; turn--) {
      crop = { left: crop.top, top: full.width - crop.left - crop.width, width: crop.height, height: crop.width };
      full = { width: full.height, height: full.width };
    }
    if (type === 'imir') crop = mirrored(crop, full, value & 1);
  }
  if (crop.width < 1 || crop.height < 1) {
    throw corrupt('Expected an image of at least one pixel', `${crop.width} × ${crop.height}`);
  }
  return { full, crop, apertures };
}

/** Axis 0 turns the image upside down, 1 swaps left and right. */
function mirrored(crop: Rect, { width, height }: Size, axis: number): Rect {
  return axis === 0
    ? { ...crop, top: height - crop.top - crop.height }
    : { ...crop, left: width - crop.left - crop.width };
}

/**
 * CleanApertureBox (ISO/IEC 14496-12, section 12.1.4): size, and distance of its middle from that
 * of the image. The edges are rounded as by libheif and lie within the image.
 */
function cropped(content: DataView, { left, top, width, height }: Rect): Rect {
  const fraction = (at: number, isSigned: boolean): number =>
    (isSigned ? content.getInt32(at) : content.getUint32(at)) / content.getUint32(at + 4);
  const { columns, rows, x, y } = withinBytes(boxTitle('clap'), () => {
    return { columns: fraction(0, false), rows: fraction(8, false), x: fraction(16, true), y: fraction(24, true) };
  });
  if (![columns, rows, x, y].every(Number.isFinite)) throw corrupt('Expected fractions in the crop', 'none');
  const [first, end] = edges(width, columns, x);
  const [firstRow, endRow] = edges(height, rows, y);
  return { left: left + first, top: top + firstRow, width: end - first, height: endRow - firstRow };
}

/** First pixel kept, and the one after the last. */
function edges(length: number, kept: number, offset: number): [number, number] {
  const first = offset + (length - 1) / 2 - (kept - 1) / 2;
  return [Math.max(0, Math.round(first)), Math.min(length, Math.round(first + kept - 1) + 1)];
}

/**
 * A copy of the file in which the crops keep everything. libheif 1.23 limits the size that it
 * decodes by that of the cropped image, and refuses images that are larger.
 */
export function withoutCrops(bytes: Uint8Array, apertures: readonly Aperture[]): Uint8Array {
  if (apertures.length === 0) return bytes;
  const copy = Uint8Array.from(bytes);
  for (const { at, width, height } of apertures) {
    const view = viewOf(copy.subarray(at, at + 32));
    [width, 1, height, 1, 0, 1, 0, 1].forEach((value, index) => {
      view.setUint32(4 * index, value);
    });
  }
  return copy;
}

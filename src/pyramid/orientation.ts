import type { Rect } from './blocks.ts';
import type { SourceImage } from './source-image.ts';

type Stored = Pick<SourceImage, 'width' | 'height' | 'orientation'>;

/**
 * Maps a rectangle of the upright image to the image as it is stored. Orientation values of Exif
 * 2.32, table 6: 2 is mirrored, 3 is rotated by 180°, 5 to 8 swap width and height.
 */
export function toStored(rect: Rect, image: Stored): Rect {
  const { width, height, orientation } = image;
  // In orientations 5 to 8 the stored columns run down the upright image.
  const across = orientation >= 5 ? span(rect.top, rect.bottom) : span(rect.left, rect.right);
  const down = orientation >= 5 ? span(rect.left, rect.right) : span(rect.top, rect.bottom);
  const columns = [2, 3, 7, 8].includes(orientation) ? mirrored(across, width) : across;
  const rows = [3, 4, 6, 7].includes(orientation) ? mirrored(down, height) : down;
  return { left: columns.from, right: columns.to, top: rows.from, bottom: rows.to };
}

/** Maps a rectangle of the stored image to the upright image: the inverse of `toStored`. */
export function toUpright(rect: Rect, image: Stored): Rect {
  const { width, height, orientation } = image;
  const across = span(rect.left, rect.right);
  const down = span(rect.top, rect.bottom);
  const columns = [2, 3, 7, 8].includes(orientation) ? mirrored(across, width) : across;
  const rows = [3, 4, 6, 7].includes(orientation) ? mirrored(down, height) : down;
  return orientation >= 5
    ? { left: rows.from, right: rows.to, top: columns.from, bottom: columns.to }
    : { left: columns.from, right: columns.to, top: rows.from, bottom: rows.to };
}

interface Span {
  readonly from: number;
  readonly to: number;
}

function span(from: number, to: number): Span {
  return { from, to };
}

function mirrored({ from, to }: Span, length: number): Span {
  return { from: length - to, to: length - from };
}

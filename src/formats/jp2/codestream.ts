/** Markers of a JPEG 2000 codestream (ISO/IEC 15444-1, annex A). */
import { RejectedImageError } from '../../errors.ts';
import type { RangeReader } from '../../bytes/range-reader.ts';
import { viewOf } from '../../bytes/views.ts';
import { corrupt, withinBytes } from '../header-bytes.ts';

export interface Component {
  /** Bits a sample, 1 to 38. */
  readonly bits: number;
  readonly signed: boolean;
  /** Distance of its samples on the reference grid. */
  readonly across: number;
  readonly down: number;
  /** Size in samples. */
  readonly width: number;
  readonly height: number;
}

export interface Codestream {
  readonly width: number;
  readonly height: number;
  /** Position of its first pixel on the reference grid. */
  readonly left: number;
  readonly top: number;
  readonly components: readonly Component[];
  /** Tiles in the tile grid. */
  readonly tiles: number;
}

const START = 0xff4f;
const SIZE = 0xff51;
const START_OF_TILE_PART = 0xff90;
const END = 0xffd9;

/** Whether the component has fewer samples than the image has pixels. */
export function isSubsampled({ across, down }: Component): boolean {
  return across !== 1 || down !== 1;
}

/** Length of SIZ with the largest number of components (Annex A.5.1). Bytes. */
const MAX_SIZE_SEGMENT = 40 + 3 * 16_384;

/** Reads SOC and SIZ. Throws RejectedImageError. */
export async function readCodestream(reader: RangeReader, start: number): Promise<Codestream> {
  const bytes = await reader.read(start, MAX_SIZE_SEGMENT);
  return withinBytes('the SIZ segment', () => parseSize(viewOf(bytes)), bytes.length < MAX_SIZE_SEGMENT);
}

function parseSize(view: DataView): Codestream {
  if (view.getUint16(0) !== START || view.getUint16(2) !== SIZE) {
    throw corrupt('Expected the markers SOC and SIZ', `0x${view.getUint32(0).toString(16)}`);
  }
  const [right, bottom, left, top, tileWidth, tileHeight, tileLeft, tileTop] = Array.from({ length: 8 }, (_, index) =>
    view.getUint32(8 + 4 * index),
  ) as [number, number, number, number, number, number, number, number];
  const count = view.getUint16(40);
  if (right <= left || bottom <= top) throw corrupt('Expected an image of at least one pixel', `${right} × ${bottom}`);
  if (tileWidth === 0 || tileHeight === 0) throw corrupt('Expected tiles of at least one pixel', 'none');
  if (count === 0) throw corrupt('Expected at least one component', count);
  return {
    ...{ width: right - left, height: bottom - top, left, top },
    components: Array.from({ length: count }, (_, index) => {
      const precision = view.getUint8(42 + 3 * index);
      const [across, down] = [view.getUint8(43 + 3 * index), view.getUint8(44 + 3 * index)];
      if (across === 0 || down === 0) throw corrupt('Expected samples at a distance of at least 1', 0);
      // Annex B.2.
      const width = Math.ceil(right / across) - Math.ceil(left / across);
      const height = Math.ceil(bottom / down) - Math.ceil(top / down);
      if (width < 1 || height < 1) throw corrupt('Expected at least one sample of each component', 'none');
      return { bits: (precision & 0x7f) + 1, signed: precision > 0x7f, across, down, width, height };
    }),
    tiles: Math.ceil((right - tileLeft) / tileWidth) * Math.ceil((bottom - tileTop) / tileHeight),
  };
}

/**
 * Follows the tile-parts from SOT to SOT, because a decoder fills missing parts of a file cut short
 * with grey. Throws RejectedImageError: TRUNCATED, CORRUPT_PIXELS.
 */
export function assertWholeCodestream(bytes: Uint8Array, tiles: number): void {
  const view = viewOf(bytes);
  const seen = new Set<number>();
  let at = firstTilePart(view);
  while (at + 12 <= bytes.length && view.getUint16(at) === START_OF_TILE_PART) {
    seen.add(view.getUint16(at + 4));
    // A tile-part of length zero extends to the end of the codestream (Annex A.4.2).
    const length = view.getUint32(at + 6) || bytes.length - 2 - at;
    if (length < 14) throw new RejectedImageError('CORRUPT_PIXELS', `a tile-part of ${length} bytes`);
    if (at + length > bytes.length) {
      throw new RejectedImageError('TRUNCATED', `a tile-part ends at byte ${at + length} of ${bytes.length}`);
    }
    at += length;
  }
  if (at + 2 > bytes.length) throw new RejectedImageError('TRUNCATED', 'the codestream ends without its end marker');
  if (view.getUint16(at) !== END) {
    throw new RejectedImageError('CORRUPT_PIXELS', `Expected a tile-part or the end at byte ${at} of the codestream`);
  }
  if (seen.size < tiles) throw new RejectedImageError('TRUNCATED', `${seen.size} of ${tiles} tiles are there`);
}

function firstTilePart(view: DataView): number {
  let at = 2;
  while (at + 4 <= view.byteLength && view.getUint16(at) !== START_OF_TILE_PART) {
    if (view.getUint8(at) !== 0xff)
      throw corrupt(`Expected a marker at byte ${at} of the codestream`, view.getUint8(at));
    at += 2 + view.getUint16(at + 2);
  }
  return at;
}

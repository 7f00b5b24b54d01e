/** Levels and tiles of Deep Zoom, which round up, while those of the file round down. Pure. */
import { derivativeFormats, type DerivativeFormat } from '../../imaging/derivative.ts';
import type { Size } from '../../pyramid/levels.ts';
import type { Region } from '../../published/region-plan.ts';
import { RefusedRequestError } from '../refused.ts';

export interface DeepZoomGrid {
  /** Side of a tile without overlap. Pixels. */
  readonly tileSize: number;
  /** Pixels that a tile has of each of its neighbours. */
  readonly overlap: number;
}

export interface DeepZoomPosition {
  readonly level: number;
  readonly column: number;
  readonly row: number;
  readonly format: DerivativeFormat;
}

/** The content of a .dzi file. */
export function describeDeepZoom({ width, height }: Size, { tileSize, overlap }: DeepZoomGrid, format: string): string {
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<Image xmlns="http://schemas.microsoft.com/deepzoom/2008" Format="${format}" Overlap="${overlap}" TileSize="${tileSize}">`,
    `  <Size Width="${width}" Height="${height}"/>`,
    '</Image>',
    '',
  ].join('\n');
}

/** The position in `LEVEL/COLUMN_ROW.FORMAT`. Throws RefusedRequestError(404) for other names. */
export function parseTileName(level: string, name: string): DeepZoomPosition {
  const [, column, row, extension] = /^(\d{1,9})_(\d{1,9})\.([a-z]+)$/u.exec(name) ?? [];
  const format = derivativeFormats.find((known) => known === (extension === 'jpeg' ? 'jpg' : extension));
  if (/^\d{1,2}$/u.test(level) && column !== undefined && row !== undefined && format) {
    return { level: Number(level), column: Number(column), row: Number(row), format };
  }
  throw new RefusedRequestError(404, 'A tile of Deep Zoom has the path LEVEL/COLUMN_ROW.jpg.');
}

/**
 * The region of a tile in the whole image, its size, and how many pixels of the image one of its
 * pixels is wide. Throws RefusedRequestError(404) for a tile that the image does not have.
 */
export function deepZoomTile(
  full: Size,
  { tileSize, overlap }: DeepZoomGrid,
  { level, column, row }: DeepZoomPosition,
): { readonly factor: number; readonly region: Region; readonly size: Size } {
  const largest = Math.ceil(Math.log2(Math.max(full.width, full.height)));
  const factor = 2 ** (largest - level);
  const x = side(full.width, factor, column, { tileSize, overlap });
  const y = side(full.height, factor, row, { tileSize, overlap });
  if (level > largest || !x || !y) {
    throw new RefusedRequestError(404, `The image has no tile ${column}_${row} at level ${level} of Deep Zoom.`);
  }
  return {
    factor,
    region: { left: x.start, top: y.start, width: x.length, height: y.length },
    size: { width: x.size, height: y.size },
  };
}

function side(
  full: number,
  factor: number,
  index: number,
  { tileSize, overlap }: DeepZoomGrid,
): { start: number; length: number; size: number } | undefined {
  const pixels = Math.ceil(full / factor);
  if (index * tileSize >= pixels) return undefined;
  const first = Math.max(0, index * tileSize - overlap);
  const end = Math.min(pixels, (index + 1) * tileSize + overlap);
  return { start: first * factor, length: Math.min(full, end * factor) - first * factor, size: end - first };
}

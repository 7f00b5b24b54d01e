/** The watermark of thumbnails, drawn from an SVG. */
import { createHash } from 'node:crypto';
import { isolated } from '../isolation/isolated.ts';
import type { Size } from '../pyramid/levels.ts';
import { sharp } from './sharp.ts';

export interface RasterisedWatermark extends Size {
  readonly png: Uint8Array;
}

/** Longest time for drawing one SVG. Milliseconds. */
const DRAWING_TIME = 20_000;
/** Drawings that are kept: the sizes of a stage. */
const KEPT_DRAWINGS = 32;

/**
 * Drawn in a process of its own: the loader of SVG is blocked here, because libvips chooses loaders
 * by the content of a file, and a master must never reach it.
 */
const draw = isolated(
  'drawWatermark',
  () => new URL('./watermark-process.ts', import.meta.url),
  async ({ svg, side }: { readonly svg: Uint8Array; readonly side: number }): Promise<RasterisedWatermark> => {
    sharp.unblock({ operation: ['VipsForeignLoadSvgBuffer'] });
    const box = { width: side, height: side, fit: 'inside' } as const;
    const { data, info } = await sharp(svg).resize(box).png().toBuffer({ resolveWithObject: true });
    return { png: data, width: info.width, height: info.height };
  },
);

const drawings = new Map<string, Promise<RasterisedWatermark>>();

/** The watermark in the largest size that fits in a square. Pixels. Drawn once for each size. */
export function rasteriseWatermark(svg: Uint8Array, side: number): Promise<RasterisedWatermark> {
  const key = `${side} ${createHash('sha256').update(svg).digest('base64')}`;
  const known = drawings.get(key);
  if (known) return known;
  const drawn = draw({ svg, side }, DRAWING_TIME).catch((error: unknown) => {
    drawings.delete(key);
    throw error;
  });
  drawings.set(key, drawn);
  const [oldest] = drawings.keys();
  if (drawings.size > KEPT_DRAWINGS && oldest !== undefined) drawings.delete(oldest);
  return drawn;
}

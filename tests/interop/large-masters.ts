/** Masters larger than 32-bit offsets can address, or wider than JPEG's 16-bit sizes allow. */
import { writeSparse, writeStriped } from '../../bench/master-tiff.ts';
import { makeTexture, type Texture } from '../../bench/texture.ts';
import type { Master } from './masters.ts';

/** Sides are odd, so that halving rounds down more than once. */
export const dense: Master = {
  name: 'dense',
  extension: 'tif',
  width: 40_009,
  height: 40_013,
  bands: 3,
  bitDepth: 8,
};

export const wide: Master = { name: 'wide', extension: 'tif', width: 70_001, height: 2003, bands: 3, bitDepth: 8 };

/** Noise in every tile of an uncompressed BigTIFF: 4.8 GB that deflate cannot shrink. */
export function writeDense(file: string): Promise<void> {
  return writeSparse(file, dense, noise(), 1);
}

/** Texture in strips: 0.4 GB. */
export function writeWide(file: string): Promise<void> {
  return writeStriped(file, wide, makeTexture(1));
}

/** Rows of xorshift32 noise (Marsaglia 2003), four bytes at a time; every row is different. */
function noise(): Texture {
  let state = 1;
  return {
    fillRow: (rgb) => {
      const row = new Uint32Array(rgb.buffer, rgb.byteOffset, rgb.length / 4);
      for (let at = 0; at < row.length; at++) {
        state ^= state << 13;
        state ^= state >>> 17;
        state ^= state << 5;
        row[at] = state;
      }
    },
  };
}

/** Run-length encoded bitmaps of 4 and 8 bits a pixel (Microsoft, "Bitmap Compression"). */
import { RejectedImageError } from '../../errors.ts';
import { newBytes } from '../samples.ts';

const ESCAPE = 0;
const END_OF_LINE = 0;
const END_OF_BITMAP = 1;
const DELTA = 2;

/**
 * Decodes runs to the palette index of every pixel, in the order of the stored rows. Pixels that
 * the runs skip keep index 0. Throws RejectedImageError: TRUNCATED when the runs end before the
 * bitmap, CORRUPT_PIXELS when they jump out of it.
 */
export function decodeRuns(runs: Uint8Array, width: number, height: number, bits: 4 | 8): Uint8Array {
  const indexes = newBytes(width * height);
  let at = 0;
  let x = 0;
  let y = 0;
  const next = (): number => {
    const byte = runs[at++];
    if (byte === undefined) throw new RejectedImageError('TRUNCATED', `the runs end in row ${y} of ${height}`);
    return byte;
  };
  const put = (index: number): void => {
    // Writers may extend the last run of a row beyond its end; those pixels are ignored.
    if (x < width && y < height) indexes[y * width + x] = index;
    x++;
  };
  while (y < height) {
    const count = next();
    const value = next();
    if (count !== ESCAPE) {
      for (let pixel = 0; pixel < count; pixel++) put(bits === 8 ? value : nibble(value, pixel));
    } else if (value === END_OF_LINE) {
      x = 0;
      y++;
    } else if (value === END_OF_BITMAP) {
      break;
    } else if (value === DELTA) {
      x += next();
      y += next();
      if (x > width || y > height) throw new RejectedImageError('CORRUPT_PIXELS', `a run jumps to ${x}, ${y}`);
    } else {
      let byte = 0;
      for (let pixel = 0; pixel < value; pixel++) {
        if (bits === 8 || pixel % 2 === 0) byte = next();
        put(bits === 8 ? byte : nibble(byte, pixel));
      }
      // Literal pixels are padded to a multiple of two bytes.
      at += Math.ceil((value * bits) / 8) % 2;
    }
  }
  return indexes;
}

function nibble(byte: number, pixel: number): number {
  return pixel % 2 === 0 ? byte >> 4 : byte & 0x0f;
}

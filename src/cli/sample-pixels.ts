/**
 * The pixels of the sample image: the Julia set of z² + c, which has detail at every level. The
 * image is deterministic. It is point-symmetric, because z and −z have the same escape time, so
 * only the upper half is computed.
 */

export const SAMPLE_WIDTH = 9600;
export const SAMPLE_HEIGHT = 6400;

const C = { re: -0.8, im: 0.156 };
const MAX_STEPS = 300;
/** Palette entries per iteration. */
const SHADES = 64;
/** Width of the image in the complex plane. */
const SPAN = 3.1;
const ESCAPE = 256;

/**
 * Fills rows `from` to `to` (exclusive) of the upper half of an RGB image and the symmetric rows
 * below.
 */
export function paintSampleRows(pixels: Uint8Array, from: number, to: number): void {
  const palette = makePalette();
  const step = SPAN / SAMPLE_WIDTH;
  const last = pixels.length - 3;
  for (let y = from; y < to; y++) {
    const im = (y + 0.5 - SAMPLE_HEIGHT / 2) * step;
    for (let x = 0; x < SAMPLE_WIDTH; x++) {
      const colour = escapeIndex((x + 0.5 - SAMPLE_WIDTH / 2) * step, im) * 3;
      const at = (y * SAMPLE_WIDTH + x) * 3;
      for (let band = 0; band < 3; band++) {
        const value = palette[colour + band] ?? 0;
        pixels[at + band] = value;
        pixels[last - at + band] = value;
      }
    }
  }
}

/**
 * Smooth escape time of a point as a palette index: `SHADES` entries per iteration; 0 inside the
 * set.
 */
function escapeIndex(re: number, im: number): number {
  let a = re;
  let b = im;
  let aa = a * a;
  let bb = b * b;
  let steps = 0;
  while (aa + bb < ESCAPE && steps < MAX_STEPS) {
    b = 2 * a * b + C.im;
    a = aa - bb + C.re;
    aa = a * a;
    bb = b * b;
    steps++;
  }
  if (steps === MAX_STEPS) return 0;
  // log2(log(|z|²) / log(ESCAPE)), in 0..1, is the fraction by which the last iteration overshot.
  const past = Math.log2(Math.log(aa + bb) / Math.log(ESCAPE));
  return 1 + Math.max(0, Math.round((steps + 1 - past) * SHADES));
}

/** A cyclic palette from night blue through copper and cream to teal; index 0 is the set itself. */
function makePalette(): Uint8Array {
  const entries = (MAX_STEPS + 2) * SHADES;
  const palette = new Uint8Array(entries * 3);
  for (let entry = 1; entry < entries; entry++) {
    const phase = Math.sqrt(entry / SHADES) * 1.15;
    palette[entry * 3] = wave(phase, 0.2, 0.53);
    palette[entry * 3 + 1] = wave(phase, 0.36, 0.47);
    palette[entry * 3 + 2] = wave(phase, 0.58, 0.52);
  }
  palette.set([6, 8, 20]);
  return palette;
}

function wave(phase: number, shift: number, middle: number): number {
  return 255 * Math.min(1, Math.max(0, middle - 0.47 * Math.cos(2 * Math.PI * (phase * 0.5 - shift))));
}

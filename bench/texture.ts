/**
 * Photographic texture: noise whose amplitude grows with its wavelength, as in photographs, plus
 * grain. Deterministic for a seed. One square is computed and repeated without a seam; slow
 * gradients make the repetitions differ.
 */

export const SIDE = 2048;
const BANDS = 3;

export interface Texture {
  /** Fills `rgb` with `width` pixels of row `y`, from column `left` on. */
  fillRow(rgb: Uint8ClampedArray, left: number, y: number, width: number): void;
}

/** Shortest and longest wavelength in pixels, and the amplitude of the longest. */
const light = { from: 2, to: 1024, amplitude: 45 };
const colour = { from: 16, to: 1024, amplitude: 20 };
/**
 * Exponent of amplitude over wavelength; natural images have nearly equal variance in every octave.
 */
const FALL = 0.15;
const GRAIN = 14;

export function makeTexture(seed: number): Texture {
  const random = generator(seed);
  const luma = noise(random, light);
  const chroma = [noise(random, colour), noise(random, colour), noise(random, colour)];
  const square = new Int16Array(SIDE * SIDE * BANDS);
  for (let pixel = 0, at = 0; pixel < SIDE * SIDE; pixel++) {
    const brightness = 120 + (luma[pixel] ?? 0);
    for (let band = 0; band < BANDS; band++, at++) {
      square[at] = brightness + (chroma[band]?.[pixel] ?? 0) + (random() - 0.5) * GRAIN;
    }
  }
  return { fillRow: rowFiller(square) };
}

function rowFiller(square: Int16Array): Texture['fillRow'] {
  return (rgb, left, y, width) => {
    const down = slope(y, 9001);
    const start = (y % SIDE) * SIDE * BANDS;
    for (let done = 0; done < width;) {
      const column = left + done;
      const from = start + (column % SIDE) * BANDS;
      // The gradient is constant over 64 pixels, which keeps the inner loop to a load, an addition
      // and a clamping store.
      const stretch = Math.min(width - done, 64 - (column % 64));
      const lift = down + slope(column, 12_007);
      for (let i = 0, at = done * BANDS; i < stretch * BANDS; i++) rgb[at + i] = (square[from + i] ?? 0) + lift;
      done += stretch;
    }
  };
}

/** Sine wave between −20 and 20. */
function slope(position: number, period: number): number {
  return Math.round(20 * Math.sin((position * 2 * Math.PI) / period));
}

/** Linear congruential generator of Numerical Recipes; values from 0 to 1. */
function generator(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

/** Value noise: random lattices of halving wavelength, interpolated bilinearly and summed. */
function noise(random: () => number, shape: { from: number; to: number; amplitude: number }): Float32Array {
  const sum = new Float32Array(SIDE * SIDE);
  for (let wave = shape.to; wave >= shape.from; wave /= 2) {
    const points = SIDE / wave;
    const amplitude = shape.amplitude * (wave / shape.to) ** FALL;
    const lattice = Float32Array.from({ length: points * points }, () => (random() - 0.5) * 2 * amplitude);
    addLattice(sum, lattice, points, wave);
  }
  return sum;
}

function addLattice(sum: Float32Array, lattice: Float32Array, points: number, wave: number): void {
  const line = new Float32Array(points + 1);
  for (let y = 0; y < SIDE; y++) {
    const row = Math.floor(y / wave);
    const below = (row + 1) % points;
    const weight = (y % wave) / wave;
    for (let p = 0; p <= points; p++) {
      const a = lattice[row * points + (p % points)] ?? 0;
      line[p] = a + ((lattice[below * points + (p % points)] ?? 0) - a) * weight;
    }
    for (let p = 0, at = y * SIDE; p < points; p++) {
      const step = ((line[p + 1] ?? 0) - (line[p] ?? 0)) / wave;
      for (let i = 0, value = line[p] ?? 0; i < wave; i++, at++, value += step) sum[at] = (sum[at] ?? 0) + value;
    }
  }
}

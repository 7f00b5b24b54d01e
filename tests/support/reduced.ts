/**
 * Shared by the tests of reduced pictures: the size of a master, the size cap, and the expected
 * pixels by sharp.
 */
import { expect } from '@jest/globals';
import sharp, { type Sharp } from 'sharp';
import type { Recipe } from '../../src/recipe/recipe.ts';
import { type DecodedMaster, decodeMaster } from './decode-master.ts';

/** Size of the masters. Neither side is reduced by an integer factor. */
export const [width, height] = [450, 333];
const cap = { sizeCap: { width: 160, height: 160 } };
export const small = { width: 160, height: 118 };

/** The expected picture, by one pass of sharp: reduced to `size`. */
export function onePass(master: Buffer | Sharp, size: { width: number; height: number } = small): Sharp {
  const whole = Buffer.isBuffer(master) ? sharp(master, { ignoreIcc: true }) : master;
  return whole
    .autoOrient()
    .flatten({ background: '#ffffff' })
    .resize({ ...size, fit: 'fill', fastShrinkOnLoad: false });
}

export async function samplesOf(pipeline: Sharp, colourspace: string): Promise<number[]> {
  const isDeep = colourspace.endsWith('16');
  const bytes = await pipeline
    .toColourspace(colourspace)
    .raw({ depth: isDeep ? 'ushort' : 'uchar' })
    .toBuffer();
  return Array.from(isDeep ? new Uint16Array(Uint8Array.from(bytes).buffer) : bytes);
}

/** Asserts the same length and returns the largest difference of a sample. */
export function worstDifference(actual: readonly number[], expected: readonly number[]): number {
  expect(actual).toHaveLength(expected.length);
  return actual.reduce((worst, sample, at) => Math.max(worst, Math.abs(sample - (expected[at] ?? 0))), 0);
}

export const reduced = (master: Buffer, wanted: Partial<Recipe> = {}): Promise<DecodedMaster> =>
  decodeMaster(master, { ...cap, ...wanted });

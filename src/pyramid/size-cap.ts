/** How large a master is published: a recipe may say that nothing larger than a box leaves the house. */
import type { Size } from './levels.ts';
import type { Recipe } from '../recipe/recipe.ts';
import { type SourceImage, uprightSize } from './source-image.ts';

/**
 * Of level 0, in pixels: the upright master's size, or what fits in the recipe's box, its own for copyrighted works if it has
 * one. Rounded as libvips rounds what is to fit in a box; no side is less than a pixel.
 */
export function publishedSize(
  image: Pick<SourceImage, 'width' | 'height' | 'orientation'>,
  { sizeCap }: Pick<Recipe, 'sizeCap'>,
  copyrighted = false,
): Size {
  const upright = uprightSize(image);
  const box = (copyrighted ? sizeCap?.copyrighted : undefined) ?? sizeCap;
  if (!box) return upright;
  const across = upright.width / box.width;
  const down = upright.height / box.height;
  if (across <= 1 && down <= 1) return upright;
  return across > down
    ? { width: box.width, height: rounded(upright.height / across) }
    : { width: rounded(upright.width / down), height: box.height };
}

function rounded(side: number): number {
  return Math.max(1, Math.round(side));
}

/** Whether a picture of that size is published smaller than its master is. Both in pixels. */
export function isReduced(image: Pick<SourceImage, 'width' | 'height'>, { width, height }: Size): boolean {
  return image.width * image.height > width * height;
}

type Rational = readonly [number, number];

/** The largest number in a rational of TIFF. */
const MAX_LONG = 2 ** 32 - 1;

/**
 * Pixels per unit of length once `from` pixels have become `to`: the object is as large as it was. In lowest terms, and the
 * nearest that 32 bits can say.
 */
export function scaledResolution([pixels, units]: Rational, from: number, to: number): [number, number] {
  const numerator = BigInt(pixels) * BigInt(to);
  const denominator = BigInt(units) * BigInt(from);
  if (numerator === 0n || denominator === 0n) return [pixels, units];
  const divisor = greatestCommonDivisor(numerator, denominator);
  const terms = [Number(numerator / divisor), Number(denominator / divisor)] as const;
  const excess = Math.max(1, Math.max(...terms) / MAX_LONG);
  return [Math.max(1, Math.round(terms[0] / excess)), Math.max(1, Math.round(terms[1] / excess))];
}

function greatestCommonDivisor(a: bigint, b: bigint): bigint {
  return b === 0n ? a : greatestCommonDivisor(b, a % b);
}

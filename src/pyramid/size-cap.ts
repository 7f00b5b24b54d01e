/** The published size of a master, which the `sizeCap` of a recipe may limit. */
import type { Size } from './levels.ts';
import type { Recipe } from '../recipe/recipe.ts';
import { type SourceImage, uprightSize } from './source-image.ts';

/**
 * Size of level 0 in pixels: that of the upright master, reduced to fit in the box of the recipe;
 * copyrighted works use their own box if the recipe has one. Rounded as libvips rounds
 * (`thumbnail`); no side is below one pixel.
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

/** Whether an image published in this size is smaller than its master. Both in pixels. */
export function isReduced(image: Pick<SourceImage, 'width' | 'height'>, { width, height }: Size): boolean {
  return image.width * image.height > width * height;
}

type Rational = readonly [number, number];

/** The largest numerator or denominator of a TIFF RATIONAL. */
const MAX_LONG = 2 ** 32 - 1;

/**
 * Resolution after scaling `from` pixels to `to`, so that the physical size stays the same. In
 * lowest terms, rounded to what 32 bits can represent.
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

/**
 * When one libvips pass renders all levels of an image: it decodes the master once, whatever its
 * size.
 */
import { MAX_ENCODED_SIDE } from '../limits.ts';
import { encodingProperties } from '../recipe/encodings.ts';
import type { Recipe } from '../recipe/recipe.ts';
import type { Conversion } from './conversion.ts';
import type { Size } from './levels.ts';
import type { SourceImage } from './source-image.ts';

/**
 * Whether one pass decodes the master and converts its colours. sharp applies a profile last:
 * removing alpha or reducing the depth after that takes a second pass. It multiplies colours by the
 * last sample before it resizes, and takes the last sample for alpha, so samples to be left out are
 * removed in a pass of their own where the image is reduced or has alpha. `bitDepth` is that of the
 * samples wanted.
 */
export function convertsInOnePass({
  image,
  conversion,
  bitDepth,
  reducedTo,
}: {
  readonly image: Pick<SourceImage, 'alpha' | 'bitDepth' | 'ignoredSamples'>;
  readonly conversion: Conversion;
  readonly bitDepth: 8 | 16;
  readonly reducedTo?: Size | undefined;
}): boolean {
  if (conversion === 'lab') return false;
  if (image.ignoredSamples && (image.alpha || reducedTo)) return false;
  return conversion !== 'profile' || (!image.alpha && image.bitDepth === bitDepth);
}

/**
 * Whether one pass encodes all `levelCount` levels of an image whose level 0 is of `size`, and does
 * so in good time.
 */
export function encodesInOnePass(size: Size, levelCount: number, { encoding }: Pick<Recipe, 'encoding'>): boolean {
  // libvips stops halving when a side would vanish.
  const keepsBothSides = Math.min(size.width, size.height) >= 2 ** (levelCount - 1);
  const fitsAnEncoder = Math.max(size.width, size.height) <= MAX_ENCODED_SIDE;
  return encodingProperties(encoding).isOnePass && keepsBothSides && fitsAnEncoder;
}

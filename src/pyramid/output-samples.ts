/**
 * The samples of the published file: bands and depth, as requested by the recipe and supported by
 * the encoding.
 */
import { encodingProperties } from '../recipe/encodings.ts';
import type { Recipe } from '../recipe/recipe.ts';
import type { SourceImage } from './source-image.ts';

interface Samples {
  readonly image: Pick<SourceImage, 'bands' | 'bitDepth'>;
  readonly recipe: Pick<Recipe, 'encoding' | 'depth'>;
}

/** Bits a sample: those of the master if the recipe keeps them and the encoding can store them. */
export function outputBitDepth({ image, recipe }: Samples): 8 | 16 {
  const { bitDepths } = encodingProperties(recipe.encoding);
  return recipe.depth === 'keep' && bitDepths.includes(image.bitDepth) ? image.bitDepth : 8;
}

/** Bands: those of the master's colours, or RGB where the encoding cannot store grey. */
export function outputBands({ image, recipe }: Samples): 1 | 3 {
  return encodingProperties(recipe.encoding).bands.includes(image.bands) ? image.bands : 3;
}

/** Bytes of one uncompressed pixel. */
export function outputPixelBytes(samples: Samples): number {
  return outputBands(samples) * (outputBitDepth(samples) / 8);
}

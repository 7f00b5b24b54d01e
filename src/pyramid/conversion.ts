import { encodingProperties } from '../recipe/encodings.ts';
import type { Recipe } from '../recipe/recipe.ts';
import type { SourceImage } from './source-image.ts';

/**
 * Colour conversion of every pixel. `none`: samples are kept. `profile`: from the ICC profile of
 * the master to sRGB, grey to the tone curve of sRGB. `cmyk`: to sRGB through the profile of the
 * master or that of libvips. `lab`: to sRGB by its definition.
 */
export type Conversion = 'none' | 'profile' | 'cmyk' | 'lab';

export function conversionOf({
  image,
  recipe,
}: {
  image: SourceImage;
  recipe: Pick<Recipe, 'colour' | 'encoding'>;
}): Conversion {
  if (image.model === 'cmyk') return 'cmyk';
  if (image.model === 'lab' || image.model === 'icc-lab') return 'lab';
  // Where grey must become RGB, the profile of a grey image does not fit.
  const keepsBands = encodingProperties(recipe.encoding).bands.includes(image.bands);
  const isKept = recipe.colour === 'keep' && keepsBands;
  return image.profile === 'other' && !isKept ? 'profile' : 'none';
}

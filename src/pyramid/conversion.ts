import { encodingProperties } from '../recipe/encodings.ts';
import type { Recipe } from '../recipe/recipe.ts';
import type { SourceImage } from './source-image.ts';

/**
 * What is done to the colours of every pixel:
 * `none`: nothing; `profile`: from the master's ICC profile to sRGB, or grey to its tone curve; `cmyk`: to sRGB through the
 * master's profile or libvips' own; `lab`: to sRGB by its definition.
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

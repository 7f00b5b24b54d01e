import { conversionOf } from '../pyramid/conversion.ts';
import { outputBands } from '../pyramid/output-samples.ts';
import type { Recipe } from '../recipe/recipe.ts';
import type { SourceImage } from '../pyramid/source-image.ts';
import type { Description } from '../tiff/pyramid-fields.ts';
import { greyProfile, srgbProfile } from './standard-profiles.ts';

/**
 * What the published file says of itself: as the master does, but with the profile of the samples that are published.
 * Converted ones carry that of sRGB or its grey; where a recipe asks for sRGB, samples that nothing was known of carry none.
 */
export async function publishedDescription(
  image: SourceImage,
  recipe: Recipe,
  { iccProfile, ...rest }: Description,
): Promise<Description> {
  const conversion = conversionOf({ image, recipe });
  const isTold = recipe.colour === 'srgb' && image.profile === 'srgb';
  const isSrgb = conversion !== 'none' || isTold;
  const profile = isSrgb ? await profileOf(outputBands({ image, recipe })) : undefined;
  if (profile) return { ...rest, iccProfile: Buffer.from(profile).toString('base64') };
  return recipe.colour === 'keep' && iccProfile !== undefined ? { ...rest, iccProfile } : rest;
}

async function profileOf(bands: 1 | 3): Promise<Uint8Array> {
  return bands === 1 ? greyProfile() : srgbProfile();
}

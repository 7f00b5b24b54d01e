import { conversionOf } from '../pyramid/conversion.ts';
import { outputBands } from '../pyramid/output-samples.ts';
import type { Recipe } from '../recipe/recipe.ts';
import type { SourceImage } from '../pyramid/source-image.ts';
import type { Description } from '../tiff/pyramid-fields.ts';
import { greyProfile, srgbProfile } from './standard-profiles.ts';

/**
 * Description of the published file: that of the master, with the profile of the published samples.
 * Converted samples have the profile of sRGB or of grey with its tone curve; if the recipe asks for
 * sRGB, samples of unknown colour space have none.
 */
export async function publishedDescription(
  image: SourceImage,
  recipe: Recipe,
  { iccProfile, ...rest }: Description,
): Promise<Description> {
  const conversion = conversionOf({ image, recipe });
  const isSrgbMaster = recipe.colour === 'srgb' && image.profile === 'srgb';
  const isSrgb = conversion !== 'none' || isSrgbMaster;
  const profile = isSrgb ? await profileOf(outputBands({ image, recipe })) : undefined;
  if (profile) return { ...rest, iccProfile: Buffer.from(profile).toString('base64') };
  return recipe.colour === 'keep' && iccProfile !== undefined ? { ...rest, iccProfile } : rest;
}

async function profileOf(bands: 1 | 3): Promise<Uint8Array> {
  return bands === 1 ? greyProfile() : srgbProfile();
}

/** When one libvips pass decodes a master and converts its colours. */
import type { Conversion } from './conversion.ts';
import type { Size } from './levels.ts';
import type { SourceImage } from './source-image.ts';

/**
 * Whether one pass decodes the master and converts its colours, so that a block that covers all of
 * it decodes it once. sharp applies a profile last: removing alpha or reducing the depth after that
 * takes a second pass. It multiplies colours by the last sample before it resizes, and takes the
 * last sample for alpha, so samples to be left out are removed in a pass of their own where the
 * image is reduced or has alpha. `bitDepth` is that of the samples wanted.
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

import type { Sharp } from 'sharp';

/** The part of a pipeline in which sharp keeps the background: red, green, blue and alpha. */
interface FlattenOptions {
  readonly options: { flattenBackground: readonly number[] };
}

/**
 * Removes alpha on a background such as #ffffff. sharp multiplies the background by 256 for samples
 * of 16 bits, so that white becomes 65,280, and accepts at most 255; 257 is the factor that maps
 * white to 65,535.
 */
export function flattenOn(pipeline: Sharp, background: string, bitDepth: 8 | 16): Sharp {
  const flat = pipeline.flatten({ background });
  if (bitDepth === 8) return flat;
  const { options } = flat as unknown as FlattenOptions;
  options.flattenBackground = options.flattenBackground.map((value) => (value * 257) / 256);
  return flat;
}

import { z } from 'zod';
import { MAX_EXTRA_SAMPLES } from '../limits.ts';
import { MappedRange } from './mapped-range.ts';

const sourceFormats = ['jpeg', 'png', 'webp', 'tiff'] as const;
export type SourceFormat = (typeof sourceFormats)[number];

/**
 * Formats that ConvertSource converts to TIFF before planning: libvips does not decode them here,
 * or not correctly.
 */
export const convertibleFormats = ['jp2', 'pdf', 'bmp', 'heic', 'avif', 'gif', 'psd'] as const;
export type ConvertibleFormat = (typeof convertibleFormats)[number];

/**
 * Colour models of stored samples. `lab` has signed a* and b* (TIFF 6.0 section 23), `icc-lab` has
 * them with an offset.
 */
const colourModels = ['grey', 'rgb', 'palette', 'cmyk', 'lab', 'icc-lab'] as const;

/**
 * What planning needs of the header of a master. Sizes in pixels, before orientation is applied.
 */
export const SourceImage = z.strictObject({
  format: z.enum(sourceFormats),
  width: z.int().min(1),
  height: z.int().min(1),
  /** How colour is stored. */
  model: z.enum(colourModels),
  /**
   * The embedded ICC profile. `none`: there is none that fits the colour model and can be read.
   * `srgb`: sRGB or the tone curve of it, which needs no conversion. `other`: any other.
   */
  profile: z.enum(['none', 'srgb', 'other']),
  /**
   * Colour bands after decoding, without alpha: 1 is grey, 3 is RGB or will be converted to RGB.
   */
  bands: z.union([z.literal(1), z.literal(3)]),
  alpha: z.boolean(),
  /**
   * Samples of a pixel that are left out, by their position after the colours, from 0; absent if
   * there are none.
   */
  ignoredSamples: z.array(z.int().min(0)).min(1).max(MAX_EXTRA_SAMPLES).optional(),
  /** Bits of a sample after decoding: 8 or 16. Fewer bits are scaled to 8. */
  bitDepth: z.union([z.literal(8), z.literal(16)]),
  /** Present where samples have a range: signed, floating point, and more than 16 bits. */
  mappedRange: MappedRange.optional(),
  /** Samples have a range that MeasureSamples still has to find. */
  unmeasured: z.literal(true).optional(),
  /** Exif orientation: 1 is upright, 5 to 8 swap width and height. */
  orientation: z.int().min(1).max(8),
  /** The orientation is stated by XMP only, which decoders do not read. */
  orientationInXmp: z.literal(true).optional(),
  /** The source is interlaced or progressive: a decoder holds all of it before its first row. */
  progressive: z.boolean(),
  /**
   * A TIFF of uncompressed strips, grey or RGB, chunky, in whole bytes: its rows need no decoder.
   */
  uncompressed: z.boolean(),
  /**
   * Strips or tiles of a TIFF, and the size of one; null for formats that are decoded from the top
   * only.
   */
  chunks: z.strictObject({ kind: z.enum(['strips', 'tiles']), width: z.int(), height: z.int() }).nullable(),
  /**
   * Bytes of a JPEG between its segments that belong to none. Decoders warn about them, unless they
   * are fill bytes.
   */
  gaps: z.array(z.strictObject({ offset: z.int().min(0), length: z.int().min(1) })).optional(),
  /** Size of the object that the pixels are read from. Bytes. */
  fileSize: z.int().min(1),
  /**
   * Offset of the TIFF directory that has the pixels, unless it is the first one. Bytes.
   */
  directory: z.int().min(8).optional(),
  /** Set for a master of another format: its pixels are read from this TIFF in the work area. */
  converted: z
    .strictObject({ from: z.enum(convertibleFormats), key: z.string().min(1), etag: z.string().min(1) })
    .optional(),
});
export type SourceImage = z.infer<typeof SourceImage>;

/** Size of the image with its orientation applied. */
export function uprightSize(image: Pick<SourceImage, 'width' | 'height' | 'orientation'>): {
  width: number;
  height: number;
} {
  return image.orientation >= 5
    ? { width: image.height, height: image.width }
    : { width: image.width, height: image.height };
}

import { z } from 'zod';

export const sourceFormats = ['jpeg', 'png', 'webp', 'tiff'] as const;
export type SourceFormat = (typeof sourceFormats)[number];

/** Masters that are made a TIFF before they are planned: what libvips cannot read here, or needs help to read right. */
export const convertibleFormats = ['jp2', 'pdf', 'bmp', 'heic', 'gif'] as const;
export type ConvertibleFormat = (typeof convertibleFormats)[number];

/** What a stored sample means. `lab` has signed a* and b* (TIFF 6.0 section 23), `icc-lab` has them with an offset. */
export const colourModels = ['grey', 'rgb', 'palette', 'cmyk', 'lab', 'icc-lab'] as const;

/** A master as its header describes it: what planning needs, and no more. Sizes in pixels, before orientation. */
export const SourceImage = z.strictObject({
  format: z.enum(sourceFormats),
  width: z.int().min(1),
  height: z.int().min(1),
  /** How colour is stored. */
  model: z.enum(colourModels),
  /**
   * The ICC profile that it carries: `none` that is of its colour model and can be read; `srgb`, or one band of it, which
   * changes nothing; or an `other`.
   */
  profile: z.enum(['none', 'srgb', 'other']),
  /** Colour bands once decoded, without alpha: 1 is grey, 3 is RGB or what is made RGB. */
  bands: z.union([z.literal(1), z.literal(3)]),
  alpha: z.boolean(),
  /** Of a band once decoded: 8 or 16. Fewer bits are spread over 8. */
  bitDepth: z.union([z.literal(8), z.literal(16)]),
  /** As Exif numbers it: 1 is upright, 5 to 8 swap the sides. */
  orientation: z.int().min(1).max(8),
  /** The source is interlaced or progressive: a decoder holds all of it before its first row. */
  progressive: z.boolean(),
  /** A TIFF of uncompressed strips, grey or RGB, chunky, in whole bytes: its rows need no decoder. */
  uncompressed: z.boolean(),
  /** Strips or tiles of a TIFF, and the size of one; null for formats that are decoded from the top only. */
  chunks: z.strictObject({ kind: z.enum(['strips', 'tiles']), width: z.int(), height: z.int() }).nullable(),
  /** Bytes of the object that its pixels are read from. */
  fileSize: z.int().min(1),
  /** The master is of another format, and its pixels are read from a TIFF in the work area that was made of it. */
  converted: z
    .strictObject({ from: z.enum(convertibleFormats), key: z.string().min(1), etag: z.string().min(1) })
    .optional(),
});
export type SourceImage = z.infer<typeof SourceImage>;

/** The size of the image as people see it, its orientation applied. */
export function uprightSize(image: Pick<SourceImage, 'width' | 'height' | 'orientation'>): {
  width: number;
  height: number;
} {
  return image.orientation >= 5
    ? { width: image.height, height: image.width }
    : { width: image.width, height: image.height };
}

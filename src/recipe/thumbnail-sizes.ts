/** Sizes of thumbnails, as recipes and URLs write them. */
import { z } from 'zod';

/** Largest side of a thumbnail. Pixels. */
export const MAX_THUMBNAIL_SIDE = 5_000;

/** Longest side of the size `auto`: the thumbnail of lists and manifests. Pixels. */
export const AUTO_THUMBNAIL_SIDE = 400;

/**
 * A size of thumbnails. `fit`: the whole image, proportional, in a box whose absent side is not
 * limited. `fill`: the middle of the image in exactly these proportions. Pixels.
 */
export interface ThumbnailSize {
  readonly how: 'fit' | 'fill';
  readonly width?: number | undefined;
  readonly height?: number | undefined;
  /** In file names and URLs; different for different sizes. */
  readonly name: string;
}

const side = '([1-9][0-9]{0,3})';
const spellings: readonly { readonly pattern: RegExp; readonly how: ThumbnailSize['how'] }[] = [
  { pattern: new RegExp(`^!${side},${side}$`, 'u'), how: 'fit' },
  { pattern: new RegExp(`^fit${side}x${side}$`, 'u'), how: 'fit' },
  { pattern: new RegExp(`^${side},()$`, 'u'), how: 'fit' },
  { pattern: new RegExp(`^(),${side}$`, 'u'), how: 'fit' },
  { pattern: new RegExp(`^${side}x(?:auto)?()$`, 'u'), how: 'fit' },
  { pattern: new RegExp(`^()(?:auto)?x${side}$`, 'u'), how: 'fit' },
  { pattern: new RegExp(`^${side}x${side}$`, 'u'), how: 'fill' },
];

/**
 * Reads a size: `250,` and `,250` as in the IIIF Image API, also `250x` and `x250`; `!400,400`,
 * also `fit400x400`; `400x200`; `auto`. Undefined for anything else and for sides above
 * MAX_THUMBNAIL_SIDE.
 */
export function parseThumbnailSize(text: string): ThumbnailSize | undefined {
  if (text === 'auto') {
    return { how: 'fit', width: AUTO_THUMBNAIL_SIDE, height: AUTO_THUMBNAIL_SIDE, name: 'auto' };
  }
  for (const { pattern, how } of spellings) {
    const [, across = '', down = ''] = pattern.exec(text) ?? [];
    if (across === '' && down === '') continue;
    if (Math.max(Number(across), Number(down)) > MAX_THUMBNAIL_SIDE) return undefined;
    const name = `${how === 'fit' && across !== '' && down !== '' ? 'fit' : ''}${across}x${down}`;
    return { how, width: sideOf(across), height: sideOf(down), name };
  }
  return undefined;
}

function sideOf(digits: string): number | undefined {
  return digits === '' ? undefined : Number(digits);
}

const size = z.string().refine((text) => parseThumbnailSize(text) !== undefined, {
  error: 'Expected a size such as "250,", "!400,400", 400x200 or auto, of at most 5,000 pixels a side',
});

/** The section `thumbnails` of a recipe. */
export const ThumbnailSettings = z
  .strictObject({
    sizes: z
      .array(size)
      .min(1)
      .max(20)
      .default(['auto'])
      .meta({
        title: 'Sizes',
        description:
          '"250," and ",250": so wide and so high; "!400,400": in this box; 400x200: the middle of the image in this ' +
          'frame; auto: in a box of 400 pixels. Images are not enlarged.',
      }),
    quality: z.int().min(1).max(100).default(80).meta({ title: 'Quality', description: 'JPEG quality.' }),
    watermark: z
      .string()
      .regex(/^[A-Za-z0-9][\w.-]*\.svg$/u, 'Expected the name of an SVG file')
      .optional()
      .meta({
        title: 'Watermark',
        description:
          'Name of an SVG file in the folder of recipes. It is drawn in the lower right corner, 18 % of the shorter side ' +
          'wide; thumbnails of up to 100 pixels have none.',
      }),
  })
  .meta({ title: 'Thumbnails', description: 'Small JPEG pictures of the whole image or of its middle.' });
export type ThumbnailSettings = z.infer<typeof ThumbnailSettings>;

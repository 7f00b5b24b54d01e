/** The outputs that a recipe lists beside the TIFF, and their settings. */
import { z } from 'zod';
import { MAX_TILE_SIZE } from '../limits.ts';
import { ManifestSettings } from './manifest-settings.ts';
import { ThumbnailSettings } from './thumbnail-sizes.ts';

/**
 * Everything that can be published of an image. A section of the recipe of the same name has its
 * settings.
 */
export const outputNames = ['tiff', 'iiif', 'deepzoom', 'thumbnails', 'manifest'] as const;
export type OutputName = (typeof outputNames)[number];

const tileSize = z.int().min(64).max(MAX_TILE_SIZE);
const quality = z.int().min(1).max(100);

const isPowerOfTwo = (value: number): boolean => Number.isInteger(Math.log2(value));

export const IiifSettings = z
  .strictObject({
    tileSize: tileSize.optional().meta({
      title: 'Tile size',
      description: 'Width and height of a tile in pixels. Unless given, that of the recipe.',
    }),
    quality: quality.optional().meta({
      title: 'Quality',
      description: 'JPEG quality of tiles and images. Unless given, that of the recipe if it makes JPEG, or else 85.',
    }),
    scaleFactors: z.array(z.int().min(1).refine(isPowerOfTwo, 'Expected a power of two')).min(1).optional().meta({
      title: 'Scale factors',
      description: 'Powers of two by which tiles are reduced. Unless given, 1, 2, 4 and so on until one tile is left.',
    }),
    versions: z
      .array(z.union([z.literal(3), z.literal(2)]))
      .min(1)
      .default([3])
      .meta({
        title: 'Versions',
        description: 'Versions of the IIIF Image API; each has a folder of its own, iiif3 and iiif2.',
      }),
    largestImage: z
      .int()
      .min(256)
      .max(16_384)
      .default(4_096)
      .meta({
        title: 'Largest image',
        description:
          'Largest side of the images of the whole region in pixels. An image with a larger one is published whole at ' +
          'the largest level that fits, which info.json states as its maximum.',
      }),
    thumbnails: z.array(z.int().min(16).max(2_048)).default([200, 400]).meta({
      title: 'Thumbnails',
      description: 'Widths in pixels of further images of the whole region.',
    }),
  })
  .meta({ title: 'IIIF', description: 'Files of a IIIF Image API service of level 0, for a server of static files.' });
export type IiifSettings = z.infer<typeof IiifSettings>;

export const DeepZoomSettings = z
  .strictObject({
    tileSize: tileSize.default(254).meta({
      title: 'Tile size',
      description: 'Width and height of a tile in pixels, without overlap.',
    }),
    overlap: z.int().min(0).max(16).default(1).meta({
      title: 'Overlap',
      description: 'Pixels by which a tile extends into each of its neighbours.',
    }),
    format: z.enum(['jpg', 'png']).default('jpg').meta({
      title: 'Format',
      description: 'jpg, or png, which is lossless and many times larger.',
    }),
    quality: quality.default(80).meta({ title: 'Quality', description: 'JPEG quality of the tiles.' }),
  })
  .meta({ title: 'Deep Zoom', description: 'A Deep Zoom image: a .dzi file and its folder of tiles.' });
export type DeepZoomSettings = z.infer<typeof DeepZoomSettings>;

/** The fields of a recipe about outputs. */
export const outputFields = {
  outputs: z
    .array(z.enum(outputNames))
    .default(['tiff'])
    .refine((names) => names.includes('tiff'), 'Expected tiff among the outputs: the others are made beside it')
    .meta({
      title: 'Outputs',
      description:
        'What is published: tiff, the pyramid, always; iiif, files of a IIIF Image API service of level 0; deepzoom, a ' +
        'Deep Zoom image; thumbnails; manifest, IIIF manifests of the image and of its folder.',
    }),
  iiif: IiifSettings.optional(),
  deepzoom: DeepZoomSettings.optional(),
  thumbnails: ThumbnailSettings.optional(),
  manifest: ManifestSettings.optional(),
};

export type OutputSettings = z.infer<z.ZodObject<typeof outputFields>>;

/** Whether outputs consist of tiles, which have no profile. */
export function haveTiles(names: readonly OutputName[]): boolean {
  return names.includes('iiif') || names.includes('deepzoom');
}

/** The outputs beside the TIFF that a recipe lists, each once. */
export function outputsBesideTiff({
  outputs,
}: {
  readonly outputs: readonly OutputName[];
}): Exclude<OutputName, 'tiff'>[] {
  return [...new Set(outputs)].filter((name) => name !== 'tiff');
}

import { z } from 'zod';
import { MAX_TILE_SIZE, TILE_SIZE_MULTIPLE } from '../limits.ts';
import { Encoding } from './encodings.ts';
import { haveTiles, outputFields } from './outputs.ts';

const side = (name: string): z.ZodInt =>
  z
    .int()
    .min(1)
    .meta({ title: name, description: `Largest ${name.toLowerCase()} of the published image, in pixels.` });

/** Images are made to fit in this box, keeping their proportions; smaller ones keep their size. */
const box = { width: side('Width'), height: side('Height') };

const policy = (title: string, description: string): z.ZodDefault<z.ZodEnum<{ strip: 'strip'; keep: 'keep' }>> =>
  z.enum(['strip', 'keep']).default('strip').meta({ title, description });

export const digestAlgorithms = ['sha256', 'md5'] as const;
export type DigestAlgorithm = (typeof digestAlgorithms)[number];

const pagePolicies = ['reject', 'first', 'all'] as const;
/** What to make of a master of several pages. */
export type PagePolicy = (typeof pagePolicies)[number];

/**
 * What to make of a master. Read from `recipes/*.yml`; every plan carries it whole, defaults filled
 * in. Titles and descriptions go into `recipes/recipe.schema.json`, with which editors complete and
 * check recipe files.
 */
export const Recipe = z
  .strictObject({
    name: z
      .string()
      .regex(/^[a-z0-9-]+$/u)
      .meta({ title: 'Name', description: 'Name of the file without .yml: a to z, digits and hyphens.' }),
    version: z.int().min(1).meta({
      title: 'Version',
      description: 'Raise it when you change the recipe; the sidecar of every published image states it.',
    }),
    description: z
      .string()
      .min(1)
      .meta({ title: 'Description', description: 'One line about the recipe; --list-recipes shows it.' }),
    tileSize: z
      .int()
      .min(64)
      .max(MAX_TILE_SIZE)
      .multipleOf(TILE_SIZE_MULTIPLE)
      .meta({
        title: 'Tile size',
        description:
          'Width and height of a tile in pixels, a multiple of 16 (TIFF 6.0 section 15). Images much smaller than a tile ' +
          'get smaller tiles.',
      }),
    encoding: Encoding,
    colour: z.enum(['srgb', 'keep']).meta({
      title: 'Colour',
      description:
        'srgb: images with a profile are converted to sRGB, grey ones to its tone curve. keep: grey and RGB keep samples ' +
        'and profile. CMYK and L*a*b*, which viewers cannot show, are converted to sRGB either way.',
    }),
    depth: z.union([z.literal(8), z.literal('keep')]).meta({
      title: 'Depth',
      description: 'Bits a sample: 8, or those of the master where the encoding can store them.',
    }),
    background: z
      .string()
      .regex(/^#[0-9a-fA-F]{6}$/u, 'Expected a colour like #ffffff')
      .meta({
        title: 'Background',
        description: 'Colour behind the transparent parts of an image and behind the pages of a PDF, such as #ffffff.',
      }),
    dpi: z.int().min(36).max(2400).default(300).meta({
      title: 'Resolution of PDF pages',
      description: 'Pixels per inch at which the page of a PDF is rendered.',
    }),
    sizeCap: z
      .strictObject({
        ...box,
        copyrighted: z.strictObject(box).optional().meta({
          title: 'Size cap of copyrighted works',
          description: 'The box for images that are marked as copyrighted, instead of the outer one.',
        }),
      })
      .optional()
      .meta({
        title: 'Size cap',
        description: 'Box that published images fit in; larger ones are reduced. No cap unless given.',
      }),
    unspecifiedSamples: z
      .enum(['ignore', 'alpha', 'reject'])
      .default('ignore')
      .meta({
        title: 'Unspecified samples',
        description:
          'Samples of a TIFF beside its colours whose meaning the file does not state, such as saved selections and the ' +
          'infrared channel of a scanner. ignore: they are left out, with a warning in the sidecar. alpha: the first is ' +
          'unassociated alpha. reject: the image is rejected.',
      }),
    metadata: z
      .strictObject({
        gps: policy('Positions', 'Whether positions (GPS) are removed from published metadata.'),
        serialNumbers: policy('Serial numbers', 'Whether serial numbers and camera owners are removed.'),
      })
      .prefault({})
      .meta({
        title: 'Metadata',
        description: 'What is removed from the metadata of the master before it is published.',
      }),
    pages: z
      .enum(pagePolicies)
      .optional()
      .meta({
        title: 'Pages',
        description:
          'Masters of several pages. reject: they are rejected. first: the first page is published. all: every page is ' +
          'published as a pyramid of its own, name-0001.tif and so on. Unless given, the first page of a PDF is ' +
          'published and a TIFF of several pages is rejected.',
      }),
    digests: z
      .array(z.enum(digestAlgorithms))
      .default(['sha256'])
      .meta({
        title: 'Digests',
        description:
          'Digests of the master that are recorded in its sidecar and in the ledger. A digest that an uploader sent is ' +
          'compared whether it is listed or not.',
      }),
    ...outputFields,
  })
  .refine(({ outputs, colour }) => !haveTiles(outputs) || colour === 'srgb', {
    path: ['colour'],
    message: 'Expected srgb for a recipe with tiles beside the TIFF: they have no profile',
  })
  .meta({ title: 'Stepwell recipe', description: 'What to make of a master image.' });
export type Recipe = z.infer<typeof Recipe>;

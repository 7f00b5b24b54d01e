import { z } from 'zod';
import { MAX_TILE_SIZE, TILE_SIZE_MULTIPLE } from '../limits.ts';

const colour = z
  .string()
  .regex(/^#[0-9a-f]{6}$/iu, 'Expected a colour like #ffffff')
  .describe('What shows through where the master is transparent');

const encoding = z.discriminatedUnion('compression', [
  z.strictObject({
    compression: z.literal('jpeg'),
    /** From 90 on libvips stops subsampling colour and writes RGB: three times the bytes. */
    quality: z.int().min(1).max(100),
  }),
  z.strictObject({ compression: z.literal('deflate') }),
  z.strictObject({ compression: z.literal('lzw') }),
  z.strictObject({ compression: z.literal('webp'), quality: z.int().min(1).max(100) }),
]);

/** A box that pictures are made to fit in, their proportions kept; smaller ones stay as they are. Pixels. */
const box = { width: z.int().min(1), height: z.int().min(1) };

/** What to make of a master. Read from `recipes/*.yml`; written whole into every plan. */
export const Recipe = z.strictObject({
  name: z.string().regex(/^[a-z0-9-]+$/u),
  version: z.int().min(1),
  description: z.string().min(1),
  /** Pixels a side. TIFF 6.0 section 15 asks for multiples of 16. */
  tileSize: z.int().min(64).max(MAX_TILE_SIZE).multipleOf(TILE_SIZE_MULTIPLE),
  encoding,
  /**
   * `srgb`: masters with a profile are converted to sRGB, grey ones to its tone curve. `keep`: grey and RGB keep their
   * samples and their profile. What viewers cannot show (CMYK, L*a*b*) is converted either way.
   */
  colour: z.enum(['srgb', 'keep']),
  /** Bits a sample: 8, or those of the master where the encoding holds them. */
  depth: z.union([z.literal(8), z.literal('keep')]),
  background: colour,
  /** Pixels per inch that a page of a PDF is drawn at; 300 where nothing is said. */
  dpi: z.int().min(36).max(2400).optional(),
  /** The largest picture that is published, and the largest of a work that is marked as copyrighted. */
  sizeCap: z.strictObject({ ...box, copyrighted: z.strictObject(box).optional() }).optional(),
  /** What is told of where a picture was taken and of the equipment's numbers; stripped where nothing is said. */
  metadata: z.strictObject({ gps: z.enum(['strip', 'keep']), serialNumbers: z.enum(['strip', 'keep']) }).optional(),
  /** Checksums of the master that are recorded; both where nothing is said. Those that an uploader sent are compared. */
  checksums: z.array(z.enum(['sha256', 'md5'])).optional(),
});
export type Recipe = z.infer<typeof Recipe>;
export type Encoding = Recipe['encoding'];

import { z } from 'zod';

/** The properties of a tile encoding that the recipe schema, the planner and the encoders use. */
export interface EncodingProperties {
  /** Fields that a recipe sets beside `compression`. */
  readonly settings: z.ZodRawShape;
  /** Bits a sample that the encoding can store. */
  readonly bitDepths: readonly (8 | 16)[];
  /** Colour bands that the encoding can store: 1 is grey, 3 is RGB. */
  readonly bands: readonly (1 | 3)[];
  /**
   * TIFF Predictor (TIFF 6.0 section 14) applied before compression; undefined where there is none.
   */
  readonly predictor?: 'horizontal';
  /** Halving and encoding on one core, in nanoseconds a pixel of the encoded level. */
  readonly encodeTime: number;
  /** Typical encoded bytes for one byte of samples. */
  readonly encodedShare: number;
  /**
   * The lowest quality at which libvips writes RGB without chroma subsampling (tiffsave: Q of 90
   * and more).
   */
  readonly unsubsampledFrom?: number;
}

const quality = z
  .int()
  .min(1)
  .max(100)
  .meta({ title: 'Quality', description: 'Quality of the lossy encoding, 1 (smallest) to 100 (best).' });

const level = z.int().min(1).max(9).default(6).meta({
  title: 'Compression level',
  description: 'zlib level: 1 is the fastest, 9 gives the smallest files. Pixels are the same at every level.',
});

/** The encodings of published tiles, by the name that a recipe gives as `encoding.compression`. */
export const encodings = {
  jpeg: {
    settings: {
      quality: quality.meta({
        title: 'Quality',
        description:
          'JPEG quality, 1 to 100. Below 90 the colour planes are halved (4:2:0); from 90 on they are not, which takes ' +
          'about three times the bytes.',
      }),
    },
    bitDepths: [8],
    bands: [1, 3],
    encodeTime: 8,
    encodedShare: 0.15,
    unsubsampledFrom: 90,
  },
  deflate: {
    settings: { level },
    bitDepths: [8, 16],
    bands: [1, 3],
    predictor: 'horizontal',
    encodeTime: 25,
    encodedShare: 0.8,
  },
  lzw: {
    settings: {},
    bitDepths: [8, 16],
    bands: [1, 3],
    predictor: 'horizontal',
    encodeTime: 50,
    encodedShare: 0.9,
  },
  webp: {
    settings: { quality },
    bitDepths: [8],
    bands: [3],
    encodeTime: 115,
    encodedShare: 0.15,
  },
} as const satisfies Readonly<Record<string, EncodingProperties>>;

export type EncodingName = keyof typeof encodings;

/** The encoding of that name as a recipe states it. */
export type EncodingOf<Name extends EncodingName> = Extract<Encoding, { readonly compression: Name }>;

type SettingsOf<Name extends EncodingName> = (typeof encodings)[Name]['settings'];
type EncodingSchema = {
  [Name in EncodingName]: SettingsOf<Name> extends infer Settings extends z.ZodRawShape
    ? z.ZodObject<{ compression: z.ZodLiteral<Name> } & Settings, z.core.$strict>
    : never;
}[EncodingName];

// Object.entries does not keep which name has which settings.
const schemas = Object.entries(encodings).map(([name, { settings }]) =>
  z.strictObject({ compression: z.literal(name), ...settings }),
) as unknown as [EncodingSchema, ...EncodingSchema[]];

/** An encoding as a recipe states it: `compression` and its settings, nothing else. */
export const Encoding = z.discriminatedUnion('compression', schemas).meta({
  title: 'Encoding',
  description: 'How tiles are compressed.',
});
export type Encoding = z.infer<typeof Encoding>;

/** The table row of an encoding. */
export function encodingProperties({ compression }: Pick<Encoding, 'compression'>): EncodingProperties {
  return encodings[compression];
}

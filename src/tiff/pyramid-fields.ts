import { z } from 'zod';
import type { Field } from './written-directory.ts';
import { FieldType, Photometric, Tag } from './tags.ts';

const numbers = z.array(z.number()).readonly();

/** Fields that decoding of the tiles depends on; the same for every tile of a file. */
export const TileEncoding = z
  .strictObject({
    compression: z.number(),
    photometric: z.number(),
    bitsPerSample: numbers,
    sampleFormat: numbers,
    extraSamples: numbers,
    predictor: z.number().optional(),
    /** Horizontal and vertical, for YCbCr. */
    subsampling: numbers.optional(),
    /** Six numbers, for YCbCr. */
    referenceBlackWhite: numbers.optional(),
    /** The JPEGTables field of abbreviated JPEG streams. Base64. */
    jpegTables: z.string().optional(),
  })
  .readonly();
export type TileEncoding = z.infer<typeof TileEncoding>;

const rational = z.tuple([z.number(), z.number()]).readonly();

/** Resolution and colour profile of the published file, as a work object stores them. */
export const Description = z.strictObject({
  /**
   * Pixels per unit, each as numerator and denominator; the unit as TIFF 6.0 numbers it: 1 none, 2
   * inch, 3 cm.
   */
  resolution: z.strictObject({ x: rational, y: rational, unit: z.number() }).readonly().optional(),
  /** Base64. */
  iccProfile: z.string().optional(),
});
export type Description = Readonly<z.infer<typeof Description>>;

/** The fields of one level of a published pyramid in any order, without sizes and tile table. */
export function pyramidFields(level: number, encoding: TileEncoding, description: Description): Field[] {
  const short = (tag: number, ...values: readonly number[]): Field => ({ tag, type: FieldType.SHORT, values });
  const fields: Field[] = [
    { tag: Tag.NewSubfileType, type: FieldType.LONG, values: [level === 0 ? 0 : 1] },
    short(Tag.BitsPerSample, ...encoding.bitsPerSample),
    short(Tag.Compression, encoding.compression),
    short(Tag.PhotometricInterpretation, encoding.photometric),
    short(Tag.Orientation, 1),
    short(Tag.SamplesPerPixel, encoding.bitsPerSample.length),
    short(Tag.PlanarConfiguration, 1),
    short(Tag.SampleFormat, ...encoding.sampleFormat),
  ];
  if (encoding.predictor !== undefined) fields.push(short(Tag.Predictor, encoding.predictor));
  if (encoding.extraSamples.length > 0) fields.push(short(Tag.ExtraSamples, ...encoding.extraSamples));
  if (encoding.jpegTables !== undefined) {
    fields.push({ tag: Tag.JpegTables, type: FieldType.UNDEFINED, values: fromBase64(encoding.jpegTables) });
  }
  if (encoding.photometric === Photometric.yCbCr) fields.push(...yCbCrFields(encoding));
  if (description.resolution) {
    const { x, y, unit } = description.resolution;
    fields.push({ tag: Tag.XResolution, type: FieldType.RATIONAL, values: x });
    fields.push({ tag: Tag.YResolution, type: FieldType.RATIONAL, values: y });
    fields.push(short(Tag.ResolutionUnit, unit));
  }
  if (description.iccProfile !== undefined) {
    fields.push({ tag: Tag.IccProfile, type: FieldType.UNDEFINED, values: fromBase64(description.iccProfile) });
  }
  return fields;
}

/**
 * The default of YCbCrSubSampling (TIFF 6.0, section 21), which libvips relies on. Stepwell writes
 * the field, because without it readers decode a tile of every level to detect the subsampling;
 * over HTTP that takes most of the time to open a file.
 */
const DEFAULT_SUBSAMPLING = [2, 2];

function yCbCrFields(encoding: TileEncoding): Field[] {
  const subsampling = encoding.subsampling ?? DEFAULT_SUBSAMPLING;
  const fields: Field[] = [{ tag: Tag.YCbCrSubSampling, type: FieldType.SHORT, values: subsampling }];
  if (encoding.referenceBlackWhite) {
    const values = encoding.referenceBlackWhite.flatMap((value) => [Math.round(value), 1]);
    fields.push({ tag: Tag.ReferenceBlackWhite, type: FieldType.RATIONAL, values });
  }
  return fields;
}

function fromBase64(text: string): Uint8Array {
  return Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
}

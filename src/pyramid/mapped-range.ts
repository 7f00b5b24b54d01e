import { z } from 'zod';

/** How stored samples with a range become 0 to 65,535, or 0 to 255 of at most 8 bits. */
export const MappedRange = z.strictObject({
  format: z.enum(['unsigned', 'signed', 'float']),
  /** Bits of a stored sample. */
  bits: z.int().min(1).max(64),
  /**
   * Stored values that become 0 and the largest sample, linearly. Equal in an image of one value.
   */
  min: z.number(),
  max: z.number(),
  /**
   * What states them: SMinSampleValue and SMaxSampleValue, or the least and the greatest finite
   * sample of the image.
   */
  from: z.enum(['header', 'pixels']),
  /** Samples that are NaN or GDAL's value for no data, if the pixels were read. */
  withoutValue: z.int().min(0).optional(),
});
export type MappedRange = z.infer<typeof MappedRange>;

const names: Readonly<Record<MappedRange['format'], string>> = {
  unsigned: 'samples',
  signed: 'signed samples',
  float: 'floating-point samples',
};

/** Names the values that become 0 and the largest sample, for the sidecar. */
export function describeRange({ format, bits, min, max, from, withoutValue = 0 }: MappedRange): string[] {
  const what = `${names[format]} of ${bits} bits`;
  const top = bits <= 8 ? 255 : 65_535;
  const measured = from === 'pixels' ? ', the least and the greatest of the image,' : '';
  const range =
    min === max ? `all are ${min} and are published as 0` : `${min} to ${max}${measured} are published as 0 to ${top}`;
  const without = `${withoutValue} ${withoutValue === 1 ? 'sample has' : 'samples have'} no value`;
  const reason = "(not a number, or GDAL's value for no data)";
  return [
    `${what}: ${range}`,
    ...(withoutValue > 0 ? [`${without} ${reason} and ${withoutValue === 1 ? 'is' : 'are'} published as 0`] : []),
  ];
}

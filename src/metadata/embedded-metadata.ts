import { z } from 'zod';

/** A value of a named field. Dates are ISO 8601 texts; blobs are not kept. */
export const MetadataValue = z.union([z.string(), z.number(), z.array(z.union([z.string(), z.number()]))]);
export type MetadataValue = z.infer<typeof MetadataValue>;

export const MetadataFields = z.record(z.string(), MetadataValue);
export type MetadataFields = z.infer<typeof MetadataFields>;

/** Pixels per unit, across and down. */
export const Resolution = z.strictObject({ x: z.number(), y: z.number(), unit: z.enum(['none', 'inch', 'cm']) });
export type Resolution = z.infer<typeof Resolution>;

/** Of an ICC profile, what names it. */
export const IccSummary = z.strictObject({
  description: z.string().optional(),
  /** As the profile's header abbreviates it: RGB, GRAY, CMYK, Lab. */
  colourSpace: z.string().optional(),
  /** scnr, mntr, prtr, spac, link, abst or nmcl. */
  deviceClass: z.string().optional(),
  version: z.string().optional(),
});
export type IccSummary = z.infer<typeof IccSummary>;

export const Xmp = z.strictObject({
  /** The serialised packet, as the master holds it until it is redacted. */
  packet: z.string().optional(),
  /** The main properties by their usual prefix: dc:title, xmp:CreateDate, photoshop:Credit. */
  fields: MetadataFields,
});
export type Xmp = z.infer<typeof Xmp>;

/** What the first directory of a published TIFF may say of the image, by the names of TIFF 6.0. */
export const Descriptive = z.strictObject({
  imageDescription: z.string().optional(),
  make: z.string().optional(),
  model: z.string().optional(),
  software: z.string().optional(),
  /** YYYY:MM:DD HH:MM:SS */
  dateTime: z.string().optional(),
  artist: z.string().optional(),
  copyright: z.string().optional(),
  /** The XMP packet in UTF-8, base64. */
  xmp: z.string().optional(),
  /** The IPTC-IIM records, base64. */
  iptc: z.string().optional(),
});
export type Descriptive = z.infer<typeof Descriptive>;

/** Everything that was read of a master's metadata; plain JSON, so that it can lie in the work area between steps. */
export const EmbeddedMetadata = z.strictObject({
  /** Of the first directory and the Exif directory, by ExifTool's names. */
  exif: MetadataFields,
  /** Of the GPS directory; latitude and longitude are degrees, south and west negative. */
  gps: MetadataFields.optional(),
  /** Of IPTC-IIM record 2, by ExifTool's names without hyphens. */
  iptc: MetadataFields,
  xmp: Xmp.optional(),
  /** Texts of a PNG under the keywords that its specification defines. */
  text: MetadataFields.optional(),
  icc: IccSummary.optional(),
  resolution: Resolution.optional(),
  descriptive: Descriptive,
  /** What could not be read. */
  warnings: z.array(z.string()),
});
export type EmbeddedMetadata = z.infer<typeof EmbeddedMetadata>;

import { z } from 'zod';

/** A value of a named field. Dates are ISO 8601 texts; blobs are not kept. */
export const MetadataValue = z.union([z.string(), z.number(), z.array(z.union([z.string(), z.number()]))]);
export type MetadataValue = z.infer<typeof MetadataValue>;

export const MetadataFields = z.record(z.string(), MetadataValue);
export type MetadataFields = z.infer<typeof MetadataFields>;

/** Pixels per unit, across and down. */
export const Resolution = z.strictObject({ x: z.number(), y: z.number(), unit: z.enum(['none', 'inch', 'cm']) });
export type Resolution = z.infer<typeof Resolution>;

/** Identification of an ICC profile. */
export const IccSummary = z.strictObject({
  description: z.string().optional(),
  /** Signature in the profile's header: RGB, GRAY, CMYK, Lab. */
  colourSpace: z.string().optional(),
  /** scnr, mntr, prtr, spac, link, abst or nmcl. */
  deviceClass: z.string().optional(),
  version: z.string().optional(),
});
export type IccSummary = z.infer<typeof IccSummary>;

export const Xmp = z.strictObject({
  /** The serialised packet of the master, or the redacted packet. */
  packet: z.string().optional(),
  /** The main properties by conventional prefix: dc:title, xmp:CreateDate, photoshop:Credit. */
  fields: MetadataFields,
});
export type Xmp = z.infer<typeof Xmp>;

/** Descriptive fields of the first directory of a published TIFF, named as in TIFF 6.0. */
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

/** All metadata read from a master, as JSON that is stored in the work area between steps. */
export const EmbeddedMetadata = z.strictObject({
  /** Fields of IFD0 and the Exif IFD by ExifTool's names. */
  exif: MetadataFields,
  /** Fields of the GPS IFD; latitude and longitude in degrees, south and west negative. */
  gps: MetadataFields.optional(),
  /** Datasets of IPTC-IIM record 2 by ExifTool's names without hyphens. */
  iptc: MetadataFields,
  xmp: Xmp.optional(),
  /** Texts of a PNG by the keywords defined in its specification. */
  text: MetadataFields.optional(),
  icc: IccSummary.optional(),
  resolution: Resolution.optional(),
  descriptive: Descriptive,
  /** Descriptions of metadata that could not be read. */
  warnings: z.array(z.string()),
});
export type EmbeddedMetadata = z.infer<typeof EmbeddedMetadata>;

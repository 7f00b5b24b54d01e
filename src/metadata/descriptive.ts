import { FieldType, Tag } from '../tiff/tags.ts';
import type { Field } from '../tiff/written-directory.ts';
import type { Descriptive, EmbeddedMetadata, MetadataFields } from './embedded-metadata.ts';
import { fromBase64, toBase64 } from './text.ts';

/**
 * What a published TIFF says of the picture. Of each property the first that the master has: its Exif or TIFF field, its
 * XMP property, its IPTC dataset, its PNG text.
 */
export function describe(metadata: Omit<EmbeddedMetadata, 'descriptive'>, iptc: string | undefined): Descriptive {
  const { exif, iptc: datasets, xmp, text = {} } = metadata;
  const properties = xmp?.fields ?? {};
  const found = {
    imageDescription: first(
      [exif, 'ImageDescription'],
      [properties, 'dc:description'],
      [properties, 'tiff:ImageDescription'],
      [datasets, 'Caption'],
      [text, 'Description'],
    ),
    make: first([exif, 'Make'], [properties, 'tiff:Make']),
    model: first([exif, 'Model'], [properties, 'tiff:Model']),
    software: first(
      [exif, 'Software'],
      [properties, 'xmp:CreatorTool'],
      [properties, 'tiff:Software'],
      [datasets, 'OriginatingProgram'],
      [text, 'Software'],
    ),
    dateTime:
      tiffDate(exif['ModifyDate']) ?? tiffDate(properties['xmp:ModifyDate']) ?? tiffDate(properties['tiff:DateTime']),
    artist: first(
      [exif, 'Artist'],
      [properties, 'dc:creator'],
      [properties, 'tiff:Artist'],
      [datasets, 'Byline'],
      [text, 'Author'],
    ),
    copyright: first(
      [exif, 'Copyright'],
      [properties, 'dc:rights'],
      [properties, 'tiff:Copyright'],
      [datasets, 'CopyrightNotice'],
      [text, 'Copyright'],
    ),
    xmp: xmp?.packet === undefined ? undefined : toBase64(new TextEncoder().encode(xmp.packet)),
    iptc,
  };
  return Object.fromEntries(Object.entries(found).filter(([, value]) => value !== undefined));
}

/** The first of these that there is; several values become one text. */
export function first(...places: readonly (readonly [MetadataFields, string])[]): string | undefined {
  for (const [fields, name] of places) {
    const value = fields[name];
    if (value !== undefined) return Array.isArray(value) ? value.join('; ') : String(value);
  }
  return undefined;
}

/** TIFF 6.0, section 8: 'YYYY:MM:DD HH:MM:SS', the local time of an ISO date. */
function tiffDate(date: MetadataFields[string] | undefined): string | undefined {
  const parts = /^(\d{4})-(\d\d)-(\d\d)T(\d\d:\d\d)(:\d\d)?/u.exec(typeof date === 'string' ? date : '');
  if (!parts) return undefined;
  const [, year = '', month = '', day = '', minutes = '', seconds = ':00'] = parts;
  return `${year}:${month}:${day} ${minutes}${seconds}`;
}

/** These as fields of the first directory, in any order. Texts are written in UTF-8. */
export function descriptiveFields(descriptive: Descriptive): Field[] {
  const texts: readonly (readonly [number, string | undefined])[] = [
    [Tag.ImageDescription, descriptive.imageDescription],
    [Tag.Make, descriptive.make],
    [Tag.Model, descriptive.model],
    [Tag.Software, descriptive.software],
    [Tag.DateTime, descriptive.dateTime],
    [Tag.Artist, descriptive.artist],
    [Tag.Copyright, descriptive.copyright],
  ];
  const fields: Field[] = texts.flatMap(([tag, text]) =>
    text === undefined ? [] : [{ tag, type: FieldType.ASCII, values: new TextEncoder().encode(`${text}\0`) }],
  );
  const { xmp, iptc } = descriptive;
  if (xmp !== undefined) fields.push({ tag: Tag.Xmp, type: FieldType.BYTE, values: fromBase64(xmp) });
  if (iptc !== undefined) fields.push({ tag: Tag.Iptc, type: FieldType.UNDEFINED, values: fromBase64(iptc) });
  return fields;
}

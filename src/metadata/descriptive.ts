import { FieldType, Tag } from '../tiff/tags.ts';
import type { Field } from '../tiff/written-directory.ts';
import type { Descriptive, EmbeddedMetadata, MetadataFields } from './embedded-metadata.ts';
import { fromBase64, toBase64 } from './text.ts';

/**
 * The descriptive fields of a published TIFF. Each takes the first value present in the master:
 * Exif or TIFF field, XMP property, IPTC dataset, PNG text. `iptc`: the IPTC record in base64.
 */
export function descriptiveOf(metadata: Omit<EmbeddedMetadata, 'descriptive'>, iptc: string | undefined): Descriptive {
  const { exif, iptc: datasets, xmp, text = {} } = metadata;
  const properties = xmp?.fields ?? {};
  const values = {
    imageDescription: firstValue(
      [exif, 'ImageDescription'],
      [properties, 'dc:description'],
      [properties, 'tiff:ImageDescription'],
      [datasets, 'Caption'],
      [text, 'Description'],
    ),
    make: firstValue([exif, 'Make'], [properties, 'tiff:Make']),
    model: firstValue([exif, 'Model'], [properties, 'tiff:Model']),
    software: firstValue(
      [exif, 'Software'],
      [properties, 'xmp:CreatorTool'],
      [properties, 'tiff:Software'],
      [datasets, 'OriginatingProgram'],
      [text, 'Software'],
    ),
    dateTime:
      tiffDate(exif['ModifyDate']) ?? tiffDate(properties['xmp:ModifyDate']) ?? tiffDate(properties['tiff:DateTime']),
    artist: firstValue(
      [exif, 'Artist'],
      [properties, 'dc:creator'],
      [properties, 'tiff:Artist'],
      [datasets, 'Byline'],
      [text, 'Author'],
    ),
    copyright: firstValue(
      [exif, 'Copyright'],
      [properties, 'dc:rights'],
      [properties, 'tiff:Copyright'],
      [datasets, 'CopyrightNotice'],
      [text, 'Copyright'],
    ),
    xmp: xmp?.packet === undefined ? undefined : toBase64(new TextEncoder().encode(xmp.packet)),
    iptc,
  };
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined));
}

/** The first value present, as text; lists are joined with '; '. */
export function firstValue(...candidates: readonly (readonly [MetadataFields, string])[]): string | undefined {
  for (const [fields, name] of candidates) {
    const value = fields[name];
    if (value !== undefined) return Array.isArray(value) ? value.join('; ') : String(value);
  }
  return undefined;
}

/** The local time of an ISO date as TIFF DateTime, 'YYYY:MM:DD HH:MM:SS' (TIFF 6.0, section 8). */
function tiffDate(date: MetadataFields[string] | undefined): string | undefined {
  const parts = /^(\d{4})-(\d\d)-(\d\d)T(\d\d:\d\d)(:\d\d)?/u.exec(typeof date === 'string' ? date : '');
  if (!parts) return undefined;
  const [, year = '', month = '', day = '', minutes = '', seconds = ':00'] = parts;
  return `${year}:${month}:${day} ${minutes}${seconds}`;
}

/** The descriptive fields as TIFF fields of the first directory, in any order. Texts are UTF-8. */
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

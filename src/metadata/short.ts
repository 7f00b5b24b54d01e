import { MAX_SHORT_TEXT_LENGTH } from './bounds.ts';
import { firstValue } from './descriptive.ts';
import type { EmbeddedMetadata, MetadataFields } from './embedded-metadata.ts';
import { cutText } from './text.ts';

/** The metadata shown in a list of images. Texts have at most 256 characters, on one line. */
export interface ShortMetadata {
  readonly title?: string;
  readonly creator?: string;
  readonly copyright?: string;
  /** ISO 8601, with the precision of the master. */
  readonly dateTaken?: string;
  readonly iccName?: string;
  /** '600 × 600 per inch' */
  readonly resolution?: string;
}

/** The short form of a master's metadata. */
export function shortMetadata(metadata: EmbeddedMetadata): ShortMetadata {
  const { exif, iptc, xmp, text = {}, icc, resolution, descriptive } = metadata;
  const properties = xmp?.fields ?? {};
  const values: { [Key in keyof ShortMetadata]: string | undefined } = {
    title: firstValue(
      [properties, 'dc:title'],
      [iptc, 'ObjectName'],
      [exif, 'XPTitle'],
      [exif, 'DocumentName'],
      [properties, 'photoshop:Headline'],
      [iptc, 'Headline'],
      [text, 'Title'],
    ),
    creator: descriptive.artist,
    copyright: descriptive.copyright,
    dateTaken:
      firstValue(
        [exif, 'DateTimeOriginal'],
        [properties, 'exif:DateTimeOriginal'],
        [properties, 'photoshop:DateCreated'],
      ) ?? iptcDate(iptc),
    iccName: icc?.description,
    resolution: resolution && resolutionText(resolution),
  };
  const bounded: Record<string, string> = {};
  for (const [name, value] of Object.entries(values)) {
    const line = cutText((value ?? '').replace(/\s+/gu, ' ').trim(), MAX_SHORT_TEXT_LENGTH);
    if (line !== '') bounded[name] = line;
  }
  return bounded;
}

/** IIM datasets 2:55 'CCYYMMDD' and 2:60 'HHMMSS±HHMM'; unknown months and days are zeros. */
function iptcDate(iptc: MetadataFields): string | undefined {
  const [, year, month = '00', day = '00'] =
    /^(\d{4})(\d\d)(\d\d)$/u.exec(firstValue([iptc, 'DateCreated']) ?? '') ?? [];
  if (year === undefined || year === '0000') return undefined;
  if (month === '00') return year;
  if (day === '00') return `${year}-${month}`;
  const time = /^(\d\d)(\d\d)(\d\d)(?:([+-]\d\d)(\d\d))?$/u.exec(firstValue([iptc, 'TimeCreated']) ?? '');
  if (!time) return `${year}-${month}-${day}`;
  const [, hour = '', minute = '', second = '', zoneHour, zoneMinute = ''] = time;
  const zone = zoneHour === undefined ? '' : `${zoneHour}:${zoneMinute}`;
  return `${year}-${month}-${day}T${hour}:${minute}:${second}${zone}`;
}

function resolutionText({ x, y, unit }: NonNullable<EmbeddedMetadata['resolution']>): string {
  const round = (value: number): string => String(Math.round(value * 100) / 100);
  return `${round(x)} × ${round(y)}${unit === 'none' ? '' : ` per ${unit}`}`;
}

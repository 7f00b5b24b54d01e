import { MAX_SHORT_TEXT } from './bounds.ts';
import { first } from './descriptive.ts';
import type { EmbeddedMetadata, MetadataFields } from './embedded-metadata.ts';
import { cutText } from './text.ts';

/** What a list of images shows of one; each text at most 256 characters, line breaks made blanks. */
export interface ShortMetadata {
  readonly title?: string;
  readonly creator?: string;
  readonly copyright?: string;
  /** ISO 8601, as precise as the master says. */
  readonly dateTaken?: string;
  readonly iccName?: string;
  /** '600 × 600 per inch' */
  readonly resolution?: string;
}

/** The short form of a master's metadata. */
export function shortMetadata(metadata: EmbeddedMetadata): ShortMetadata {
  const { exif, iptc, xmp, text = {}, icc, resolution, descriptive } = metadata;
  const properties = xmp?.fields ?? {};
  const found: { [Key in keyof ShortMetadata]: string | undefined } = {
    title: first(
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
      first([exif, 'DateTimeOriginal'], [properties, 'exif:DateTimeOriginal'], [properties, 'photoshop:DateCreated']) ??
      iptcDate(iptc),
    iccName: icc?.description,
    resolution: resolution && resolutionText(resolution),
  };
  const bounded: Record<string, string> = {};
  for (const [name, value] of Object.entries(found)) {
    const line = cutText((value ?? '').replace(/\s+/gu, ' ').trim(), MAX_SHORT_TEXT);
    if (line !== '') bounded[name] = line;
  }
  return bounded;
}

/** IIM datasets 2:55 and 2:60: 'CCYYMMDD', 'HHMMSS±HHMM'; zeros for a month or a day that is not known. */
function iptcDate(iptc: MetadataFields): string | undefined {
  const [, year, month = '00', day = '00'] = /^(\d{4})(\d\d)(\d\d)$/u.exec(first([iptc, 'DateCreated']) ?? '') ?? [];
  if (year === undefined || year === '0000') return undefined;
  if (month === '00') return year;
  if (day === '00') return `${year}-${month}`;
  const time = /^(\d\d)(\d\d)(\d\d)(?:([+-]\d\d)(\d\d))?$/u.exec(first([iptc, 'TimeCreated']) ?? '');
  if (!time) return `${year}-${month}-${day}`;
  const [, hour = '', minute = '', second = '', zoneHour, zoneMinute = ''] = time;
  const zone = zoneHour === undefined ? '' : `${zoneHour}:${zoneMinute}`;
  return `${year}-${month}-${day}T${hour}:${minute}:${second}${zone}`;
}

function resolutionText({ x, y, unit }: NonNullable<EmbeddedMetadata['resolution']>): string {
  const round = (value: number): string => String(Math.round(value * 100) / 100);
  return `${round(x)} × ${round(y)}${unit === 'none' ? '' : ` per ${unit}`}`;
}

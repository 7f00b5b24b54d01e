/**
 * Names of fields, and of their enumerated values, from exifr's dictionaries. Its parsers are not used: they read dates
 * in the machine's time zone, take every text for UTF-8, lose a directory to one wrong field and believe any count.
 */
import exifr from 'exifr';

/** Of the first directory, what describes the picture; the others say how its pixels lie. */
const describing: ReadonlySet<number> = new Set([
  269, 270, 271, 272, 285, 305, 306, 315, 18_246, 33_432, 40_091, 40_092, 40_093, 40_094, 40_095, 50_708, 50_735,
]);

/** Pointers, blobs and padding. A MakerNote is never read: its form is the maker's, and it holds serial numbers. */
const unread: ReadonlySet<number> = new Set([0x9009, 0x927c, 0xa005, 0xa302, 0xea1c]);

/** Exif 2.32, section 4.6.5: the tags of the Exif directory. */
function isExifTag(tag: number): boolean {
  return (tag >= 0x829a && tag <= 0x8835) || (tag >= 0x9000 && tag <= 0x9405) || (tag >= 0xa000 && tag <= 0xa500);
}

/** The name of a field of the first directory, where it is one that is kept. */
export function imageFieldName(tag: number): string | undefined {
  return describing.has(tag) ? exifr.tagKeys.get('ifd0')?.get(tag) : undefined;
}

/** The name of a field of the Exif directory, where it is one that is kept. */
export function exifFieldName(tag: number): string | undefined {
  return isExifTag(tag) && !unread.has(tag) ? exifr.tagKeys.get('exif')?.get(tag) : undefined;
}

export function gpsFieldName(tag: number): string | undefined {
  return exifr.tagKeys.get('gps')?.get(tag);
}

/** The name of a dataset of IPTC-IIM record 2. */
export function iptcFieldName(dataset: number): string | undefined {
  return exifr.tagKeys.get('iptc')?.get(dataset);
}

/** What a number stands for, in the fields that enumerate: 'Manual', 'Daylight'. */
export function exifValueName(tag: number, value: number): string | undefined {
  const names = exifr.tagValues.get('exif')?.get(tag) as Readonly<Record<string, string>> | undefined;
  return names?.[String(value)];
}

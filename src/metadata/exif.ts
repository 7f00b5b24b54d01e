import type { RangeReader } from '../bytes/range-reader.ts';
import { Tag } from '../tiff/tags.ts';
import { MAX_TEXT_LENGTH } from './bounds.ts';
import type { MetadataFields, Resolution } from './embedded-metadata.ts';
import { exifFieldName, imageFieldName, photographFieldName } from './exif-names.ts';
import { exifDate, readExifValue, readGpsValue } from './exif-values.ts';
import { gpsFieldName } from './gps-names.ts';
import { type Ifd, openTiffStream, readFieldNumbers, readIfd, type TiffStream } from './ifd.ts';
import { type Warnings, MalformedMetadataError } from './warnings.ts';

const EXIF_IFD = 34_665;
const GPS_IFD = 34_853;

export interface ExifBlock {
  readonly stream: TiffStream;
  readonly ifd0: Ifd;
  readonly exif: MetadataFields;
  readonly gps?: MetadataFields | undefined;
  readonly resolution?: Resolution | undefined;
}

/**
 * Reads IFD0, the Exif IFD and the GPS IFD. IFD1 is not read, because it describes the thumbnail.
 * Throws MalformedMetadataError when there is no IFD0.
 */
export async function readExif(reader: RangeReader, warnings: Warnings): Promise<ExifBlock> {
  const stream = await openTiffStream(reader);
  const ifd0 = await readIfd(stream, stream.first, 'first directory', warnings);
  const seen = new Set([stream.first]);
  const follow = (tag: number, name: string): Promise<Ifd | undefined> =>
    warnings.attempt(name, async () => {
      const pointer = ifd0.get(tag);
      const [offset] = (pointer && (await readFieldNumbers(stream, pointer))) ?? [];
      if (offset === undefined) return undefined;
      if (seen.has(offset))
        throw new MalformedMetadataError(
          'Expected an offset of its own for the directory but received that of another',
        );
      seen.add(offset);
      return readIfd(stream, offset, name, warnings);
    });
  const exifIfd = await follow(EXIF_IFD, 'Exif directory');
  const gpsIfd = await follow(GPS_IFD, 'GPS directory');
  const image = await readFields(stream, ifd0, imageFieldName, readExifValue, warnings);
  // TIFF/EP (ISO 12234-2) has no Exif directory; its fields are in IFD0.
  const ownPhoto = await readFields(stream, ifd0, photoFieldName, readExifValue, warnings);
  const photo = exifIfd ? await readFields(stream, exifIfd, exifFieldName, readExifValue, warnings) : {};
  const gps = gpsIfd ? await readFields(stream, gpsIfd, gpsFieldName, readGpsValue, warnings) : {};
  return {
    stream,
    ifd0,
    exif: withIsoDates({ ...ownPhoto, ...photo, ...image }),
    ...(Object.keys(gps).length > 0 ? { gps: withDegrees(gps) } : {}),
    resolution: await warnings.attempt('resolution', () => readResolution(stream, ifd0)),
  };
}

/** Names of Exif fields that the first directory does not also have for the picture itself. */
function photoFieldName(tag: number): string | undefined {
  return imageFieldName(tag) === undefined ? photographFieldName(tag) : undefined;
}

async function readFields(
  stream: TiffStream,
  ifd: Ifd,
  nameOf: (tag: number) => string | undefined,
  read: typeof readExifValue,
  warnings: Warnings,
): Promise<MetadataFields> {
  const fields: MetadataFields = {};
  for (const field of ifd.values()) {
    const name = nameOf(field.tag);
    if (name === undefined) continue;
    const value = await warnings.attempt(name, () => read(stream, field));
    if (value === undefined) continue;
    fields[name] = value;
    const isCut = typeof value === 'string' && value.length >= MAX_TEXT_LENGTH - 1 && field.bytes > MAX_TEXT_LENGTH;
    if (isCut) warnings.add(`${name}: only the first ${MAX_TEXT_LENGTH} characters are kept`);
  }
  return fields;
}

/**
 * Combines each date with its fields for fractional seconds and UTC offset (Exif 2.32, section
 * 4.6.5 F).
 */
function withIsoDates(fields: MetadataFields): MetadataFields {
  const dates = [
    ['ModifyDate', 'SubSecTime', 'OffsetTime'],
    ['DateTimeOriginal', 'SubSecTimeOriginal', 'OffsetTimeOriginal'],
    ['CreateDate', 'SubSecTimeDigitized', 'OffsetTimeDigitized'],
  ] as const;
  const dated = { ...fields };
  for (const [name, fraction, offset] of dates) {
    const date = exifDate(fields[name], fields[fraction], fields[offset]);
    if (date !== undefined) dated[name] = date;
  }
  return dated;
}

function withDegrees(gps: MetadataFields): MetadataFields {
  const latitude = degrees(gps['GPSLatitude'], gps['GPSLatitudeRef'] === 'S', 90);
  const longitude = degrees(gps['GPSLongitude'], gps['GPSLongitudeRef'] === 'W', 180);
  return latitude === undefined || longitude === undefined ? gps : { ...gps, latitude, longitude };
}

function degrees(value: MetadataFields[string] | undefined, negative: boolean, limit: number): number | undefined {
  if (!Array.isArray(value)) return undefined;
  const [whole, minutes = 0, seconds = 0] = value;
  if (typeof whole !== 'number' || typeof minutes !== 'number' || typeof seconds !== 'number') return undefined;
  const sum = whole + minutes / 60 + seconds / 3600;
  return sum >= 0 && sum <= limit ? (negative ? -sum : sum) : undefined;
}

const units: Readonly<Record<number, Resolution['unit']>> = { 1: 'none', 2: 'inch', 3: 'cm' };

/** The resolution fields (TIFF 6.0, section 8); the default unit is the inch. */
async function readResolution(stream: TiffStream, ifd0: Ifd): Promise<Resolution | undefined> {
  const number = async (tag: number): Promise<number | undefined> => {
    const field = ifd0.get(tag);
    return field && (await readFieldNumbers(stream, field))?.[0];
  };
  const unit = units[(await number(Tag.ResolutionUnit)) ?? 2];
  return resolutionOf(await number(Tag.XResolution), await number(Tag.YResolution), unit);
}

/** The resolution if both numbers are positive and the unit is known. */
export function resolutionOf(
  x: number | undefined,
  y: number | undefined,
  unit: Resolution['unit'] | undefined,
): Resolution | undefined {
  if (unit === undefined || !isPositive(x) || !isPositive(y)) return undefined;
  return { x, y, unit };
}

function isPositive(value: number | undefined): value is number {
  return value !== undefined && Number.isFinite(value) && value > 0;
}

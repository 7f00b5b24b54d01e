/** Converts the values of Exif fields to texts and numbers. */
import { latin1 } from '../bytes/views.ts';
import { FieldType } from '../tiff/tags.ts';
import type { MetadataValue } from './embedded-metadata.ts';
import { exifValueName } from './exif-value-names.ts';
import { type IfdField, readFieldBytes, readFieldNumbers, type TiffStream } from './ifd.ts';
import { cleanText, cutText, decodeText } from './text.ts';
import { MAX_TEXT_LENGTH } from './bounds.ts';

const COPYRIGHT = 33_432;
const USER_COMMENT = 0x9286;
/** The fields XPTitle to XPSubject of Windows: UTF-16, little-endian. */
const XP_FIRST = 0x9c9b;
const XP_LAST = 0x9c9f;
const versions: ReadonlySet<number> = new Set([0x9000, 0xa000]);
/** Fields of one enumerated byte: FileSource, SceneType. */
const codes: ReadonlySet<number> = new Set([0xa300, 0xa301]);

/** The value of a field of IFD0 or the Exif IFD. Undefined for empty values and blobs. */
export async function readExifValue(stream: TiffStream, field: IfdField): Promise<MetadataValue | undefined> {
  const { tag, type } = field;
  if (tag === USER_COMMENT) return characterCodedText(await readFieldBytes(stream, field), stream.littleEndian);
  if (tag >= XP_FIRST && tag <= XP_LAST) return nonEmpty(cleanText(utf16(await readFieldBytes(stream, field), true)));
  if (type === FieldType.ASCII) return asciiValue(tag, await readFieldBytes(stream, field));
  if (type !== FieldType.UNDEFINED) return numbersValue(tag, await readFieldNumbers(stream, field));
  if (versions.has(tag)) return version(latin1(await readFieldBytes(stream, field)));
  if (!codes.has(tag)) return undefined;
  const [code] = await readFieldBytes(stream, field);
  return code === undefined ? undefined : (exifValueName(tag, code) ?? code);
}

/** The value of a field of the GPS IFD (Exif 2.32, section 4.6.6). */
export async function readGpsValue(stream: TiffStream, field: IfdField): Promise<MetadataValue | undefined> {
  if (field.type === FieldType.ASCII) return nonEmpty(cleanText(decodeText(await readFieldBytes(stream, field))));
  if (field.type === FieldType.UNDEFINED)
    return characterCodedText(await readFieldBytes(stream, field), stream.littleEndian);
  const numbers = await readFieldNumbers(stream, field);
  return field.tag === 0 ? numbers?.join('.') : numberOrList(numbers);
}

function asciiValue(tag: number, bytes: Uint8Array): string | undefined {
  // The value consists of the photographer's and the editor's copyright, NUL-terminated (Exif 2.32,
  // 4.6.4 D).
  if (tag !== COPYRIGHT) return nonEmpty(cleanText(decodeText(bytes)));
  const notices = decodeText(bytes)
    .split('\0')
    .map((notice) => cleanText(notice))
    .filter((notice) => notice !== '');
  return nonEmpty(cutText(notices.slice(0, 2).join('; '), MAX_TEXT_LENGTH));
}

function numbersValue(tag: number, numbers: number[] | undefined): MetadataValue | undefined {
  const [first] = numbers ?? [];
  const name = numbers?.length === 1 && first !== undefined ? exifValueName(tag, first) : undefined;
  return name ?? numberOrList(numbers);
}

/** One number or a list. Fractions with denominator zero mean unknown. */
function numberOrList(numbers: number[] | undefined): MetadataValue | undefined {
  const [first] = numbers ?? [];
  if (!numbers || first === undefined || !numbers.some(Number.isFinite)) return undefined;
  return numbers.length === 1 ? first : numbers.map((value) => (Number.isFinite(value) ? value : 'unknown'));
}

/** Decodes a text after its eight-byte character code (Exif 2.32, section 4.6.5 D). */
function characterCodedText(bytes: Uint8Array, littleEndian: boolean): string | undefined {
  const code = latin1(bytes.subarray(0, 8)).replace(/\0+$/u, '');
  const text = bytes.subarray(8);
  if (code === 'ASCII' || code === '') return nonEmpty(cleanText(decodeText(text)));
  return code === 'UNICODE' ? nonEmpty(cleanText(utf16(text, littleEndian))) : undefined;
}

function utf16(bytes: Uint8Array, littleEndian: boolean): string {
  return new TextDecoder(littleEndian ? 'utf-16le' : 'utf-16be').decode(bytes);
}

/** Converts '0232' to '2.32'. */
function version(digits: string): string | undefined {
  const [, major, minor] = /^(\d\d)(\d\d)$/u.exec(digits) ?? [];
  return major === undefined || minor === undefined ? undefined : `${Number(major)}.${minor}`;
}

/**
 * Converts 'YYYY:MM:DD HH:MM:SS' to ISO 8601, with fractional seconds and UTC offset only if the
 * master has them.
 * Undefined for an invalid date.
 */
export function exifDate(
  date: MetadataValue | undefined,
  fraction?: MetadataValue,
  offset?: MetadataValue,
): string | undefined {
  if (typeof date !== 'string') return undefined;
  const parts = /^(\d{4})[:-](\d\d)[:-](\d\d)[ T](\d\d):(\d\d):(\d\d)/u.exec(date);
  if (!parts) return undefined;
  const [year, month, day, hour, minute, second] = parts.slice(1);
  if (!isBetween(month, 1, 12) || !isBetween(day, 1, 31)) return undefined;
  if (!isBetween(hour, 0, 23) || !isBetween(minute, 0, 59) || !isBetween(second, 0, 60)) return undefined;
  const digits = typeof fraction === 'string' && /^\d{1,9}$/u.test(fraction) ? `.${fraction}` : '';
  const zone = typeof offset === 'string' && /^[+-]\d\d:\d\d$/u.test(offset) ? offset : '';
  return `${year ?? ''}-${month ?? ''}-${day ?? ''}T${hour ?? ''}:${minute ?? ''}:${second ?? ''}${digits}${zone}`;
}

function isBetween(digits: string | undefined, least: number, most: number): boolean {
  const value = Number(digits);
  return value >= least && value <= most;
}

function nonEmpty(text: string): string | undefined {
  return text === '' ? undefined : text;
}

/**
 * A lenient reader of the directories of an Exif block or a TIFF. `src/tiff/read.ts` refuses a
 * directory with an invalid field, because decoding depends on it; this reader skips the field.
 */
import type { RangeReader } from '../bytes/range-reader.ts';
import { viewOf } from '../bytes/views.ts';
import { FieldType, fieldBytes } from '../tiff/tags.ts';
import { readExactly } from './bounded-reader.ts';
import { MAX_IFD_FIELDS, MAX_FIELD_NUMBERS, MAX_TEXT_LENGTH } from './bounds.ts';
import { MalformedMetadataError, type Warnings } from './warnings.ts';

/** A TIFF structure: a TIFF file or the Exif block of a file of another format. */
export interface TiffStream {
  readonly reader: RangeReader;
  readonly littleEndian: boolean;
  readonly bigTiff: boolean;
  /** Offset of IFD0. Bytes. */
  readonly first: number;
}

export interface IfdField {
  readonly tag: number;
  readonly type: number;
  readonly count: number;
  readonly offset: number;
  /** Bytes of all values. */
  readonly bytes: number;
}

export type Ifd = ReadonlyMap<number, IfdField>;

/** Reads the header. Throws MalformedMetadataError if it is invalid. */
export async function openTiffStream(reader: RangeReader): Promise<TiffStream> {
  const header = viewOf(await readExactly(reader, 0, 8));
  const mark = header.getUint16(0, true);
  if (mark !== 0x4949 && mark !== 0x4d4d) throw new MalformedMetadataError('Expected II or MM for the byte order');
  const littleEndian = mark === 0x4949;
  const version = header.getUint16(2, littleEndian);
  if (version === 42) return { reader, littleEndian, bigTiff: false, first: header.getUint32(4, littleEndian) };
  if (version !== 43) throw new MalformedMetadataError(`Expected TIFF version 42 or 43 but received ${version}`);
  const first = viewOf(await readExactly(reader, 8, 8)).getBigUint64(0, littleEndian);
  return { reader, littleEndian, bigTiff: true, first: Number(first) };
}

/**
 * Reads the directory at `offset`: the first field of each tag, without fields whose values end
 * past the stream.
 * Throws MalformedMetadataError when there is no directory.
 */
export async function readIfd(stream: TiffStream, offset: number, name: string, warnings: Warnings): Promise<Ifd> {
  const { reader, littleEndian, bigTiff } = stream;
  const shape = bigTiff ? { count: 8, entry: 20, pointer: 8 } : { count: 2, entry: 12, pointer: 4 };
  const counted = viewOf(await readExactly(reader, offset, shape.count));
  const fields = bigTiff ? Number(counted.getBigUint64(0, littleEndian)) : counted.getUint16(0, littleEndian);
  if (fields === 0) throw new MalformedMetadataError('Expected a directory with fields but received none');
  if (fields > MAX_IFD_FIELDS) warnings.add(`${name}: only ${MAX_IFD_FIELDS} of its ${fields} fields are read`);
  const start = offset + shape.count;
  const room = Math.floor((reader.size - start) / shape.entry);
  if (room < fields) warnings.add(`${name}: cut off after ${room} of ${fields} fields`);
  const readable = Math.min(fields, room, MAX_IFD_FIELDS);
  const table = viewOf(await readExactly(reader, start, readable * shape.entry));
  const pointer = (at: number): number =>
    bigTiff ? Number(table.getBigUint64(at, littleEndian)) : table.getUint32(at, littleEndian);
  const ifd = new Map<number, IfdField>();
  for (let at = 0; at < readable * shape.entry; at += shape.entry) {
    const tag = table.getUint16(at, littleEndian);
    const type = table.getUint16(at + 2, littleEndian);
    const count = pointer(at + 4);
    const bytes = count * (fieldBytes[type] ?? 0);
    if (bytes === 0 || ifd.has(tag)) continue;
    const inline = bytes <= shape.pointer;
    const place = inline ? start + at + 4 + shape.pointer : pointer(at + 4 + shape.pointer);
    if (place + bytes > reader.size) warnings.add(`${name}: the values of tag ${tag} lie past the end`);
    else ifd.set(tag, { tag, type, count, offset: place, bytes });
  }
  return ifd;
}

/**
 * The values of a field as numbers, RATIONALs as quotients. Undefined for texts, blobs and more
 * than 64 values.
 */
export async function readFieldNumbers(stream: TiffStream, field: IfdField): Promise<number[] | undefined> {
  const read = numberReaders[field.type];
  if (!read || field.count > MAX_FIELD_NUMBERS) return undefined;
  const values = viewOf(await readExactly(stream.reader, field.offset, field.bytes));
  const step = fieldBytes[field.type] ?? 1;
  return Array.from({ length: field.count }, (_, index) => read(values, index * step, stream.littleEndian));
}

/**
 * The first bytes of a field, up to the UTF-8 size of the longest text, without splitting a
 * character.
 */
export async function readFieldBytes(stream: TiffStream, field: IfdField): Promise<Uint8Array> {
  const most = 4 * MAX_TEXT_LENGTH;
  if (field.bytes <= most) return readExactly(stream.reader, field.offset, field.bytes);
  const bytes = await readExactly(stream.reader, field.offset, most);
  // Continuation bytes of UTF-8 start with the bits 10; the byte before them starts the character.
  const tail = bytes.subarray(-4).findLastIndex((byte) => (byte & 0xc0) !== 0x80);
  return bytes.subarray(0, most - 4 + Math.max(tail, 0));
}

type NumberReader = (values: DataView, at: number, littleEndian: boolean) => number;

const numberReaders: Readonly<Record<number, NumberReader>> = {
  [FieldType.BYTE]: (values, at) => values.getUint8(at),
  [FieldType.SBYTE]: (values, at) => values.getInt8(at),
  [FieldType.SHORT]: (values, at, little) => values.getUint16(at, little),
  [FieldType.SSHORT]: (values, at, little) => values.getInt16(at, little),
  [FieldType.LONG]: (values, at, little) => values.getUint32(at, little),
  [FieldType.IFD]: (values, at, little) => values.getUint32(at, little),
  [FieldType.SLONG]: (values, at, little) => values.getInt32(at, little),
  [FieldType.RATIONAL]: (values, at, little) => values.getUint32(at, little) / values.getUint32(at + 4, little),
  [FieldType.SRATIONAL]: (values, at, little) => values.getInt32(at, little) / values.getInt32(at + 4, little),
  [FieldType.FLOAT]: (values, at, little) => values.getFloat32(at, little),
  [FieldType.DOUBLE]: (values, at, little) => values.getFloat64(at, little),
  [FieldType.LONG8]: (values, at, little) => Number(values.getBigUint64(at, little)),
  [FieldType.SLONG8]: (values, at, little) => Number(values.getBigInt64(at, little)),
  [FieldType.IFD8]: (values, at, little) => Number(values.getBigUint64(at, little)),
};

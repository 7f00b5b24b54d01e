/**
 * Reads the directories of a TIFF that nobody vouches for: classic or BigTIFF, either byte order. No count, offset or
 * length in it is trusted: each is checked against the file before anything of that size is read.
 */
import { MalformedTiffError } from '../errors.ts';
import type { RangeReader } from '../bytes/range-reader.ts';
import { FieldType, fieldBytes } from './tags.ts';

/** A field of a directory and where its values lie. */
export interface Entry {
  readonly tag: number;
  readonly type: number;
  /** Number of values. */
  readonly count: number;
  /** Offset of the first value in the file. */
  readonly offset: number;
  /** Bytes of all values. */
  readonly bytes: number;
}

export type Directory = ReadonlyMap<number, Entry>;

export interface TiffFile {
  readonly reader: RangeReader;
  readonly littleEndian: boolean;
  readonly bigTiff: boolean;
  /** In the order of the chain; SubIFDs are not followed. */
  readonly directories: readonly Directory[];
  /** The chain went on after the last directory here. */
  readonly more: boolean;
}

/** A real directory has a few dozen fields; libtiff's own codecs and private tags stay far below this. */
const MAX_FIELDS = 4096;

/**
 * Reads the header and up to `maxDirectories` directories of the chain.
 * Throws MalformedTiffError, with the offset, for anything that is not a TIFF: a loop, a value past the end, no fields.
 */
export async function readTiff(reader: RangeReader, maxDirectories = 1000): Promise<TiffFile> {
  const header = view(await reader.read(0, 16));
  if (header.byteLength < 8) throw new MalformedTiffError('Expected at least 8 bytes of TIFF header');
  const littleEndian = byteOrder(header);
  const version = header.getUint16(2, littleEndian);
  if (version !== 42 && version !== 43) {
    throw new MalformedTiffError(`Expected version 42 or 43 for the TIFF header but received ${version}`);
  }
  const bigTiff = version === 43;
  if (bigTiff && (header.byteLength < 16 || header.getUint16(4, littleEndian) !== 8)) {
    throw new MalformedTiffError('Expected 8-byte offsets for the BigTIFF header');
  }
  const directories: Directory[] = [];
  const seen = new Set<number>();
  let next = bigTiff ? readUint64(header, 8, littleEndian) : header.getUint32(4, littleEndian);
  if (next === 0) throw new MalformedTiffError('Expected a first directory but received offset 0x0');
  while (next !== 0 && directories.length < maxDirectories) {
    if (seen.has(next)) throw new MalformedTiffError(`Expected a chain of directories but ${hex(next)} comes twice`);
    seen.add(next);
    const read = await readDirectory(reader, next, littleEndian, bigTiff);
    directories.push(read.directory);
    next = read.next;
  }
  return { reader, littleEndian, bigTiff, directories, more: next !== 0 };
}

async function readDirectory(
  reader: RangeReader,
  offset: number,
  littleEndian: boolean,
  bigTiff: boolean,
): Promise<{ directory: Directory; next: number }> {
  const shape = bigTiff ? { count: 8, entry: 20, pointer: 8 } : { count: 2, entry: 12, pointer: 4 };
  const counted = await readWhole(reader, offset, shape.count);
  const fields = bigTiff ? readUint64(counted, 0, littleEndian) : counted.getUint16(0, littleEndian);
  if (fields === 0 || fields > MAX_FIELDS) {
    throw new MalformedTiffError(`Expected 1 to ${MAX_FIELDS} fields at ${hex(offset)} but received ${fields}`);
  }
  const start = offset + shape.count;
  const table = await readWhole(reader, start, fields * shape.entry + shape.pointer);
  const pointer = (at: number): number =>
    bigTiff ? readUint64(table, at, littleEndian) : table.getUint32(at, littleEndian);
  const directory = new Map<number, Entry>();
  for (let index = 0; index < fields; index++) {
    const at = index * shape.entry;
    const tag = table.getUint16(at, littleEndian);
    const type = table.getUint16(at + 2, littleEndian);
    const count = pointer(at + 4);
    const bytes = count * (fieldBytes[type] ?? 0);
    // Readers must skip types they do not know (TIFF 6.0, section 2), and a tag that comes twice counts once.
    if (bytes === 0 || directory.has(tag)) continue;
    const inline = bytes <= shape.pointer;
    const valuesAt = inline ? start + at + 4 + shape.pointer : pointer(at + 4 + shape.pointer);
    if (valuesAt + bytes > reader.size) {
      throw new MalformedTiffError(
        `Expected the values of tag ${tag} within ${reader.size} bytes but they end at ${hex(valuesAt + bytes)}`,
        { cutShort: true },
      );
    }
    directory.set(tag, { tag, type, count, offset: valuesAt, bytes });
  }
  return { directory, next: pointer(fields * shape.entry) };
}

/**
 * The values of a field as numbers, the first `atMost` of them: how many a file claims is its own affair. Undefined when
 * the directory has no such field. RATIONALs come as quotients.
 */
export async function readNumbers(
  file: TiffFile,
  directory: Directory,
  tag: number,
  atMost = Infinity,
): Promise<number[] | undefined> {
  const entry = directory.get(tag);
  if (!entry) return undefined;
  const count = Math.min(entry.count, atMost);
  const step = fieldBytes[entry.type] ?? 1;
  const values = await readWhole(file.reader, entry.offset, count * step);
  const read = numberReader(values, entry.type, file.littleEndian);
  return Array.from({ length: count }, (_, index) => read(index * step));
}

/** Values `first` to `first + count` of a field. Throws MalformedTiffError when it has fewer. */
export async function readNumbersAt(
  file: TiffFile,
  directory: Directory,
  tag: number,
  first: number,
  count: number,
): Promise<number[]> {
  const entry = directory.get(tag);
  if (!entry || first + count > entry.count) {
    throw new MalformedTiffError(`Expected ${first + count} values for tag ${tag} but received ${entry?.count ?? 0}`);
  }
  const step = fieldBytes[entry.type] ?? 1;
  const values = await readWhole(file.reader, entry.offset + first * step, count * step);
  const read = numberReader(values, entry.type, file.littleEndian);
  return Array.from({ length: count }, (_, index) => read(index * step));
}

/** The first value of a field, or `fallback` where the directory has no such field. */
export async function readNumber(file: TiffFile, directory: Directory, tag: number, fallback: number): Promise<number> {
  const values = await readNumbers(file, directory, tag, 1);
  return values?.[0] ?? fallback;
}

/** The raw bytes of a field's values, in the file's byte order. */
export async function readBytes(file: TiffFile, directory: Directory, tag: number): Promise<Uint8Array | undefined> {
  const entry = directory.get(tag);
  if (!entry) return undefined;
  const bytes = await readWhole(file.reader, entry.offset, entry.bytes);
  return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function numberReader(values: DataView, type: number, little: boolean): (at: number) => number {
  switch (type) {
    case FieldType.BYTE:
    case FieldType.ASCII:
    case FieldType.UNDEFINED:
      return (at) => values.getUint8(at);
    case FieldType.SBYTE:
      return (at) => values.getInt8(at);
    case FieldType.SHORT:
      return (at) => values.getUint16(at, little);
    case FieldType.SSHORT:
      return (at) => values.getInt16(at, little);
    case FieldType.LONG:
    case FieldType.IFD:
      return (at) => values.getUint32(at, little);
    case FieldType.SLONG:
      return (at) => values.getInt32(at, little);
    case FieldType.RATIONAL:
      return (at) => values.getUint32(at, little) / values.getUint32(at + 4, little);
    case FieldType.SRATIONAL:
      return (at) => values.getInt32(at, little) / values.getInt32(at + 4, little);
    case FieldType.FLOAT:
      return (at) => values.getFloat32(at, little);
    case FieldType.DOUBLE:
      return (at) => values.getFloat64(at, little);
    case FieldType.SLONG8:
      return (at) => Number(values.getBigInt64(at, little));
    default:
      return (at) => readUint64(values, at, little);
  }
}

async function readWhole(reader: RangeReader, offset: number, length: number): Promise<DataView> {
  if (offset + length > reader.size) {
    throw new MalformedTiffError(
      `Expected ${length} bytes at ${hex(offset)} but the file ends at ${hex(reader.size)}`,
      { cutShort: true },
    );
  }
  return view(await reader.read(offset, length));
}

function byteOrder(header: DataView): boolean {
  const mark = header.getUint16(0, true);
  if (mark === 0x4949) return true;
  if (mark === 0x4d4d) return false;
  throw new MalformedTiffError(`Expected II or MM for the byte order but received ${hex(mark)}`);
}

/** Numbers beyond 2^53 lose their last digits, but stay far past the end of any file, where they are refused. */
function readUint64(bytes: DataView, at: number, littleEndian: boolean): number {
  return Number(bytes.getBigUint64(at, littleEndian));
}

function view(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function hex(offset: number): string {
  return `0x${offset.toString(16)}`;
}

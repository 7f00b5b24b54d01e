/**
 * Reads the directories of an untrusted TIFF: classic or BigTIFF, either byte order. Every count,
 * offset and length is checked against the size of the file before that many bytes are read.
 */
import { MalformedTiffError } from '../errors.ts';
import type { RangeReader } from '../bytes/range-reader.ts';
import { codingTags, FieldType, fieldBytes, Tag } from './tags.ts';

/** A field of a directory and the position of its values. */
export interface DirectoryEntry {
  readonly tag: number;
  readonly type: number;
  /** Number of values. */
  readonly count: number;
  /** Offset of the first value in the file. */
  readonly offset: number;
  /** Bytes of all values. */
  readonly bytes: number;
}

export type Directory = ReadonlyMap<number, DirectoryEntry>;

export interface TiffFile {
  readonly reader: RangeReader;
  readonly littleEndian: boolean;
  readonly bigTiff: boolean;
  /** In the order of the IFD chain; SubIFDs are not followed. */
  readonly directories: readonly Directory[];
  /** Offset of each directory. Bytes. */
  readonly offsets: readonly number[];
  /** True when the chain continues after the last directory read. */
  readonly more: boolean;
}

/** Largest accepted number of fields of a directory. Real directories have a few dozen. */
const MAX_FIELDS = 4096;

/** Fields without which the pixels cannot be read. All others are metadata. */
const essentialTags: ReadonlySet<number> = new Set([
  ...codingTags,
  ...[Tag.ImageWidth, Tag.ImageLength, Tag.StripOffsets, Tag.StripByteCounts, Tag.TileOffsets, Tag.TileByteCounts],
]);

/**
 * Reads the header and up to `maxDirectories` directories of the chain. Throws MalformedTiffError,
 * with the offset, for a file that is not a TIFF, a loop in the chain, values past the end of the
 * file that decoding depends on and a directory without fields. Metadata past the end is left out.
 */
export async function readTiff(reader: RangeReader, maxDirectories = 1000): Promise<TiffFile> {
  const header = view(await reader.read(0, 16));
  if (header.byteLength < 8)
    throw new MalformedTiffError(`Expected at least 8 bytes for the TIFF header but received ${header.byteLength}`);
  const littleEndian = byteOrder(header);
  const version = header.getUint16(2, littleEndian);
  if (version !== 42 && version !== 43) {
    throw new MalformedTiffError(`Expected version 42 or 43 for the TIFF header but received ${version}`);
  }
  const bigTiff = version === 43;
  if (bigTiff && (header.byteLength < 16 || header.getUint16(4, littleEndian) !== 8)) {
    throw new MalformedTiffError(
      'Expected 16 bytes with 8-byte offsets for the BigTIFF header but received another form',
    );
  }
  const directories: Directory[] = [];
  const seen = new Set<number>();
  let next = bigTiff ? readUint64(header, 8, littleEndian) : header.getUint32(4, littleEndian);
  if (next === 0)
    throw new MalformedTiffError('Expected the offset of a directory for the TIFF header but received 0x0');
  while (next !== 0 && directories.length < maxDirectories) {
    if (seen.has(next))
      throw new MalformedTiffError(`Expected a chain of distinct directories but received ${hex(next)} twice`);
    seen.add(next);
    const read = await readDirectory(reader, next, littleEndian, bigTiff);
    directories.push(read.directory);
    next = read.next;
  }
  return { reader, littleEndian, bigTiff, directories, offsets: [...seen], more: next !== 0 };
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
    throw new MalformedTiffError(
      `Expected 1 to ${MAX_FIELDS} fields for the directory at ${hex(offset)} but received ${fields}`,
    );
  }
  const start = offset + shape.count;
  const table = await readWhole(reader, start, fields * shape.entry + shape.pointer);
  const pointer = (at: number): number =>
    bigTiff ? readUint64(table, at, littleEndian) : table.getUint32(at, littleEndian);
  const directory = new Map<number, DirectoryEntry>();
  for (let index = 0; index < fields; index++) {
    const at = index * shape.entry;
    const tag = table.getUint16(at, littleEndian);
    const type = table.getUint16(at + 2, littleEndian);
    const count = pointer(at + 4);
    const bytes = count * (fieldBytes[type] ?? 0);
    // Readers must skip unknown types (TIFF 6.0, section 2). Of repeated tags the first one counts.
    if (bytes === 0 || directory.has(tag)) continue;
    const inline = bytes <= shape.pointer;
    const valuesAt = inline ? start + at + 4 + shape.pointer : pointer(at + 4 + shape.pointer);
    if (valuesAt + bytes > reader.size && !essentialTags.has(tag)) continue;
    if (valuesAt + bytes > reader.size) {
      throw new MalformedTiffError(
        `Expected an end within ${reader.size} bytes for the values of tag ${tag} but received ${hex(valuesAt + bytes)}`,
        { cutShort: true },
      );
    }
    directory.set(tag, { tag, type, count, offset: valuesAt, bytes });
  }
  return { directory, next: pointer(fields * shape.entry) };
}

/**
 * The values of a field as numbers, at most the first `atMost`, whatever count the file declares.
 * RATIONALs are returned as quotients. Undefined when the directory does not have the field.
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

/**
 * Values `first` to `first + count - 1` of a field. Throws MalformedTiffError when it has fewer.
 */
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

/** The first value of a field, or `fallback` when the directory does not have the field. */
export async function readNumber(file: TiffFile, directory: Directory, tag: number, fallback: number): Promise<number> {
  const values = await readNumbers(file, directory, tag, 1);
  return values?.[0] ?? fallback;
}

/** The raw bytes of a field's values, in the file's byte order. */
export async function readBytes(file: TiffFile, directory: Directory, tag: number): Promise<Uint8Array | undefined> {
  const entry = directory.get(tag);
  return entry && bytesOfField(file, entry);
}

/**
 * Reads single values of a field of many, such as a tile table, from its bytes: a function of the
 * index of the value. Undefined when the directory does not have the field.
 */
export async function readTable(
  file: TiffFile,
  directory: Directory,
  tag: number,
): Promise<{ readonly count: number; readonly value: (index: number) => number } | undefined> {
  const entry = directory.get(tag);
  if (!entry) return undefined;
  const step = fieldBytes[entry.type] ?? 1;
  // A copy, because the bytes of a reader may be a view of much more memory.
  const bytes = Uint8Array.from(await bytesOfField(file, entry));
  const read = numberReader(view(bytes), entry.type, file.littleEndian);
  return { count: entry.count, value: (index) => read(index * step) };
}

async function bytesOfField(file: TiffFile, { offset, bytes }: DirectoryEntry): Promise<Uint8Array> {
  const values = await readWhole(file.reader, offset, bytes);
  return new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
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
      `Expected ${length} bytes at ${hex(offset)} but received a file that ends at ${hex(reader.size)}`,
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

/**
 * Values above 2^53 are rounded; they remain larger than any file, so the checks against its size
 * refuse them.
 */
function readUint64(bytes: DataView, at: number, littleEndian: boolean): number {
  return Number(bytes.getBigUint64(at, littleEndian));
}

function view(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function hex(offset: number): string {
  return `0x${offset.toString(16)}`;
}

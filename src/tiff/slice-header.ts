/**
 * Header and directory of a slice: the master's fields, except image size and chunk table, in the
 * master's byte order.
 */
import type { DirectoryInfo } from './directory-info.ts';
import { type Directory, readBytes, type TiffFile } from './read.ts';
import { codingTags, FieldType, fieldBytes, Tag, Photometric } from './tags.ts';

/**
 * A rectangle of the stored image, before orientation is applied. Pixels; `right`, `bottom`
 * exclusive.
 */
export interface StoredRect {
  readonly left: number;
  readonly top: number;
  readonly right: number;
  readonly bottom: number;
}

/** Position of a chunk (a strip or tile) in the master. Bytes. */
export interface ChunkRange {
  readonly offset: number;
  readonly byteCount: number;
}

/**
 * Fields that decoding depends on. All others are left out, because libtiff warns about damaged
 * ones.
 */
const decodingTags: ReadonlySet<number> = new Set([...codingTags, Tag.Orientation, Tag.IccProfile]);

/**
 * A field with its values as stored in the file; `bytes` is empty for the two fields of the chunk
 * table.
 */
export interface RawField {
  readonly tag: number;
  readonly type: number;
  readonly count: number;
  readonly bytes: Uint8Array;
}

/** The fields of a slice that holds `rect` in `chunkCount` chunks, sorted by tag. */
export async function sliceFields(
  file: TiffFile,
  directory: Directory,
  rect: StoredRect,
  chunkCount: number,
): Promise<RawField[]> {
  const fields: RawField[] = [];
  const tiled = directory.has(Tag.TileWidth);
  for (const { tag, type, count } of directory.values()) {
    if (!decodingTags.has(tag)) continue;
    fields.push({ tag, type, count, bytes: (await readBytes(file, directory, tag)) ?? new Uint8Array() });
  }
  const pointer = file.bigTiff ? FieldType.LONG8 : FieldType.LONG;
  const blank = (tag: number): RawField => ({ tag, type: pointer, count: chunkCount, bytes: new Uint8Array(0) });
  fields.push(
    longField(file, Tag.ImageWidth, rect.right - rect.left),
    longField(file, Tag.ImageLength, rect.bottom - rect.top),
  );
  fields.push(
    blank(tiled ? Tag.TileOffsets : Tag.StripOffsets),
    blank(tiled ? Tag.TileByteCounts : Tag.StripByteCounts),
  );
  return fields.sort((a, b) => a.tag - b.tag);
}

/**
 * The fields with the depth of decoded samples, and with ExtraSamples for every sample beside the
 * colours; libtiff reports a field of another length.
 */
export function withDecodedSamples(
  file: TiffFile,
  fields: readonly RawField[],
  { extraSamples, bitsPerSample, mapping, ycc }: DecodedSamples,
): RawField[] {
  const own = fields.find(({ tag }) => tag === Tag.ExtraSamples);
  const hasExtra = (own?.count ?? 0) === extraSamples.length;
  const described = hasExtra ? [...fields] : withShorts(file, fields, Tag.ExtraSamples, extraSamples);
  if (ycc) return asRgb(file, described);
  if (!mapping) return described;
  const unsigned = described.filter(({ tag }) => tag !== Tag.SampleFormat);
  return withShorts(
    file,
    unsigned,
    Tag.BitsPerSample,
    Array.from(bitsPerSample, () => mapping.to),
  );
}

type DecodedSamples = Pick<DirectoryInfo, 'extraSamples' | 'bitsPerSample' | 'mapping' | 'ycc'>;

const yccTags: ReadonlySet<number> = new Set([
  Tag.YCbCrCoefficients,
  Tag.YCbCrSubSampling,
  Tag.YCbCrPositioning,
  Tag.ReferenceBlackWhite,
]);

function asRgb(file: TiffFile, fields: readonly RawField[]): RawField[] {
  const others = fields.filter(({ tag }) => !yccTags.has(tag));
  return withShorts(file, others, Tag.PhotometricInterpretation, [Photometric.rgb]);
}

/** The fields with SHORT field `tag`, or without it where there are no values. */
export function withShorts(
  file: TiffFile,
  fields: readonly RawField[],
  tag: number,
  values: readonly number[],
): RawField[] {
  const count = values.length;
  const bytes = new Uint8Array(2 * count);
  const view = new DataView(bytes.buffer);
  values.forEach((value, index) => {
    view.setUint16(2 * index, value, file.littleEndian);
  });
  const others = fields.filter((field) => field.tag !== tag);
  const field = { tag, type: FieldType.SHORT, count, bytes };
  return [...others, ...(count > 0 ? [field] : [])].sort((a, b) => a.tag - b.tag);
}

/** A LONG field of one value. Readers accept LONG where TIFF 6.0 specifies SHORT. */
function longField(file: TiffFile, tag: number, value: number): RawField {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setUint32(0, value, file.littleEndian);
  return { tag, type: FieldType.LONG, count: 1, bytes };
}

/**
 * Writes header and directory in the master's byte order and offset size (classic or BigTIFF).
 * `chunks` are laid out after them in order. `size`: length of the slice. Bytes.
 */
export function writeSliceHeader(
  file: TiffFile,
  fields: readonly RawField[],
  chunks: readonly ChunkRange[],
): { bytes: Uint8Array; size: number } {
  const { bigTiff, littleEndian } = file;
  const pointer = bigTiff ? 8 : 4;
  const header = bigTiff ? 16 : 8;
  const entries = header + (bigTiff ? 8 : 2);
  const entryBytes = 4 + 2 * pointer;
  const valuesAt = even(entries + fields.length * entryBytes + pointer);
  const lengths = fields.map((field) => field.count * (fieldBytes[field.type] ?? 1));
  const length = lengths.reduce((end, bytes) => end + (bytes > pointer ? even(bytes) : 0), valuesAt);
  const bytes = new Uint8Array(length);
  const view = new DataView(bytes.buffer);
  const put = (at: number, value: number): void => {
    if (bigTiff) view.setBigUint64(at, BigInt(value), littleEndian);
    else view.setUint32(at, value, littleEndian);
  };
  view.setUint16(0, littleEndian ? 0x4949 : 0x4d4d, true);
  view.setUint16(2, bigTiff ? 43 : 42, littleEndian);
  if (bigTiff) view.setUint16(4, 8, littleEndian);
  put(bigTiff ? 8 : 4, header);
  if (bigTiff) put(header, fields.length);
  else view.setUint16(header, fields.length, littleEndian);
  let values = valuesAt;
  fields.forEach((field, index) => {
    const at = entries + index * entryBytes;
    const fieldLength = lengths[index] ?? 0;
    const inline = fieldLength <= pointer;
    const target = inline ? at + 4 + pointer : values;
    view.setUint16(at, field.tag, littleEndian);
    view.setUint16(at + 2, field.type, littleEndian);
    put(at + 4, field.count);
    if (!inline) {
      put(at + 4 + pointer, values);
      values += even(fieldLength);
    }
    if (field.bytes.length > 0) bytes.set(field.bytes, target);
    else writeTable(field.tag, target, chunks, length, pointer, put);
  });
  return { bytes, size: chunks.reduce((end, { byteCount }) => end + byteCount, length) };
}

function writeTable(
  tag: number,
  target: number,
  chunks: readonly ChunkRange[],
  dataAt: number,
  pointer: number,
  put: (at: number, value: number) => void,
): void {
  const isOffsets = tag === Tag.TileOffsets || tag === Tag.StripOffsets;
  let offset = dataAt;
  chunks.forEach(({ byteCount }, index) => {
    // A chunk without bytes is sparse (offset 0, byte count 0), in the slice as in the master.
    put(target + index * pointer, isOffsets ? (byteCount === 0 ? 0 : offset) : byteCount);
    offset += byteCount;
  });
}

/** The same fields with field `tag` set to `value`. */
export function withNumber(file: TiffFile, fields: readonly RawField[], tag: number, value: number): RawField[] {
  const others = fields.filter((field) => field.tag !== tag);
  return [...others, longField(file, tag, value)].sort((a, b) => a.tag - b.tag);
}

/** The same fields with several of them set. */
export function withNumbers(
  file: TiffFile,
  fields: readonly RawField[],
  numbers: Readonly<Record<number, number>>,
): readonly RawField[] {
  return Object.entries(numbers).reduce<readonly RawField[]>(
    (all, [tag, value]) => withNumber(file, all, Number(tag), value),
    fields,
  );
}

function even(bytes: number): number {
  return bytes + (bytes % 2);
}

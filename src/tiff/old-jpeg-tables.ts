/** The header of a JPEG from the fields of a TIFF that have its tables (TIFF 6.0, section 22). */
import type { RangeReader } from '../bytes/range-reader.ts';
import { MalformedTiffError } from '../errors.ts';
import type { JpegComponent, JpegHeader } from './jpeg-header.ts';
import { type Directory, readNumbers, type TiffFile } from './read.ts';
import { Tag } from './tags.ts';

const QUANTISATION_BYTES = 64;
/** Number of codes of each length, before the values. Bytes. */
const COUNT_BYTES = 16;
/** Largest number of values of a Huffman table (ITU-T T.81, annex F). */
const MAX_VALUES = 256;

interface Frame {
  readonly width: number;
  readonly height: number;
  readonly components: readonly JpegComponent[];
}

/**
 * A header of a baseline JPEG, in which component `n` has the tables `n`. Undefined when the
 * directory does not have the tables of all components. Throws MalformedTiffError.
 */
export async function headerOfTables(
  file: TiffFile,
  directory: Directory,
  frame: Frame,
): Promise<JpegHeader | undefined> {
  const count = frame.components.length;
  const offsets = async (tag: number): Promise<number[]> => (await readNumbers(file, directory, tag, count)) ?? [];
  const [quantisation, dc, ac] = [
    await offsets(Tag.JpegQTables),
    await offsets(Tag.JpegDcTables),
    await offsets(Tag.JpegAcTables),
  ];
  if ([quantisation, dc, ac].some(({ length }) => length < count)) return undefined;
  const segments: number[][] = [];
  for (let index = 0; index < count; index++) {
    const values = await readTable(file.reader, quantisation[index] ?? 0, QUANTISATION_BYTES);
    segments.push(segment(0xdb, [index, ...values]));
    segments.push(segment(0xc4, [index, ...(await readHuffman(file.reader, dc[index] ?? 0))]));
    segments.push(segment(0xc4, [0x10 + index, ...(await readHuffman(file.reader, ac[index] ?? 0))]));
  }
  const { width, height, components } = frame;
  const bytes = [
    ...[0xff, 0xd8],
    ...segments.flat(),
    ...segment(0xc0, [
      ...[8, height >> 8, height & 255, width >> 8, width & 255, count],
      ...components.flatMap(({ id, across, down }, index) => [id, (across << 4) | down, index]),
    ]),
    ...segment(0xda, [count, ...components.flatMap(({ id }, index) => [id, (index << 4) | index]), 0, 63, 0]),
  ];
  return { ...frame, bytes: Uint8Array.from(bytes), end: 0, restartInterval: 0, isRgb: false };
}

function segment(marker: number, content: readonly number[]): number[] {
  const length = content.length + 2;
  return [0xff, marker, length >> 8, length & 255, ...content];
}

async function readTable(reader: RangeReader, offset: number, length: number): Promise<Uint8Array> {
  const isPlace = Number.isSafeInteger(offset) && offset >= 0;
  const bytes = isPlace ? await reader.read(offset, length) : new Uint8Array();
  if (bytes.length === length) return bytes;
  throw new MalformedTiffError(`Expected a JPEG table of ${length} bytes at ${offset} but received ${bytes.length}`, {
    cutShort: true,
  });
}

async function readHuffman(reader: RangeReader, offset: number): Promise<number[]> {
  const counts = await readTable(reader, offset, COUNT_BYTES);
  const values = counts.reduce((sum, count) => sum + count, 0);
  if (values > MAX_VALUES) {
    throw new MalformedTiffError(`Expected at most ${MAX_VALUES} values for a Huffman table but received ${values}`);
  }
  return [...counts, ...(await readTable(reader, offset + COUNT_BYTES, values))];
}

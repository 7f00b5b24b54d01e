/**
 * Old-style JPEG (TIFF 6.0, section 22; Compression 6) as JPEG of one strip (TIFF Technical Note
 * 2; Compression 7), which decoders read. Nothing is decoded: the file is put together from the
 * headers and the coded data of the master.
 */
import { type FilePart, piecedReader } from '../bytes/pieced-reader.ts';
import { pagedReader, type RangeReader } from '../bytes/range-reader.ts';
import { MalformedTiffError, RejectedImageError } from '../errors.ts';
import { type JpegComponent, type JpegHeader, readJpegHeader } from './jpeg-header.ts';
import { headerOfTables } from './old-jpeg-tables.ts';
import { type Directory, readBytes, readNumber, readNumbers, readTiff, type TiffFile } from './read.ts';
import { type RawField, withNumbers, withShorts, writeSliceHeader } from './slice-header.ts';
import { Compression, FieldType, Photometric, Tag } from './tags.ts';

/** Largest side of a JPEG that libjpeg decodes. Pixels. */
const MAX_SIDE = 65_500;
/** Rows and columns of a block of samples. */
const BLOCK = 8;
const END_OF_IMAGE = 0xffd9;

/**
 * The same TIFF with current JPEG in the first directory; any other TIFF as it is. Throws
 * MalformedTiffError, and RejectedImageError(UNSUPPORTED_PIXELS) where the JPEG data cannot be put
 * together.
 */
export async function withCurrentJpeg<Reader extends RangeReader>(
  reader: Reader,
): Promise<Reader | Required<RangeReader>> {
  const file = await readTiff(pagedReader(reader), 1);
  const [directory] = file.directories;
  if (!directory || (await readNumber(file, directory, Tag.Compression, Compression.none)) !== Compression.oldJpeg) {
    return reader;
  }
  const image = await readImage(file, directory);
  const header = await findHeader(file, directory, image);
  assertSameSize(image, header);
  const jpeg = await jpegParts(file, header, image);
  const length = jpeg.reduce((sum, part) => sum + part.length, 0);
  const fields = await currentFields(file, directory, image, header);
  const { bytes } = writeSliceHeader(file, fields, [{ offset: 0, byteCount: length }]);
  return piecedReader(reader, [bytes, ...jpeg]);
}

interface OldImage {
  readonly width: number;
  readonly height: number;
  readonly rowsPerStrip: number;
  readonly strips: readonly { readonly offset: number; readonly length: number }[];
  /** Place of a JPEG, or of its headers; undefined if the file does not state it. */
  readonly interchange: { readonly offset: number; readonly length: number } | undefined;
  /** As the fields state them. */
  readonly components: readonly JpegComponent[];
}

function refuse(what: string): never {
  throw new RejectedImageError(
    'UNSUPPORTED_PIXELS',
    `it has old-style JPEG data (TIFF compression 6), ${what}; save it uncompressed, LZW, deflate or as current JPEG`,
  );
}

async function readImage(file: TiffFile, directory: Directory): Promise<OldImage> {
  const number = (tag: number, fallback: number): Promise<number> => readNumber(file, directory, tag, fallback);
  const [width, height] = [await number(Tag.ImageWidth, 0), await number(Tag.ImageLength, 0)];
  const isSize = [width, height].every((side) => Number.isInteger(side) && side >= 1 && side <= MAX_SIDE);
  if (!isSize) refuse(`whose size is ${width} × ${height} pixels`);
  if (directory.has(Tag.TileWidth)) refuse('in tiles');
  const photometric = await number(Tag.PhotometricInterpretation, Photometric.yCbCr);
  const samples = await number(Tag.SamplesPerPixel, isGrey(photometric) ? 1 : 3);
  if (samples !== 1 && samples !== 3) refuse(`of ${samples} components`);
  if (samples > 1 && (await number(Tag.PlanarConfiguration, 1)) === 2) refuse('in separate planes');
  const process = await number(Tag.JpegProc, BASELINE);
  if (process !== BASELINE) refuse(`coded by process ${process}`);
  const [across = 2, down = 2] = (await readNumbers(file, directory, Tag.YCbCrSubSampling, 2)) ?? [];
  const rows = await number(Tag.RowsPerStrip, height);
  const rowsPerStrip = Number.isInteger(rows) && rows >= 1 ? Math.min(rows, height) : height;
  return {
    ...{ width, height, rowsPerStrip },
    strips: await readStrips(file, directory, Math.ceil(height / rowsPerStrip)),
    interchange: await readInterchange(file, directory),
    components: samples === 1 ? [plain(1)] : [{ id: 1, across, down }, plain(2), plain(3)],
  };
}

/** JPEGProc of baseline sequential DCT. */
const BASELINE = 1;

function isGrey(photometric: number): boolean {
  return photometric === Photometric.whiteIsZero || photometric === Photometric.blackIsZero;
}

function plain(id: number): JpegComponent {
  return { id, across: 1, down: 1 };
}

/** Strips without a stated length extend to the end of the file where there is only one. */
async function readStrips(file: TiffFile, directory: Directory, count: number): Promise<OldImage['strips']> {
  const offsets = (await readNumbers(file, directory, Tag.StripOffsets, count)) ?? [];
  const lengths = (await readNumbers(file, directory, Tag.StripByteCounts, count)) ?? [];
  const { size } = file.reader;
  return offsets.map((offset, index) => {
    const stated = lengths[index] ?? 0;
    const length = stated > 0 || offsets.length > 1 ? stated : size - offset;
    if (![offset, length].every((value) => Number.isSafeInteger(value) && value >= 0)) {
      throw new MalformedTiffError(
        `Expected a place and a length for strip ${index} but received ${offset}, ${length}`,
      );
    }
    return { offset, length };
  });
}

async function readInterchange(file: TiffFile, directory: Directory): Promise<OldImage['interchange']> {
  const offset = await readNumber(file, directory, Tag.JpegInterchangeFormat, 0);
  const length = await readNumber(file, directory, Tag.JpegInterchangeFormatLength, 0);
  const isPlace = Number.isSafeInteger(offset) && offset > 0 && offset < file.reader.size;
  if (!isPlace) return undefined;
  return { offset, length: Number.isSafeInteger(length) && length > 0 ? length : 0 };
}

/** The headers where JPEGInterchangeFormat says, at the start of the strips, or from tables. */
async function findHeader(file: TiffFile, directory: Directory, image: OldImage): Promise<JpegHeader> {
  const [strip] = image.strips;
  for (const place of [image.interchange, strip]) {
    const header = place && (await readJpegHeader(file.reader, place.offset));
    if (header) return header;
  }
  return (await headerOfTables(file, directory, image)) ?? refuse('of which neither headers nor tables are found');
}

function assertSameSize(image: OldImage, { width, height, components }: JpegHeader): void {
  if (width !== image.width || height !== image.height) {
    refuse(`whose size is ${width} × ${height} pixels and not ${image.width} × ${image.height}`);
  }
  if (components.length !== 1 && components.length !== 3) refuse(`of ${components.length} components`);
}

/** The whole JPEG: headers, coded data with restart markers between strips, end of image. */
async function jpegParts(file: TiffFile, header: JpegHeader, image: OldImage): Promise<readonly FilePart[]> {
  const whole = await wholeStream(file, header, image);
  const data = whole ? [whole] : codedStrips(header, image);
  for (const [index, { offset, length }] of data.entries()) assertWithin(file, index, offset + length);
  const parts: FilePart[] = [];
  let areMarkersMissing = false;
  for (const [index, part] of data.entries()) {
    const before = data[index - 1];
    if (before && !(await hasRestart(file, before, part))) {
      areMarkersMissing = true;
      parts.push(Uint8Array.of(0xff, 0xd0 + ((index - 1) % 8)));
    }
    parts.push(part);
  }
  const last = data.at(-1);
  const ending = last && last.length >= 2 ? await word(file, last.offset + last.length - 2) : 0;
  if (ending !== END_OF_IMAGE) parts.push(Uint8Array.of(0xff, 0xd9));
  const interval = areMarkersMissing ? stripInterval(header, image) : header.restartInterval;
  return [withInterval(header.bytes, interval), ...parts];
}

/** The data after the headers, where JPEGInterchangeFormat states a JPEG with its end. */
async function wholeStream(
  file: TiffFile,
  { end }: JpegHeader,
  { interchange }: OldImage,
): Promise<OldImage['strips'][number] | undefined> {
  if (!interchange || end === 0) return undefined;
  const last = interchange.offset + interchange.length;
  if (last <= end + 2 || last > file.reader.size || interchange.offset > end) return undefined;
  return (await word(file, last - 2)) === END_OF_IMAGE ? { offset: end, length: last - end } : undefined;
}

/** The strips; the headers may be at the start of the first one. */
function codedStrips({ end }: JpegHeader, { strips, interchange }: OldImage): OldImage['strips'] {
  if (strips.length === 0) refuse('without strips');
  return strips.map((strip, index) => {
    const stripEnd = strip.offset + strip.length;
    const start = interchange ? Math.min(interchange.offset, strip.offset) : strip.offset;
    const hasHeader = index === 0 && end > strip.offset && start <= strip.offset && end <= stripEnd;
    return hasHeader ? { offset: end, length: stripEnd - end } : strip;
  });
}

function assertWithin(file: TiffFile, index: number, end: number): void {
  if (end <= file.reader.size) return;
  throw new MalformedTiffError(
    `Expected an end within ${file.reader.size} bytes for strip ${index} but received ${end}`,
    {
      cutShort: true,
    },
  );
}

/** Whether a restart marker ends one strip or begins the next one. */
async function hasRestart(
  file: TiffFile,
  before: OldImage['strips'][number],
  after: OldImage['strips'][number],
): Promise<boolean> {
  const isRestart = (marker: number): boolean => marker >= 0xffd0 && marker <= 0xffd7;
  return (
    isRestart(await word(file, Math.max(0, before.offset + before.length - 2))) ||
    isRestart(await word(file, after.offset))
  );
}

async function word({ reader }: TiffFile, offset: number): Promise<number> {
  const [high = 0, low = 0] = await reader.read(offset, 2);
  return high * 256 + low;
}

/** MCUs of a strip, each of which starts anew. */
function stripInterval({ components, restartInterval }: JpegHeader, { width, rowsPerStrip }: OldImage): number {
  const isSingle = components.length === 1;
  const across = isSingle ? 1 : Math.max(...components.map((component) => component.across));
  const down = isSingle ? 1 : Math.max(...components.map((component) => component.down));
  if (rowsPerStrip % (BLOCK * down) !== 0) refuse(`in strips of ${rowsPerStrip} rows`);
  const interval = Math.ceil(width / (BLOCK * across)) * (rowsPerStrip / (BLOCK * down));
  const isOther = restartInterval !== 0 && restartInterval !== interval;
  if (isOther || interval > 65_535)
    refuse(`whose restart interval is ${restartInterval} where a strip has ${interval}`);
  return interval;
}

/** The headers with a DRI segment before SOS, which is the last one. */
function withInterval(header: Uint8Array, interval: number): Uint8Array {
  if (interval === 0) return header;
  const scan = lastSegment(header);
  const define = [0xff, 0xdd, 0, 4, interval >> 8, interval & 255];
  return Uint8Array.from([...header.subarray(0, scan), ...define, ...header.subarray(scan)]);
}

function lastSegment(header: Uint8Array): number {
  let at = 2;
  for (;;) {
    const end = at + 2 + (header[at + 2] ?? 0) * 256 + (header[at + 3] ?? 0);
    if (end >= header.length) return at;
    at = end;
  }
}

/** Fields of the master that describe the picture; those about its coding follow from the JPEG. */
const keptTags: readonly number[] = [
  Tag.NewSubfileType,
  Tag.Orientation,
  Tag.XResolution,
  Tag.YResolution,
  Tag.ResolutionUnit,
  Tag.IccProfile,
];

async function currentFields(
  file: TiffFile,
  directory: Directory,
  { width, height }: OldImage,
  { components, isRgb }: JpegHeader,
): Promise<readonly RawField[]> {
  const kept: RawField[] = [];
  for (const tag of keptTags) {
    const entry = directory.get(tag);
    const bytes = await readBytes(file, directory, tag);
    if (entry && bytes) kept.push({ tag, type: entry.type, count: entry.count, bytes });
  }
  const pointer = file.bigTiff ? FieldType.LONG8 : FieldType.LONG;
  const table = [Tag.StripOffsets, Tag.StripByteCounts].map((tag) => ({
    ...{ tag, type: pointer, count: 1, bytes: new Uint8Array() },
  }));
  const stated = await readNumber(file, directory, Tag.PhotometricInterpretation, Photometric.blackIsZero);
  const [luma, chroma] = components;
  const single = isGrey(stated) ? stated : Photometric.blackIsZero;
  const isYcc = luma && chroma && !isRgb;
  const fields = withNumbers(file, [...kept, ...table], {
    ...{ [Tag.ImageWidth]: width, [Tag.ImageLength]: height, [Tag.RowsPerStrip]: height },
    [Tag.Compression]: Compression.jpeg,
    [Tag.SamplesPerPixel]: components.length,
    [Tag.PhotometricInterpretation]: isYcc ? Photometric.yCbCr : chroma ? Photometric.rgb : single,
  });
  const described = withShorts(
    file,
    fields,
    Tag.BitsPerSample,
    components.map(() => 8),
  );
  if (!isYcc) {
    if (components.some(({ across, down }) => across * down > 1) && chroma) refuse('of subsampled RGB');
    return described;
  }
  const subsampling = [luma.across / chroma.across, luma.down / chroma.down];
  if (!subsampling.every((factor) => [1, 2, 4].includes(factor))) refuse('of unusual subsampling');
  return withShorts(file, described, Tag.YCbCrSubSampling, subsampling);
}

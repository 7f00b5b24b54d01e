/**
 * TIFFs of old-style JPEG (TIFF 6.0, section 22; Compression 6), written around the parts of an
 * ordinary JPEG without any of the project's own code.
 */
import { type HandField, handTiff, long, short, withFields, withoutField } from './tiff-bytes.ts';

interface JpegSegment {
  readonly marker: number;
  readonly at: number;
  /** After its content. */
  readonly end: number;
}

/** Segments from SOI to SOS. */
function segmentsOf(jpeg: Buffer): JpegSegment[] {
  const segments: JpegSegment[] = [];
  for (let at = 2; ;) {
    const segment = { marker: jpeg.readUInt8(at + 1), at, end: at + 2 + jpeg.readUInt16BE(at + 2) };
    segments.push(segment);
    if (segment.marker === 0xda) return segments;
    at = segment.end;
  }
}

export interface OldJpegParts {
  readonly width: number;
  readonly height: number;
  /** Sampling factors of the first component. */
  readonly sampling: readonly [number, number];
  readonly components: number;
  /** From SOI to SOS. */
  readonly header: Buffer;
  /** The coded data between restart markers, without these and without EOI. */
  readonly strips: readonly Buffer[];
  /** Quantisation tables by number, in the order of the file. */
  readonly quantisation: ReadonlyMap<number, Buffer>;
  /** Huffman tables by class * 16 + number: counts, then values. */
  readonly huffman: ReadonlyMap<number, Buffer>;
  /** Numbers of the tables of each component: quantisation, DC, AC. */
  readonly tables: readonly (readonly [number, number, number])[];
}

/** Takes a baseline JPEG apart. */
export function partsOf(jpeg: Buffer): OldJpegParts {
  const segments = segmentsOf(jpeg);
  const of = (...markers: number[]): JpegSegment[] => segments.filter(({ marker }) => markers.includes(marker));
  const [frame] = of(0xc0, 0xc1);
  const [scan] = of(0xda);
  if (!frame || !scan) throw new Error('Expected a baseline JPEG');
  const components = jpeg.readUInt8(frame.at + 9);
  const quantisation = new Map<number, Buffer>();
  for (const { at, end } of of(0xdb)) {
    for (let from = at + 4; from < end; from += 65) {
      quantisation.set(jpeg.readUInt8(from) & 15, jpeg.subarray(from + 1, from + 65));
    }
  }
  const huffman = new Map<number, Buffer>();
  for (const { at, end } of of(0xc4)) {
    for (let from = at + 4; from < end;) {
      const values = jpeg.subarray(from + 1, from + 17).reduce((sum, count) => sum + count, 0);
      huffman.set(jpeg.readUInt8(from), jpeg.subarray(from + 1, from + 17 + values));
      from += 17 + values;
    }
  }
  const data = jpeg.subarray(scan.end, jpeg.length - 2);
  const strips: Buffer[] = [];
  let start = 0;
  for (let at = 0; at + 1 < data.length; at++) {
    const marker = data.readUInt8(at + 1);
    if (data.readUInt8(at) !== 0xff || marker < 0xd0 || marker > 0xd7) continue;
    strips.push(data.subarray(start, at));
    start = at + 2;
  }
  strips.push(data.subarray(start));
  return {
    height: jpeg.readUInt16BE(frame.at + 5),
    width: jpeg.readUInt16BE(frame.at + 7),
    sampling: [jpeg.readUInt8(frame.at + 11) >> 4, jpeg.readUInt8(frame.at + 11) & 15],
    components,
    header: jpeg.subarray(0, scan.end),
    strips,
    quantisation,
    huffman,
    tables: Array.from({ length: components }, (_, index) => {
      const selected = jpeg.readUInt8(scan.at + 6 + 2 * index);
      return [jpeg.readUInt8(frame.at + 12 + 3 * index), selected >> 4, selected & 15];
    }),
  };
}

export interface OldJpegForm {
  /**
   * `whole`: one strip and JPEGInterchangeFormat are the JPEG. `split`: JPEGInterchangeFormat has
   * the headers, the strips have the coded data. `tables`: the fields have the tables.
   */
  readonly form: 'whole' | 'split' | 'tables';
  readonly rowsPerStrip?: number;
  readonly littleEndian?: boolean;
  readonly fields?: readonly HandField[];
  readonly without?: readonly number[];
}

/** A TIFF of old-style JPEG from an ordinary JPEG, whose restart intervals become the strips. */
export function oldJpegTiff(jpeg: Buffer, options: OldJpegForm): Uint8Array {
  const { form, littleEndian = true, fields = [], without = [] } = options;
  const parts = partsOf(jpeg);
  const { width, height, components } = parts;
  const rows = options.rowsPerStrip ?? height;
  const blobs: Buffer[] = [];
  let end = 8;
  const place = (bytes: Buffer): number => {
    blobs.push(bytes);
    end += bytes.length;
    return end - bytes.length;
  };
  const coding: HandField[] = [];
  if (form === 'whole') {
    const offset = place(jpeg);
    coding.push(long(513, offset), long(514, jpeg.length), long(273, offset), long(279, jpeg.length));
  } else {
    if (form === 'split') coding.push(long(513, place(parts.header)), long(514, parts.header.length));
    else coding.push(...tableFields(parts, place));
    const strips = parts.strips.map((strip) => ({ offset: place(strip), length: strip.length }));
    coding.push(long(273, ...strips.map(({ offset }) => offset)), long(279, ...strips.map(({ length }) => length)));
  }
  const directory = withFields(
    [
      ...[long(256, width), long(257, height), short(258, ...Array.from({ length: components }, () => 8))],
      ...[short(259, 6), short(262, components === 3 ? 6 : 1), short(277, components), long(278, rows), short(512, 1)],
      ...(components === 3 ? [short(530, ...parts.sampling)] : []),
    ],
    ...coding,
  );
  const kept = without.reduce<HandField[]>((all, tag) => withoutField(all, tag), withFields(directory, ...fields));
  return handTiff({ littleEndian, data: Buffer.concat(blobs), directories: [kept] });
}

function tableFields({ tables, quantisation, huffman }: OldJpegParts, place: (bytes: Buffer) => number): HandField[] {
  const places = (numbers: readonly number[], of: ReadonlyMap<number, Buffer>): number[] =>
    numbers.map((number) => place(of.get(number) ?? Buffer.alloc(0)));
  return [
    long(
      519,
      ...places(
        tables.map(([table]) => table),
        quantisation,
      ),
    ),
    long(
      520,
      ...places(
        tables.map(([, dc]) => dc),
        huffman,
      ),
    ),
    long(
      521,
      ...places(
        tables.map(([, , ac]) => 16 + ac),
        huffman,
      ),
    ),
  ];
}

/**
 * One JPEG with a restart interval for each strip, from a TIFF of sharp in strips of JPEG: each
 * strip is coded by itself, with the tables of JPEGTables.
 */
export function jpegWithRestarts(tiff: Buffer): Buffer {
  const field = (tag: number): number[] => {
    const directory = tiff.readUInt32LE(4);
    for (let at = directory + 2; at < directory + 2 + 12 * tiff.readUInt16LE(directory); at += 12) {
      if (tiff.readUInt16LE(at) !== tag) continue;
      const [type, count] = [tiff.readUInt16LE(at + 2), tiff.readUInt32LE(at + 4)];
      const size = type === 3 ? 2 : type === 4 ? 4 : 1;
      const values = count * size <= 4 ? at + 8 : tiff.readUInt32LE(at + 8);
      return Array.from({ length: count }, (_, index) => tiff.readUIntLE(values + index * size, size));
    }
    throw new Error(`Expected tag ${tag}`);
  };
  const tables = Buffer.from(field(347)).subarray(0, -2);
  const [rows = 0] = field(278);
  const [height = 0] = field(257);
  const lengths = field(279);
  const strips = field(273).map((offset, index) => tiff.subarray(offset, offset + (lengths[index] ?? 0)));
  const [first = Buffer.alloc(0)] = strips;
  const segments = segmentsOf(first);
  const frame = segments.find(({ marker }) => marker === 0xc0);
  const scan = segments.at(-1);
  if (!frame || !scan) throw new Error('Expected a baseline JPEG');
  const sof = Buffer.from(first.subarray(frame.at, frame.end));
  sof.writeUInt16BE(height, 5);
  const [across, down] = sof.readUInt8(9) === 3 ? [sof.readUInt8(11) >> 4, sof.readUInt8(11) & 15] : [1, 1];
  const interval = Math.ceil(sof.readUInt16BE(7) / (8 * across)) * (rows / (8 * down));
  const data = strips.flatMap((strip, index) => [
    ...(index === 0 ? [] : [Buffer.of(0xff, 0xd0 + ((index - 1) % 8))]),
    strip.subarray(segmentsOf(strip).at(-1)?.end ?? 0, -2),
  ]);
  return Buffer.concat([
    ...[tables, sof, Buffer.of(0xff, 0xdd, 0, 4, interval >> 8, interval & 255)],
    ...[first.subarray(scan.at, scan.end), ...data, Buffer.of(0xff, 0xd9)],
  ]);
}

import { describe, expect, test } from '@jest/globals';
import { MalformedTiffError } from '../../src/errors.ts';
import {
  type DirectoryInfo,
  describeDirectory,
  readChunkTable,
  type ChunkTable,
} from '../../src/tiff/directory-info.ts';
import { memoryReader, type RangeReader } from '../../src/bytes/range-reader.ts';
import { type Directory, readTiff, type TiffFile } from '../../src/tiff/read.ts';
import { greyFields, type HandField, handTiff, long, short, withFields, withoutField } from '../support/tiff-bytes.ts';

async function open(
  fields: readonly HandField[],
  reader: (bytes: Uint8Array) => RangeReader = memoryReader,
): Promise<{ file: TiffFile; directory: Directory }> {
  const bytes = handTiff({ data: new Uint8Array(64), directories: [fields] });
  const file = await readTiff(reader(bytes));
  const [directory] = file.directories;
  if (!directory) throw new Error('Expected a directory');
  return { file, directory };
}

async function infoOf(fields: readonly HandField[]): Promise<DirectoryInfo> {
  const { file, directory } = await open(fields);
  return describeDirectory(file, directory);
}

async function tableOf(fields: readonly HandField[]): Promise<ChunkTable> {
  const { file, directory } = await open(fields);
  return readChunkTable(file, directory, await describeDirectory(file, directory));
}

/** A reader that counts the bytes read. */
function counting(bytes: Uint8Array): RangeReader & { total: number } {
  const counter = {
    size: bytes.length,
    total: 0,
    read(offset: number, length: number) {
      counter.total += length;
      return Promise.resolve(bytes.subarray(offset, offset + length));
    },
  };
  return counter;
}

describe('describeDirectory with absent fields', () => {
  test('returns the defaults of TIFF 6.0: one strip, one bit, BlackIsZero, orientation 1', async () => {
    expect(await infoOf([long(256, 30), long(257, 20)])).toEqual({
      width: 30,
      height: 20,
      samplesPerPixel: 1,
      bitsPerSample: [1],
      sampleFormat: [1],
      compression: 1,
      photometric: 1,
      extraSamples: [],
      planar: false,
      fillOrder: 1,
      orientation: 1,
      subfileType: 0,
      chunks: { kind: 'strips', width: 30, height: 20, across: 1, down: 1 },
    });
  });

  test.each([2, 3, 4])('returns WhiteIsZero as the default for CCITT compression %i', async (compression) => {
    expect((await infoOf([long(256, 30), long(257, 20), short(259, compression)])).photometric).toBe(0);
  });

  test('repeats a single BitsPerSample value for every sample', async () => {
    expect(await infoOf([short(256, 30), short(257, 20), short(258, 16), short(277, 3)])).toMatchObject({
      samplesPerPixel: 3,
      bitsPerSample: [16, 16, 16],
      sampleFormat: [1, 1, 1],
    });
  });
});

describe('describeDirectory with all fields', () => {
  test('returns the values of the fields', async () => {
    expect(
      await infoOf([
        long(254, 4),
        short(256, 100),
        short(257, 50),
        short(258, 8, 8, 8, 8),
        short(259, 8),
        short(262, 2),
        short(266, 2),
        short(274, 6),
        short(277, 4),
        short(284, 2),
        short(322, 32),
        short(323, 16),
        short(338, 2),
        short(339, 1, 1, 1, 2),
      ]),
    ).toEqual({
      width: 100,
      height: 50,
      samplesPerPixel: 4,
      bitsPerSample: [8, 8, 8, 8],
      sampleFormat: [1, 1, 1, 2],
      compression: 8,
      photometric: 2,
      extraSamples: [2],
      planar: true,
      fillOrder: 2,
      orientation: 6,
      subfileType: 4,
      chunks: { kind: 'tiles', width: 32, height: 16, across: 4, down: 4 },
    });
  });

  test('ignores PlanarConfiguration 2 for a single sample', async () => {
    expect((await infoOf([long(256, 3), long(257, 2), short(284, 2)])).planar).toBe(false);
  });

  test.each([
    [7, { height: 7, down: 3 }],
    [20, { height: 20, down: 1 }],
    [21, { height: 20, down: 1 }],
    [0xffff_ffff, { height: 20, down: 1 }],
  ])('clips RowsPerStrip %i to an image of 20 rows', async (rows, chunks) => {
    expect((await infoOf([long(256, 30), long(257, 20), long(278, rows)])).chunks).toMatchObject(chunks);
  });
});

describe('describeDirectory with impossible fields', () => {
  const sized = [long(256, 30), long(257, 20)];
  test.each<[string, HandField[]]>([
    ['no width', [long(257, 20)]],
    ['no height', [long(256, 30)]],
    ['a width of zero', [long(256, 0), long(257, 20)]],
    ['a negative height', [long(256, 30), { tag: 257, type: 9, values: [-20] }]],
    ['an infinite width', [{ tag: 256, type: 11, values: [Infinity] }, long(257, 20)]],
    ['a height of 1/0', [long(256, 30), { tag: 257, type: 5, values: [1, 0] }]],
    ['a width of 0/0', [{ tag: 256, type: 5, values: [0, 0] }, long(257, 20)]],
    ['a fractional width', [{ tag: 256, type: 12, values: [30.5] }, long(257, 20)]],
    ['tiles without a width', [...sized, short(322, 0), short(323, 16)]],
    ['tiles without a height', [...sized, short(322, 16)]],
    ['tiles of fractional width', [...sized, { tag: 322, type: 11, values: [16.5] }, short(323, 16)]],
    ['strips of no rows', [...sized, long(278, 0)]],
    ['strips of a fractional number of rows', [...sized, { tag: 278, type: 11, values: [1.5] }]],
  ])('throws MalformedTiffError for %s', async (_, fields) => {
    await expect(infoOf(fields)).rejects.toThrow(MalformedTiffError);
  });

  test('describes at most 64 samples individually', async () => {
    const info = await infoOf([...sized, long(277, 4_000_000_000)]);
    expect(info.bitsPerSample).toHaveLength(64);
  });
});

describe('readChunkTable', () => {
  test('returns offsets and byte counts of strips', async () => {
    expect(
      await tableOf([...withFields(greyFields(4, 4, 8), long(273, 8, 16), long(278, 2), short(279, 8, 9))]),
    ).toEqual({ offsets: [8, 16], byteCounts: [8, 9] });
  });

  test('refuses chunks that share bytes and have more than 64 times the size of the file in all', async () => {
    const shared = (count: number): Promise<ChunkTable> => {
      const all = (value: number): number[] => new Array<number>(count).fill(value);
      const strips = [long(257, count), long(273, ...all(8)), long(278, 1), long(279, ...all(4000))];
      return tableOf(withFields(greyFields(4000, count, 8), ...strips));
    };
    // The table itself takes eight bytes a strip.
    await expect(shared(400)).resolves.toMatchObject({ byteCounts: { length: 400 } });
    await expect(shared(4000)).rejects.toMatchObject({ name: 'RejectedImageError', code: 'OVER_BUDGET' });
  });

  test('refuses more than 8,388,608 chunks before it reads their table', async () => {
    const wanted = [
      long(256, 4096),
      long(257, 9_000_000),
      long(278, 1),
      { ...long(273, 8), count: 9_000_000, offset: 8 },
    ];
    const bytes = handTiff({ directories: [withFields(greyFields(4096, 9_000_000, 8), ...wanted)] });
    const reader = { ...counting(bytes), size: 2 ** 30 };
    const file = await readTiff(reader);
    const [directory = new Map() as Directory] = file.directories;
    const info = await describeDirectory(file, directory);
    await expect(readChunkTable(file, directory, info)).rejects.toMatchObject({ code: 'OVER_BUDGET' });
  });

  test('returns offsets and byte counts of the tiles of every plane', async () => {
    const tiled = [short(256, 32), short(257, 16), short(277, 3), short(284, 2), short(322, 16), short(323, 16)];
    const table = await tableOf([...tiled, long(324, 1, 2, 3, 4, 5, 6), long(325, 7, 7, 7, 7, 7, 7)]);
    expect(table).toEqual({ offsets: [1, 2, 3, 4, 5, 6], byteCounts: [7, 7, 7, 7, 7, 7] });
    await expect(tableOf([...tiled, long(324, 1, 2, 3, 4, 5), long(325, 7, 7, 7, 7, 7)])).rejects.toThrow(
      /Expected 6 tiles for the image size but received 5/u,
    );
  });

  test('reads the strip tags of a tiled file that lacks the tile tags', async () => {
    const tiled = [short(256, 16), short(257, 16), long(273, 8), long(279, 64), short(322, 16), short(323, 16)];
    expect(await tableOf(tiled)).toEqual({ offsets: [8], byteCounts: [64] });
  });

  test('extends a single strip without byte count to the end of the file', async () => {
    const fields = withoutField(greyFields(8, 8, 8), 279);
    const { byteCounts } = await tableOf(fields);
    // The header has 8 bytes, the pixels have 64, the IFD has 2 + 8 × 12 + 4.
    expect(byteCounts).toEqual([8 + 64 + 102 - 8]);
  });

  test.each<[string, HandField[]]>([
    ['no offsets', withoutField(greyFields(4, 4, 8), 273)],
    ['fewer offsets than strips', withFields(greyFields(4, 4, 8), long(278, 1), long(273, 8, 9, 10))],
    ['fewer byte counts than strips', withFields(greyFields(4, 4, 8), long(278, 2), long(273, 8, 9), long(279, 8))],
    ['no byte counts', withoutField(withFields(greyFields(4, 4, 8), long(278, 2), long(273, 8, 9)), 279)],
    [
      'a trillion tiles',
      [long(256, 1_000_000), long(257, 1_000_000), short(322, 1), short(323, 1), long(324, 8), long(325, 8)],
    ],
  ])('throws MalformedTiffError for %s', async (_, fields) => {
    await expect(tableOf(fields)).rejects.toThrow(MalformedTiffError);
  });

  test('reads no more entries than the image has chunks', async () => {
    const many = Array.from({ length: 50_000 }, () => 8);
    const fields = withFields(greyFields(4, 4, 8), long(273, ...many), long(279, ...many));
    let reader = counting(new Uint8Array());
    const { file, directory } = await open(fields, (bytes) => (reader = counting(bytes)));
    const table = await readChunkTable(file, directory, await describeDirectory(file, directory));
    expect([table.offsets[0], table.byteCounts[0]]).toEqual([8, 8]);
    expect(reader.total).toBeLessThan(2000);
  });
});

test('describeDirectory reads one value of an ImageWidth field with fifty thousand', async () => {
  const fields = withFields(greyFields(4, 4, 8), long(256, 4, ...Array.from({ length: 50_000 }, () => 1)));
  let reader = counting(new Uint8Array());
  const { file, directory } = await open(fields, (bytes) => (reader = counting(bytes)));
  expect((await describeDirectory(file, directory)).width).toBe(4);
  expect(reader.total).toBeLessThan(2000);
});

import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { MalformedTiffError } from '../../src/errors.ts';
import { describeDirectory, readChunkTable } from '../../src/tiff/directory-info.ts';
import { memoryReader } from '../../src/bytes/range-reader.ts';
import { readBytes, readNumber, readNumbers, readTiff, type TiffFile } from '../../src/tiff/read.ts';
import { greyFields, handTiff, long, short, withFields } from '../support/tiff-bytes.ts';
import { pictureOf } from '../support/pixels.ts';
import { processorMilliseconds } from '../support/processor-time.ts';

const open = (bytes: Uint8Array, maxDirectories?: number): Promise<TiffFile> =>
  readTiff(memoryReader(bytes), maxDirectories);

/** All values of all fields, by tag; one record per directory. */
async function valuesOf(bytes: Uint8Array): Promise<Record<number, number[]>[]> {
  const file = await open(bytes);
  return Promise.all(
    file.directories.map(async (directory) => {
      const values: Record<number, number[]> = {};
      for (const tag of directory.keys()) values[tag] = (await readNumbers(file, directory, tag)) ?? [];
      return values;
    }),
  );
}

const formats = [
  { name: 'little-endian classic TIFF', littleEndian: true, bigTiff: false },
  { name: 'big-endian classic TIFF', littleEndian: false, bigTiff: false },
  { name: 'little-endian BigTIFF', littleEndian: true, bigTiff: true },
  { name: 'big-endian BigTIFF', littleEndian: false, bigTiff: true },
];

describe.each(formats)('readTiff of a $name', ({ littleEndian, bigTiff }) => {
  const make = (...directories: Parameters<typeof handTiff>[0]['directories'][number][]): Uint8Array =>
    handTiff({ littleEndian, bigTiff, directories });

  test('reads values of every type, inside and outside their entry', async () => {
    const values = await valuesOf(
      make([
        { tag: 1, type: 1, values: [0, 255] },
        { tag: 2, type: 2, values: [65, 66, 0] },
        short(3, 1, 65_535),
        short(4, 1, 2, 3, 4, 5),
        long(5, 4_294_967_295),
        long(6, 1, 2, 3),
        { tag: 7, type: 5, values: [1, 4, 300, 1] },
        { tag: 8, type: 6, values: [-128, 127] },
        { tag: 9, type: 7, values: [9, 8, 7, 6, 5, 4, 3, 2, 1] },
        { tag: 10, type: 8, values: [-2, 3] },
        { tag: 11, type: 9, values: [-2_147_483_648] },
        { tag: 12, type: 10, values: [-1, 2] },
        { tag: 13, type: 11, values: [0.5] },
        { tag: 14, type: 12, values: [-0.1] },
        { tag: 15, type: 13, values: [123] },
        { tag: 16, type: 16, values: [2 ** 40 + 1] },
        { tag: 17, type: 17, values: [-(2 ** 40)] },
        { tag: 18, type: 18, values: [8] },
      ]),
    );
    expect(values).toEqual([
      {
        1: [0, 255],
        2: [65, 66, 0],
        3: [1, 65_535],
        4: [1, 2, 3, 4, 5],
        5: [4_294_967_295],
        6: [1, 2, 3],
        7: [0.25, 300],
        8: [-128, 127],
        9: [9, 8, 7, 6, 5, 4, 3, 2, 1],
        10: [-2, 3],
        11: [-2_147_483_648],
        12: [-0.5],
        13: [0.5],
        14: [-0.1],
        15: [123],
        16: [1_099_511_627_777],
        17: [-1_099_511_627_776],
        18: [8],
      },
    ]);
  });

  test('returns directories in the order of the IFD chain', async () => {
    const file = await open(make([long(256, 30)], [long(256, 20)], [long(256, 10)]));
    expect([file.littleEndian, file.bigTiff, file.more]).toEqual([littleEndian, bigTiff, false]);
    const widths = file.directories.map((directory) => readNumber(file, directory, 256, 0));
    expect(await Promise.all(widths)).toEqual([30, 20, 10]);
  });

  test('returns raw bytes in the byte order of the file', async () => {
    const file = await open(make([short(258, 1, 2)]));
    const [directory] = file.directories;
    expect(directory && (await readBytes(file, directory, 258))).toEqual(
      Uint8Array.from(littleEndian ? [1, 0, 2, 0] : [0, 1, 0, 2]),
    );
    expect(directory && (await readBytes(file, directory, 700))).toBeUndefined();
    expect(directory && (await readNumber(file, directory, 700, 42))).toBe(42);
  });

  test('reads no more directories than requested', async () => {
    const file = await open(
      handTiff({ littleEndian, bigTiff, directories: Array.from({ length: 9 }, () => [long(256, 1)]) }),
    );
    expect([file.directories.length, file.more]).toEqual([9, false]);
    const part = await open(
      handTiff({ littleEndian, bigTiff, directories: Array.from({ length: 9 }, () => [long(256, 1)]) }),
      4,
    );
    expect([part.directories.length, part.more]).toEqual([4, true]);
  });

  test.each<{ name: string; tiff: Parameters<typeof handTiff>[0]; message: RegExp }>([
    {
      name: 'a directory that points to itself as the next one',
      tiff: { directories: [[long(256, 1)]], lastPoints: { directory: 0 } },
      message: /twice/u,
    },
    {
      name: 'a chain that returns to its second directory',
      tiff: { directories: [[long(256, 1)], [long(256, 2)], [long(256, 3)]], lastPoints: { directory: 1 } },
      message: /twice/u,
    },
    { name: 'no first directory', tiff: { directories: [[long(256, 1)]], first: 0 }, message: /0x0/u },
    {
      name: 'a first directory past the end',
      tiff: { directories: [[long(256, 1)]], first: 0xffff_fff0 },
      message: /0xfffffff0/u,
    },
    {
      name: 'a next directory past the end',
      tiff: { directories: [[long(256, 1)]], lastPoints: 0x7fff_ffff },
      message: /0x7fffffff/u,
    },
    { name: 'a directory without fields', tiff: { directories: [[]] }, message: /1 to 4096 fields/u },
    {
      name: '2^32 − 1 values',
      tiff: { directories: [[{ tag: 256, type: 4, values: [8], count: 0xffff_ffff }]] },
      message: /tag 256/u,
    },
    {
      name: 'values past the end',
      tiff: { directories: [[{ tag: 273, type: 4, values: [1, 2, 3], offset: 0xffff_0000 }]] },
      message: /tag 273/u,
    },
    {
      name: 'values that end one byte past the file',
      tiff: { directories: [[{ tag: 273, type: 7, values: [1, 2, 3, 4, 5, 6, 7, 8, 9, 10], count: 11 }]] },
      message: /tag 273/u,
    },
  ])('refuses $name', async ({ tiff, message }) => {
    const bytes = handTiff({ ...tiff, littleEndian, bigTiff });
    await expect(open(bytes)).rejects.toThrow(MalformedTiffError);
    await expect(open(bytes)).rejects.toThrow(message);
  });

  test('skips fields without values or of unknown type and uses the first of two fields with one tag', async () => {
    expect(
      await valuesOf(
        make([
          { tag: 255, type: 4, values: [7], count: 0 },
          long(256, 5),
          long(256, 6),
          { tag: 257, type: 99, values: [1], count: 0xffff_ffff },
          { tag: 258, type: 0, values: [1] },
          { tag: 259, type: 14, values: [1] },
        ]),
      ),
    ).toEqual([{ 256: [5] }]);
  });

  test('refuses a directory with more than 4096 fields before reading its entries', async () => {
    const longest: number[] = [];
    const bytes = make(Array.from({ length: 5000 }, (_, index) => long(index, 1)));
    const reader = memoryReader(bytes);
    const watched = {
      size: reader.size,
      read: (offset: number, length: number) => {
        longest.push(length);
        return reader.read(offset, length);
      },
    };
    await expect(readTiff(watched)).rejects.toThrow(/but received 5000/u);
    expect(Math.max(...longest)).toBeLessThanOrEqual(16);
  });

  test('reads a file truncated at any byte or throws MalformedTiffError', async () => {
    const whole = make(
      withFields(greyFields(4, 4, 8), { tag: 282, type: 5, values: [300, 1] }),
      withFields(greyFields(2, 2, 8), short(258, 8, 8, 8, 8, 8)),
    );
    for (let length = 0; length < whole.length; length++) await expectReadOrMalformed(whole.subarray(0, length));
    expect((await open(whole)).directories).toHaveLength(2);
  });
});

describe('readTiff of a file that is not a TIFF', () => {
  test.each([
    ['an empty file', ''],
    ['seven bytes', '49492a00080000'],
    ['an unknown byte order mark', '4a4a2a000800000000000000'],
    ['a mixed byte order mark', '494d2a000800000000000000'],
    ['an unknown version', '49492c000800000000000000'],
    ['a BigTIFF with 4-byte offsets', '49492b00040000001000000000000000'],
    ['a BigTIFF truncated in its header', '49492b000800000010000000'],
    ['a BigTIFF with an offset above 2^63', '49492b0008000000ffffffffffffffff'],
  ])('throws MalformedTiffError for %s', async (_, bytes) => {
    await expect(open(Buffer.from(bytes, 'hex'))).rejects.toThrow(MalformedTiffError);
  });
});

test('readTiff refuses a BigTIFF directory that declares a million fields', async () => {
  const bytes = new Uint8Array(24);
  const view = new DataView(bytes.buffer);
  bytes.set(Buffer.from('49492b00080000001000000000000000', 'hex'));
  view.setBigUint64(16, 1_000_000n, true);
  await expect(open(bytes)).rejects.toThrow(/but received 1000000/u);
});

test('readTiff reads 256 of a million directories when 256 are requested', async () => {
  // Every directory has one field and points to the directory after it.
  const count = 1_000_000;
  const bytes = new Uint8Array(8 + 18 * count);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, 0x002a_4949, true);
  view.setUint32(4, 8, true);
  for (let at = 8; at < bytes.length; at += 18) {
    view.setUint16(at, 1, true);
    view.setUint16(at + 2, 256, true);
    view.setUint16(at + 4, 4, true);
    view.setUint32(at + 6, 1, true);
    view.setUint32(at + 14, at + 18, true);
  }
  const milliseconds = await processorMilliseconds(async () => {
    const file = await open(bytes, 256);
    expect([file.directories.length, file.more]).toEqual([256, true]);
  });
  expect(milliseconds).toBeLessThan(1000);
});

test('readTiff reads files written by libtiff: strips and tiles, classic TIFF and BigTIFF', async () => {
  for (const bigtiff of [false, true]) {
    for (const tile of [false, true]) {
      const bytes = await pictureOf(300, 200)
        .tiff({ compression: 'none', bigtiff, tile, tileWidth: 128, tileHeight: 64 })
        .toBuffer();
      const file = await open(bytes);
      expect([file.bigTiff, file.directories.length]).toEqual([bigtiff, 1]);
      const [directory] = file.directories;
      if (!directory) throw new Error('Expected a directory');
      const info = await describeDirectory(file, directory);
      expect(info).toMatchObject({ width: 300, height: 200, samplesPerPixel: 3, bitsPerSample: [8, 8, 8] });
      if (tile) expect(info.chunks).toEqual({ kind: 'tiles', width: 128, height: 64, across: 3, down: 4 });
      else expect(info.chunks).toMatchObject({ kind: 'strips', width: 300, across: 1 });
      const { byteCounts } = await readChunkTable(file, directory, info);
      expect(byteCounts.reduce((sum, bytesOf) => sum + bytesOf, 0)).toBe(tile ? 12 * 128 * 64 * 3 : 300 * 200 * 3);
    }
  }
});

async function expectReadOrMalformed(bytes: Uint8Array): Promise<void> {
  try {
    const file = await open(bytes, 256);
    for (const directory of file.directories) {
      const info = await describeDirectory(file, directory);
      await readChunkTable(file, directory, info);
    }
  } catch (error) {
    expect((error as Error).name).toBe('MalformedTiffError');
  }
}

describe('readTiff of a file with random byte changes', () => {
  const seeds = formats.map((format) =>
    handTiff({
      ...format,
      data: new Uint8Array(16),
      directories: [
        withFields(greyFields(4, 4, 16), short(258, 8, 8, 8), { tag: 282, type: 5, values: [300, 1] }),
        [long(254, 1), long(256, 2), long(257, 2), short(322, 16), short(323, 16), long(324, 16), long(325, 4)],
      ],
    }),
  );

  test('reads the file or throws MalformedTiffError in bounded time', async () => {
    const milliseconds = await processorMilliseconds(async () => {
      const change = fc.tuple(fc.nat(), fc.oneof(fc.constantFrom(0, 1, 4, 11, 12, 16, 0x7f, 0x80, 0xff), fc.nat(255)));
      await fc.assert(
        fc.asyncProperty(
          fc.constantFrom(...seeds),
          fc.array(change, { minLength: 1, maxLength: 6 }),
          async (seed, changes) => {
            const bytes = Uint8Array.from(seed);
            for (const [at, value] of changes) bytes[at % bytes.length] = value;
            await expectReadOrMalformed(bytes);
          },
        ),
        { numRuns: 3000 },
      );
    });
    expect(milliseconds).toBeLessThan(20_000);
  });
});

import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import sharp, { type TiffOptions } from 'sharp';
import { describeDirectory } from '../../src/tiff/directory-info.ts';
import { memoryReader, type RangeReader } from '../../src/bytes/range-reader.ts';
import { readTiff } from '../../src/tiff/read.ts';
import { planSlice, type Slice } from '../../src/tiff/slice.ts';
import { pictureOf } from '../support/pixels.ts';
import { greyFields, handTiff, withFields } from '../support/tiff-bytes.ts';
import { type PlainTiff, writePlainTiff } from '../support/tiff-writer.ts';

interface Rect {
  readonly left: number;
  readonly top: number;
  readonly right: number;
  readonly bottom: number;
}

async function sliceOf(reader: RangeReader, rect: Rect): Promise<{ slice: Slice; bytes: Buffer }> {
  const file = await readTiff(reader, 1);
  const [directory] = file.directories;
  if (!directory) throw new Error('no directory');
  const slice = await planSlice(file, directory, await describeDirectory(file, directory), rect);
  const bytes = Buffer.alloc(slice.size);
  bytes.set(slice.header);
  for (const { offset, length, at } of slice.reads) bytes.set(await reader.read(offset, length), at);
  return { slice, bytes };
}

async function raw(tiff: Buffer, crop?: Rect): Promise<Buffer> {
  const { depth } = await sharp(tiff).metadata();
  const whole = sharp(tiff, { ignoreIcc: true });
  const part = crop
    ? whole.extract({ left: crop.left, top: crop.top, width: crop.right - crop.left, height: crop.bottom - crop.top })
    : whole;
  return part
    .toColourspace(depth === 'ushort' ? 'rgb16' : 'srgb')
    .raw({ depth: depth === 'ushort' ? 'ushort' : 'uchar' })
    .toBuffer();
}

async function expectSliceEqualsCrop(tiff: Buffer, rect: Rect): Promise<Slice> {
  const { slice, bytes } = await sliceOf(memoryReader(tiff), rect);
  expect(slice.rect.left <= rect.left && slice.rect.right >= rect.right).toBe(true);
  expect(slice.rect.top <= rect.top && slice.rect.bottom >= rect.bottom).toBe(true);
  const { left, top } = slice.rect;
  const inside = { left: rect.left - left, right: rect.right - left, top: rect.top - top, bottom: rect.bottom - top };
  expect((await raw(bytes, inside)).equals(await raw(tiff, rect))).toBe(true);
  return slice;
}

function rectIn(width: number, height: number): fc.Arbitrary<Rect> {
  const span = (length: number): fc.Arbitrary<[number, number]> =>
    fc
      .tuple(fc.nat(length - 1), fc.integer({ min: 1, max: length }))
      .map(([from, size]) => [from, Math.min(length, from + size)]);
  return fc.tuple(span(width), span(height)).map(([[left, right], [top, bottom]]) => ({ left, right, top, bottom }));
}

describe('a slice decodes to the same pixels as the whole image', () => {
  const written: readonly { name: string; options: TiffOptions; channels: 1 | 3 }[] = [
    ...(['none', 'lzw', 'deflate', 'packbits', 'jpeg', 'webp'] as const).flatMap((compression) =>
      [true, false].flatMap((tile) =>
        // WebP has no greyscale mode.
        (compression === 'webp' ? ([3] as const) : ([1, 3] as const)).map((channels) => ({
          name: `${compression}, ${tile ? 'tiles' : 'strips'}, ${channels} bands`,
          options: {
            compression,
            tile,
            tileWidth: 64,
            tileHeight: 48,
            ...(compression === 'jpeg' ? { quality: 90 } : {}),
          },
          channels,
        })),
      ),
    ),
    {
      name: 'JPEG 4:2:0 tiles',
      options: { compression: 'jpeg', quality: 60, tile: true, tileWidth: 64, tileHeight: 64 },
      channels: 3,
    },
    { name: 'LZW without predictor', options: { compression: 'lzw', predictor: 'none' }, channels: 3 },
    { name: 'one-bit CCITT Group 4', options: { compression: 'ccittfax4', bitdepth: 1 }, channels: 1 },
    { name: 'one-bit LZW', options: { compression: 'lzw', predictor: 'none', bitdepth: 1 }, channels: 1 },
    { name: 'two-bit samples', options: { compression: 'none', bitdepth: 2 }, channels: 1 },
    { name: 'four-bit samples', options: { compression: 'deflate', predictor: 'none', bitdepth: 4 }, channels: 1 },
    { name: 'BigTIFF strips', options: { compression: 'none', bigtiff: true }, channels: 3 },
    {
      name: 'BigTIFF tiles',
      options: { compression: 'deflate', tile: true, bigtiff: true, tileWidth: 64, tileHeight: 64 },
      channels: 3,
    },
    {
      name: 'the first level of a pyramid',
      options: { compression: 'jpeg', tile: true, pyramid: true, tileWidth: 64, tileHeight: 64 },
      channels: 3,
    },
  ];
  for (const { name, options, channels } of written) {
    test(`for ${name}`, async () => {
      const [width, height] = [331, 277];
      const tiff = await pictureOf(width, height, channels).tiff(options).toBuffer();
      await fc.assert(
        fc.asyncProperty(rectIn(width, height), async (rect) => {
          await expectSliceEqualsCrop(tiff, rect);
        }),
        { numRuns: 12, seed: 7 },
      );
    });
  }

  const odd = { width: 97, height: 83, rowsPerStrip: 16 };
  const tile = { width: 32, height: 48 };
  const synthetic: readonly { name: string; tiff: PlainTiff }[] = [
    {
      name: 'big-endian strips',
      tiff: { width: 97, height: 83, samples: 3, bits: 8, bigEndian: true, rowsPerStrip: 10 },
    },
    {
      name: 'big-endian BigTIFF, 16 bits',
      tiff: { width: 97, height: 83, samples: 3, bits: 16, bigEndian: true, bigTiff: true, rowsPerStrip: 7 },
    },
    { name: 'planar strips', tiff: { width: 97, height: 83, samples: 3, bits: 8, planar: true, rowsPerStrip: 9 } },
    {
      name: 'planar, big-endian, 16 bits',
      tiff: { width: 97, height: 83, samples: 3, bits: 16, planar: true, bigEndian: true, rowsPerStrip: 9 },
    },
    { name: 'a single strip', tiff: { width: 97, height: 83, samples: 3, bits: 8, rowsPerStrip: 83 } },
    {
      name: 'strips with gaps between them',
      tiff: { width: 97, height: 83, samples: 3, bits: 8, rowsPerStrip: 5, gap: 13 },
    },
    {
      name: 'strips stored in reverse order',
      tiff: { width: 97, height: 83, samples: 3, bits: 16, rowsPerStrip: 5, reversed: true },
    },
    {
      name: 'big-endian tiles, 16 bits',
      tiff: { ...odd, samples: 3, bits: 16, bigEndian: true, tile: { width: 32, height: 16 } },
    },
    {
      name: 'BigTIFF, deflate tiles with predictor 2, stored in reverse order',
      tiff: { ...odd, samples: 3, bits: 8, bigTiff: true, reversed: true, tile, deflate: { predictor: 2 } },
    },
    {
      name: 'big-endian, 16 bits, deflate strips with predictor 2',
      tiff: { ...odd, samples: 3, bits: 16, bigEndian: true, rowsPerStrip: 11, deflate: { predictor: 2 } },
    },
    { name: 'one row per strip', tiff: { width: 97, height: 83, samples: 3, bits: 8, rowsPerStrip: 1 } },
  ];
  for (const { name, tiff } of synthetic) {
    test(`for ${name}`, async () => {
      const bytes = writePlainTiff(
        tiff,
        (x, y, band) => (x * 7 + y * 131 + band * 59 + x * y) % (tiff.bits === 16 ? 65_521 : 251),
      );
      await fc.assert(
        fc.asyncProperty(rectIn(tiff.width, tiff.height), async (rect) => {
          await expectSliceEqualsCrop(bytes, rect);
        }),
        { numRuns: 25, seed: 11 },
      );
    });
  }
});

describe('a slice of planar tiles', () => {
  const tiff: PlainTiff = {
    width: 97,
    height: 83,
    samples: 3,
    bits: 8,
    planar: true,
    rowsPerStrip: 16,
    tile: { width: 32, height: 16 },
  };
  const sample = (x: number, y: number, band: number): number => (x * 7 + y * 31 + band * 59 + x * y) % 251;

  test('stacks the planes vertically, each aligned to a tile row', async () => {
    await fc.assert(
      fc.asyncProperty(rectIn(tiff.width, tiff.height), async (rect) => {
        const { slice, bytes } = await sliceOf(memoryReader(writePlainTiff(tiff, sample)), rect);
        const { left, top, right, bottom } = slice.rect;
        const stack = await sharp(bytes).toColourspace('b-w').raw().toBuffer({ resolveWithObject: true });
        expect(slice.stack?.planes).toBe(3);
        const rowsApart = slice.stack?.rowsApart ?? 0;
        expect([rowsApart % 16, rowsApart >= bottom - top]).toEqual([0, true]);
        expect([stack.info.width, stack.info.height]).toEqual([right - left, 2 * rowsApart + bottom - top]);
        const [lastX, lastY] = [Math.min(right, tiff.width) - 1, Math.min(bottom, tiff.height) - 1];
        for (const [band, x, y] of [
          [0, left, top],
          [1, lastX, top],
          [2, left, lastY],
          [2, lastX, lastY],
        ] as const) {
          const at = (band * rowsApart + y - top) * (right - left) + x - left;
          expect(stack.data[at]).toBe(sample(x, y, band));
        }
      }),
      { numRuns: 25, seed: 13 },
    );
  });

  test('reads exactly the tiles of the window', async () => {
    const { slice } = await sliceOf(memoryReader(writePlainTiff(tiff, sample)), {
      left: 33,
      top: 17,
      right: 90,
      bottom: 30,
    });
    // A plane has four columns and six rows of tiles of 512 bytes; the window covers tiles 5 and 6.
    expect(slice.rect).toEqual({ left: 32, top: 16, right: 96, bottom: 32 });
    expect(slice.reads.map(({ offset, length }) => [offset, length])).toEqual([
      [8 + 5 * 512, 1024],
      [8 + (24 + 5) * 512, 1024],
      [8 + (48 + 5) * 512, 1024],
    ]);
  });

  test('has a second header that describes interleaved pixels as the master does', async () => {
    const master = { ...tiff, samples: 4, bits: 16, bigEndian: true, orientation: 6 };
    const { slice } = await sliceOf(memoryReader(writePlainTiff(master, sample)), {
      left: 0,
      top: 0,
      right: 20,
      bottom: 10,
    });
    const header = slice.stack?.header ?? new Uint8Array();
    const samples = Buffer.alloc(32 * 16 * 4 * 2);
    const { format, width, height, channels, depth, hasAlpha, orientation } = await sharp(
      Buffer.concat([header, samples]),
    ).metadata();
    expect({ format, width, height, channels, depth, hasAlpha, orientation }).toEqual({
      format: 'tiff',
      width: 32,
      height: 16,
      channels: 4,
      depth: 'ushort',
      hasAlpha: true,
      orientation: 6,
    });
  });

  test('throws MalformedTiffError for samples of 4 bits', async () => {
    const master = writePlainTiff(tiff, sample);
    const file = await readTiff(memoryReader(master), 1);
    const [directory] = file.directories;
    if (!directory) throw new Error('no directory');
    const info = { ...(await describeDirectory(file, directory)), bitsPerSample: [4, 4, 4] };
    await expect(planSlice(file, directory, info, { left: 0, top: 0, right: 9, bottom: 9 })).rejects.toThrow(
      'Expected 8 or 16 bits for all samples of planar tiles but received 4, 4, 4',
    );
  });
});

test('a slice omits fields that cause decoder warnings', async () => {
  const description = { tag: 270, type: 2, values: [83, 99, 97, 110, 33] };
  const fields = withFields(greyFields(64, 64, 8), description);
  const tiff = Buffer.from(handTiff({ data: new Uint8Array(64 * 64).fill(7), directories: [fields] }));
  const { bytes } = await sliceOf(memoryReader(tiff), { left: 0, top: 8, right: 64, bottom: 16 });
  // ImageDescription lacks its terminating NUL.
  await expect(sharp(tiff, { failOn: 'warning' }).raw().toBuffer()).rejects.toThrow(/ImageDescription/u);
  await expect(sharp(bytes, { failOn: 'warning' }).toColourspace('b-w').raw().toBuffer()).resolves.toEqual(
    Buffer.alloc(64 * 8, 7),
  );
});

test('a slice of planar tiles with one sample has PlanarConfiguration 1', async () => {
  const grey: PlainTiff = { width: 97, height: 83, samples: 1, bits: 8, planar: true, rowsPerStrip: 16 };
  const tile = { width: 32, height: 16 };
  const sample = (x: number, y: number): number => (x * 7 + y * 31) % 251;
  const rect = { left: 40, top: 20, right: 97, bottom: 70 };
  const { slice, bytes } = await sliceOf(memoryReader(writePlainTiff({ ...grey, tile }, sample)), rect);
  const whole = writePlainTiff(grey, sample);
  const inside = { left: 8, top: 4, right: 65, bottom: 54 };
  // Tiles are not clipped at the edge of the image.
  expect(slice.rect).toEqual({ left: 32, top: 16, right: 128, bottom: 80 });
  expect((await raw(bytes, inside)).equals(await raw(whole, rect))).toBe(true);
});

test.each([
  ['of an image smaller than its tiles', { width: 40, height: 30 }, { left: 3, top: 2, right: 40, bottom: 30 }],
  [
    'of the bottom right corner of a larger image',
    { width: 1034, height: 1030 },
    { left: 1024, top: 1024, right: 1034, bottom: 1030 },
  ],
])('libvips reads a slice %s although it refuses tiles much larger than their image', async (_, size, rect) => {
  const strips: PlainTiff = { ...size, samples: 1, bits: 8, rowsPerStrip: 64 };
  const sample = (x: number, y: number): number => (x * 7 + y * 31) % 251;
  const tiled = writePlainTiff({ ...strips, tile: { width: 1024, height: 1024 } }, sample);
  const { slice, bytes } = await sliceOf(memoryReader(tiled), rect);
  const { left, top } = slice.rect;
  const inside = { left: rect.left - left, top: rect.top - top, right: rect.right - left, bottom: rect.bottom - top };
  expect((await raw(bytes, inside)).equals(await raw(writePlainTiff(strips, sample), rect))).toBe(true);
});

describe('reads of a slice', () => {
  test('cover exactly the rows of the window in a single uncompressed strip', async () => {
    const tiff = writePlainTiff(
      { width: 100, height: 400, samples: 3, bits: 8, rowsPerStrip: 400 },
      (x, y) => (x + y) % 256,
    );
    const { slice } = await sliceOf(memoryReader(tiff), { left: 0, top: 100, right: 100, bottom: 110 });
    expect(slice.reads).toEqual([{ offset: 8 + 100 * 300, length: 10 * 300, at: slice.header.length }]);
    expect(slice.rect).toEqual({ left: 0, top: 100, right: 100, bottom: 110 });
  });

  test('cover only the tiles of the window and coalesce adjacent tiles', async () => {
    const tiff = await pictureOf(640, 640)
      .tiff({ compression: 'none', tile: true, tileWidth: 64, tileHeight: 64 })
      .toBuffer();
    const { slice } = await sliceOf(memoryReader(tiff), { left: 65, top: 130, right: 190, bottom: 191 });
    expect(slice.rect).toEqual({ left: 64, top: 128, right: 192, bottom: 192 });
    expect(slice.reads.map(({ length }) => length)).toEqual([2 * 64 * 64 * 3]);
  });

  test('cover only the chunk table entries of the window', async () => {
    const tiff = await pictureOf(2048, 2048, 1)
      .tiff({ compression: 'lzw', tile: true, tileWidth: 16, tileHeight: 16 })
      .toBuffer();
    let bytesRead = 0;
    const counting: RangeReader = {
      size: tiff.length,
      read: (offset, length) => {
        bytesRead += length;
        return Promise.resolve(tiff.subarray(offset, offset + length));
      },
    };
    const { slice } = await sliceOf(counting, { left: 0, top: 0, right: 64, bottom: 64 });
    // The table of 16,384 tiles has 128 kB; the entries of sixteen tiles have 128 bytes.
    expect(bytesRead).toBeLessThan(slice.size + 4096);
  });

  test('fail with MalformedTiffError for a chunk that ends past the file', async () => {
    const tiff = await pictureOf(256, 256)
      .tiff({ compression: 'none', tile: true, tileWidth: 64, tileHeight: 64 })
      .toBuffer();
    const cut = { ...memoryReader(tiff), size: tiff.length };
    const shorter: RangeReader = { ...cut, size: tiff.length };
    const file = await readTiff(shorter, 1);
    const [directory] = file.directories;
    if (!directory) throw new Error('no directory');
    const info = await describeDirectory(file, directory);
    const truncated = { ...file, reader: { ...file.reader, size: 1000 } };
    await expect(
      planSlice(truncated, directory, info, { left: 192, top: 192, right: 256, bottom: 256 }),
    ).rejects.toThrow(/Expected .* (within|a file that ends)/u);
  });
});

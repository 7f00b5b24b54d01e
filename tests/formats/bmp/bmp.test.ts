import { describe, expect, test } from '@jest/globals';
import { decode, probe } from '../../../src/formats/convert.ts';
import { bmp as format } from '../../../src/formats/bmp/bmp.ts';
import { memoryReader } from '../../../src/bytes/range-reader.ts';
import { bmp, type HandBmp } from '../../support/bmp-fixtures.ts';
import { profileFor } from '../../support/jp2-fixtures.ts';

const options = { dpi: 300, background: '#ffffff' };
const colours = [
  [10, 20, 30],
  [40, 50, 60],
  [70, 80, 90],
  [200, 210, 220],
];
const decoded = async (image: HandBmp) => decode('bmp', bmp(image), options);
const pixelsOf = async (image: HandBmp) => [...(await decoded(image)).data];

describe('a BMP without compression', () => {
  test('of 24 bits decodes from the bottom row, without padding', async () => {
    // Blue is the lowest byte.
    const rows = [
      [0x0a_14_1e, 0x28_32_3c, 0x46_50_5a],
      [0x01_02_03, 0x04_05_06, 0x07_08_09],
    ];
    const image = { width: 3, height: 2, bitsPerPixel: 24, rows };
    expect(format.matches(bmp(image))).toBe(true);
    const expected = [10, 20, 30, 40, 50, 60, 70, 80, 90, 1, 2, 3, 4, 5, 6, 7, 8, 9];
    await expect(pixelsOf(image)).resolves.toEqual(expected);
    await expect(pixelsOf({ ...image, topDown: true })).resolves.toEqual(expected);
    await expect(pixelsOf({ ...image, headerBytes: 12 })).resolves.toEqual(expected);
  });

  test.each([1, 2, 4, 8])(
    'of %i bits decodes through its palette when rows end within a byte',
    async (bitsPerPixel) => {
      const palette = colours.slice(0, Math.min(4, 2 ** bitsPerPixel));
      const top = palette.length - 1;
      const rows = [
        [0, top, 0, 1, top],
        [top, 0, 1, 0, 0],
        [1, 1, 0, 0, 1],
      ];
      const image = { width: 5, height: 3, bitsPerPixel, palette, rows };
      await expect(pixelsOf(image)).resolves.toEqual(rows.flat().flatMap((index) => palette[index] ?? []));
    },
  );

  test('with a palette of greys decodes to one band', async () => {
    const palette = [0, 85, 170, 255].map((level) => [level, level, level]);
    const image = { width: 4, height: 1, bitsPerPixel: 8, palette, rows: [[3, 0, 1, 2]] };
    await expect(decoded(image)).resolves.toMatchObject({ bands: 1, alpha: false, bitDepth: 8 });
    await expect(pixelsOf(image)).resolves.toEqual([255, 0, 85, 170]);
  });

  test('of 16 bits decodes 5 bits a colour, widened by repeating them', async () => {
    const image = { width: 3, height: 1, bitsPerPixel: 16, rows: [[0b11111_00000_00000, 0b10000_00001_11111, 0]] };
    await expect(pixelsOf(image)).resolves.toEqual([255, 0, 0, 132, 8, 255, 0, 0, 0]);
  });

  test('of 16 bits decodes through masks of 5, 6 and 5 bits', async () => {
    const masks = [0xf800, 0x07e0, 0x001f];
    const image = { width: 2, height: 1, bitsPerPixel: 16, compression: 3, masks, rows: [[0xffe0, 0x041f]] };
    await expect(pixelsOf(image)).resolves.toEqual([255, 255, 0, 0, 130, 255]);
  });

  test.each([16, 24, 36, 48, 64])('with a header of OS/2 of %i bytes decodes', async (headerBytes) => {
    const rows = [
      [0x0000ff, 0x00ff00, 0xff0000],
      [0x102030, 0x405060, 0x708090],
    ];
    const image = { width: 3, height: 2, rows };
    const expected = await decoded({ ...image, bitsPerPixel: 24 });
    expect((await decoded({ ...image, bitsPerPixel: 24, headerBytes })).data).toEqual(expected.data);
    const palette = Array.from({ length: 16 }, (_, entry) => [entry * 10, entry * 5, 255 - entry]);
    const indexed = { width: 3, height: 1, bitsPerPixel: 4, palette, rows: [[1, 15, 7]] };
    expect((await decoded({ ...indexed, headerBytes })).data).toEqual((await decoded(indexed)).data);
    const file = bmp({ ...indexed, headerBytes });
    expect(format.matches(file)).toBe(true);
    await expect(probe('bmp', memoryReader(file.subarray(0, headerBytes)), options)).rejects.toThrow(/^TRUNCATED: /u);
  });

  test('of 32 bits ignores the fourth byte without a mask', async () => {
    const image = { width: 2, height: 1, bitsPerPixel: 32, rows: [[0x00_0a_14_1e, 0xff_28_32_3c]] };
    await expect(decoded(image)).resolves.toMatchObject({ bands: 3, alpha: false });
    await expect(pixelsOf(image)).resolves.toEqual([10, 20, 30, 40, 50, 60]);
  });

  test('of 32 bits decodes alpha through its mask', async () => {
    const masks = [0x00ff0000, 0x0000ff00, 0x000000ff, 0xff000000];
    const rows = [[0x80_0a_14_1e, 0xff_28_32_3c]];
    const image = { width: 2, height: 1, bitsPerPixel: 32, headerBytes: 108, compression: 3, masks, rows };
    await expect(decoded(image)).resolves.toMatchObject({ bands: 3, alpha: true });
    await expect(pixelsOf(image)).resolves.toEqual([10, 20, 30, 128, 40, 50, 60, 255]);
  });

  test('with masks of 10 bits decodes to 16-bit samples', async () => {
    const masks = [0x3ff00000, 0x000ffc00, 0x000003ff];
    const rows = [[0x3ff00000 + 0x2a7 * 1024]];
    const image = { width: 1, height: 1, bitsPerPixel: 32, compression: 3, masks, rows };
    await expect(decoded(image)).resolves.toMatchObject({ bitDepth: 16 });
    await expect(pixelsOf(image)).resolves.toEqual([65_535, 0xa9ea, 0]);
  });
});

describe('the runs of a BMP', () => {
  const palette = [0, 1, 2, 3, 4, 5].map((level) => [level * 10, level * 10, level * 10]);

  test('decode from RLE8: runs, padded literals of odd length, ends of lines, jumps', async () => {
    const runs = [
      [3, 1, 0, 3, 2, 3, 4, 0xee, 0, 0],
      [2, 5, 0, 2, 1, 1],
      [1, 2, 0, 1],
    ];
    const image = { width: 6, height: 3, bitsPerPixel: 8, compression: 1, palette, rows: runs };
    // Rows are stored from the bottom; skipped pixels have index 0.
    const expected = [
      [0, 0, 0, 20, 0, 0],
      [50, 50, 0, 0, 0, 0],
      [10, 10, 10, 20, 30, 40],
    ];
    await expect(pixelsOf(image)).resolves.toEqual(expected.flat());
  });

  test('decode from RLE4: alternating indexes, literals padded to two bytes', async () => {
    const runs = [
      [5, 0x12, 0, 0],
      [0, 5, 0x34, 0x51, 0x20, 0xee, 0, 1],
    ];
    const image = { width: 5, height: 2, bitsPerPixel: 4, compression: 2, palette, rows: runs };
    const expected = [
      [30, 40, 50, 10, 20],
      [10, 20, 10, 20, 10],
    ];
    await expect(pixelsOf(image)).resolves.toEqual(expected.flat());
  });

  test('are TRUNCATED when they end before the picture', async () => {
    const image = { width: 6, height: 3, bitsPerPixel: 8, compression: 1, palette, rows: [[6, 1, 0, 0, 6]] };
    await expect(decoded(image)).rejects.toMatchObject({ code: 'TRUNCATED' });
  });

  test('are CORRUPT_PIXELS when they jump out of the picture', async () => {
    const image = { width: 6, height: 3, bitsPerPixel: 8, compression: 1, palette, rows: [[0, 2, 9, 9, 0, 1]] };
    await expect(decoded(image)).rejects.toMatchObject({ code: 'CORRUPT_PIXELS' });
  });
});

test('a BMP keeps its resolution and its embedded profile', async () => {
  const profile = profileFor('RGB ');
  const image = {
    width: 1,
    height: 1,
    bitsPerPixel: 24,
    headerBytes: 124,
    pixelsPerMetre: 11_811,
    profile,
    rows: [[0]],
  };
  const { iccProfile, resolution } = await decoded(image);
  expect(iccProfile).toEqual(profile);
  expect(resolution).toEqual({ x: 118.11, y: 118.11, unit: 'centimetre' });
});

describe('a BMP that cannot be decoded', () => {
  const whole = bmp({
    width: 40,
    height: 30,
    bitsPerPixel: 24,
    rows: Array.from({ length: 30 }, () => new Array<number>(40).fill(7)),
  });

  test.each([10, 40, 60, 3_000])('is TRUNCATED when cut to %i bytes', async (length) => {
    const cut = whole.subarray(0, length);
    await expect(probe('bmp', memoryReader(cut), options)).rejects.toMatchObject({ code: 'TRUNCATED' });
    await expect(decode('bmp', cut, options)).rejects.toMatchObject({ code: 'TRUNCATED' });
  });

  test('is OVER_BUDGET with more pixels than memory can hold', async () => {
    const runs = { width: 2 ** 30, height: 2 ** 30, bitsPerPixel: 8, compression: 1, palette: colours, rows: [[0, 1]] };
    await expect(decoded(runs)).rejects.toMatchObject({ code: 'OVER_BUDGET' });
  });

  test.each([
    [1, 3, 'Huffman coding within a BMP of OS/2'],
    [24, 4, 'run lengths of 24 bits within a BMP of OS/2'],
  ])('of %i bits and compression %i of OS/2 is refused by name', async (bitsPerPixel, compression, message) => {
    const file = bmp({ width: 8, height: 1, bitsPerPixel, compression, headerBytes: 64, rows: [[0, 0, 0]] });
    await expect(probe('bmp', memoryReader(file), options)).rejects.toThrow(`UNSUPPORTED_PIXELS: ${message}`);
  });

  test.each([
    [4, 'a JPEG image within a BMP'],
    [5, 'a PNG image within a BMP'],
    [11, 'the colour model is CMYK'],
  ])('compression %i is refused by name', async (compression, message) => {
    const file = Uint8Array.from(whole);
    file[30] = compression;
    await expect(probe('bmp', memoryReader(file), options)).rejects.toThrow(`UNSUPPORTED_PIXELS: ${message}`);
  });

  test('is CORRUPT_PIXELS with an index beyond the palette', async () => {
    const image = { width: 2, height: 1, bitsPerPixel: 8, palette: colours, rows: [[3, 4]] };
    await expect(decoded(image)).rejects.toThrow('CORRUPT_PIXELS: the palette has no entry 4');
  });

  test.each([
    ['no width', 18, 0],
    ['7 bits a pixel', 28, 7],
    ['an unknown compression', 30, 77],
  ])('%s is CORRUPT_HEADER', async (_, at, value) => {
    const file = Uint8Array.from(whole);
    file[at] = value;
    await expect(probe('bmp', memoryReader(file), options)).rejects.toMatchObject({ code: 'CORRUPT_HEADER' });
  });
});

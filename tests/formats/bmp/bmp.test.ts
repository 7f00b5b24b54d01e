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

describe('rows as they are stored', () => {
  test('24 bits, from the bottom, with padding', async () => {
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

  test.each([1, 2, 4, 8])('%i bits of a palette, of a width that ends within a byte', async (bitsPerPixel) => {
    const palette = colours.slice(0, Math.min(4, 2 ** bitsPerPixel));
    const top = palette.length - 1;
    const rows = [
      [0, top, 0, 1, top],
      [top, 0, 1, 0, 0],
      [1, 1, 0, 0, 1],
    ];
    const image = { width: 5, height: 3, bitsPerPixel, palette, rows };
    await expect(pixelsOf(image)).resolves.toEqual(rows.flat().flatMap((index) => palette[index] ?? []));
  });

  test('a palette of greys gives one band', async () => {
    const palette = [0, 85, 170, 255].map((level) => [level, level, level]);
    const image = { width: 4, height: 1, bitsPerPixel: 8, palette, rows: [[3, 0, 1, 2]] };
    await expect(decoded(image)).resolves.toMatchObject({ bands: 1, alpha: false, bitDepth: 8 });
    await expect(pixelsOf(image)).resolves.toEqual([255, 0, 85, 170]);
  });

  test('16 bits are 5 each, widened by repeating them', async () => {
    const image = { width: 3, height: 1, bitsPerPixel: 16, rows: [[0b11111_00000_00000, 0b10000_00001_11111, 0]] };
    await expect(pixelsOf(image)).resolves.toEqual([255, 0, 0, 132, 8, 255, 0, 0, 0]);
  });

  test('16 bits under masks of 5, 6 and 5', async () => {
    const masks = [0xf800, 0x07e0, 0x001f];
    const image = { width: 2, height: 1, bitsPerPixel: 16, compression: 3, masks, rows: [[0xffe0, 0x041f]] };
    await expect(pixelsOf(image)).resolves.toEqual([255, 255, 0, 0, 130, 255]);
  });

  test('the fourth byte of 32 bits means nothing without a mask', async () => {
    const image = { width: 2, height: 1, bitsPerPixel: 32, rows: [[0x00_0a_14_1e, 0xff_28_32_3c]] };
    await expect(decoded(image)).resolves.toMatchObject({ bands: 3, alpha: false });
    await expect(pixelsOf(image)).resolves.toEqual([10, 20, 30, 40, 50, 60]);
  });

  test('a mask of alpha makes it alpha', async () => {
    const masks = [0x00ff0000, 0x0000ff00, 0x000000ff, 0xff000000];
    const rows = [[0x80_0a_14_1e, 0xff_28_32_3c]];
    const image = { width: 2, height: 1, bitsPerPixel: 32, headerBytes: 108, compression: 3, masks, rows };
    await expect(decoded(image)).resolves.toMatchObject({ bands: 3, alpha: true });
    await expect(pixelsOf(image)).resolves.toEqual([10, 20, 30, 128, 40, 50, 60, 255]);
  });

  test('masks of 10 bits give 16-bit samples', async () => {
    const masks = [0x3ff00000, 0x000ffc00, 0x000003ff];
    const rows = [[0x3ff00000 + 0x2a7 * 1024]];
    const image = { width: 1, height: 1, bitsPerPixel: 32, compression: 3, masks, rows };
    await expect(decoded(image)).resolves.toMatchObject({ bitDepth: 16 });
    await expect(pixelsOf(image)).resolves.toEqual([65_535, 0xa9ea, 0]);
  });
});

describe('runs', () => {
  const palette = [0, 1, 2, 3, 4, 5].map((level) => [level * 10, level * 10, level * 10]);

  test('RLE8: runs, literals of odd length with their padding, the end of a line, jumps', async () => {
    const runs = [
      [3, 1, 0, 3, 2, 3, 4, 0xee, 0, 0],
      [2, 5, 0, 2, 1, 1],
      [1, 2, 0, 1],
    ];
    const image = { width: 6, height: 3, bitsPerPixel: 8, compression: 1, palette, rows: runs };
    // Rows from the bottom; what is jumped over has index 0.
    const expected = [
      [0, 0, 0, 20, 0, 0],
      [50, 50, 0, 0, 0, 0],
      [10, 10, 10, 20, 30, 40],
    ];
    await expect(pixelsOf(image)).resolves.toEqual(expected.flat());
  });

  test('RLE4: two indexes in turn, literals padded to two bytes', async () => {
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

  test('that end before the picture does are TRUNCATED', async () => {
    const image = { width: 6, height: 3, bitsPerPixel: 8, compression: 1, palette, rows: [[6, 1, 0, 0, 6]] };
    await expect(decoded(image)).rejects.toMatchObject({ code: 'TRUNCATED' });
  });

  test('that jump out of the picture are CORRUPT_PIXELS', async () => {
    const image = { width: 6, height: 3, bitsPerPixel: 8, compression: 1, palette, rows: [[0, 2, 9, 9, 0, 1]] };
    await expect(decoded(image)).rejects.toMatchObject({ code: 'CORRUPT_PIXELS' });
  });
});

test('resolution and an embedded profile are carried', async () => {
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

describe('what cannot be decoded', () => {
  const whole = bmp({
    width: 40,
    height: 30,
    bitsPerPixel: 24,
    rows: Array.from({ length: 30 }, () => new Array<number>(40).fill(7)),
  });

  test.each([10, 40, 60, 3_000])('a file of only %i bytes is TRUNCATED', async (length) => {
    const cut = whole.subarray(0, length);
    await expect(probe('bmp', memoryReader(cut), options)).rejects.toMatchObject({ code: 'TRUNCATED' });
    await expect(decode('bmp', cut, options)).rejects.toMatchObject({ code: 'TRUNCATED' });
  });

  test('more pixels than there is memory for are OVER_BUDGET', async () => {
    const runs = { width: 2 ** 30, height: 2 ** 30, bitsPerPixel: 8, compression: 1, palette: colours, rows: [[0, 1]] };
    await expect(decoded(runs)).rejects.toMatchObject({ code: 'OVER_BUDGET' });
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

  test('an index beyond the palette is CORRUPT_PIXELS', async () => {
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

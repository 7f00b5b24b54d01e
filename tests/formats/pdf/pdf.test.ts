import { describe, expect, test } from '@jest/globals';
import type { DecodedImage } from '../../../src/formats/decoded-image.ts';
import { decode, probe } from '../../../src/formats/convert.ts';
import { pdf as format } from '../../../src/formats/pdf/pdf.ts';
import { memoryReader } from '../../../src/bytes/range-reader.ts';
import { firstDifference } from '../../support/decoded-fixtures.ts';
import { pdf } from '../../support/pdf-fixtures.ts';
import { picture } from '../../support/pixels.ts';

const options = { dpi: 72, background: '#ffffff' };
/** A red square of 10 points in the lower left corner. */
const redCorner = '1 0 0 rg 0 0 10 10 re f';
const page = { width: 72, height: 36, content: redCorner };

function pixel({ data, width }: DecodedImage, x: number, y: number): number[] {
  return [...data.subarray((y * width + x) * 3, (y * width + x) * 3 + 3)];
}

describe('the first page of a PDF', () => {
  test('has one pixel a point at 72 dpi and the resolution 72 dpi', async () => {
    const file = pdf({ pages: [page] });
    expect(format.matches(file)).toBe(true);
    const decoded = await decode('pdf', file, options);
    expect(decoded).toMatchObject({ width: 72, height: 36, bands: 3, alpha: false, bitDepth: 8 });
    expect(decoded.resolution).toEqual({ x: 72, y: 72, unit: 'inch' });
    expect(pixel(decoded, 5, 30)).toEqual([255, 0, 0]);
    expect(pixel(decoded, 5, 5)).toEqual([255, 255, 255]);
    expect(pixel(decoded, 50, 30)).toEqual([255, 255, 255]);
  });

  test('has a size in pixels in proportion to the dpi', async () => {
    const file = pdf({ pages: [page] });
    const decoded = await decode('pdf', file, { ...options, dpi: 300 });
    expect(decoded).toMatchObject({ width: 300, height: 150, resolution: { x: 300, y: 300, unit: 'inch' } });
    await expect(probe('pdf', memoryReader(file), { dpi: 300 })).resolves.toEqual({
      width: 300,
      height: 150,
      bands: 3,
      alpha: false,
      bitDepth: 8,
    });
  });

  test('is rendered on the background', async () => {
    const decoded = await decode('pdf', pdf({ pages: [page] }), { ...options, background: '#102030' });
    expect(pixel(decoded, 50, 5)).toEqual([0x10, 0x20, 0x30]);
    expect(pixel(decoded, 5, 30)).toEqual([255, 0, 0]);
  });

  test('is rotated as the page states', async () => {
    const decoded = await decode('pdf', pdf({ pages: [{ ...page, rotate: 90 }] }), options);
    expect(decoded).toMatchObject({ width: 36, height: 72 });
    // Clockwise: the lower left corner goes to the upper left.
    expect(pixel(decoded, 5, 5)).toEqual([255, 0, 0]);
    expect(pixel(decoded, 5, 60)).toEqual([255, 255, 255]);
  });

  test('is the one that is rendered of several', async () => {
    const second = { width: 100, height: 100, content: '0 0 1 rg 0 0 100 100 re f' };
    const decoded = await decode('pdf', pdf({ pages: [page, second] }), options);
    expect(decoded).toMatchObject({ width: 72, height: 36 });
    expect(pixel(decoded, 5, 30)).toEqual([255, 0, 0]);
  });

  test('is followed by others, each of which can be rendered', async () => {
    const second = { width: 100, height: 50, content: '0 0 1 rg 0 0 100 100 re f' };
    const file = pdf({ pages: [page, second] });
    await expect(probe('pdf', memoryReader(file), { dpi: 72, page: 2 })).resolves.toEqual({
      width: 100,
      height: 50,
      bands: 3,
      alpha: false,
      bitDepth: 8,
      pages: 2,
    });
    const decoded = await decode('pdf', file, { ...options, page: 2 });
    expect(
      firstDifference(decoded.data, (await decode('pdf', pdf({ pages: [second] }), options)).data),
    ).toBeUndefined();
    await expect(decode('pdf', file, { ...options, page: 3 })).rejects.toMatchObject({ code: 'CORRUPT_HEADER' });
  });

  test('reproduces the pixels of a picture that fills it', async () => {
    const rgb = picture(72, 36, 3);
    const content = '72 0 0 36 0 0 cm /Picture Do';
    const file = pdf({ pages: [{ ...page, content, picture: { width: 72, height: 36, rgb } }] });
    const decoded = await decode('pdf', file, options);
    expect(firstDifference(decoded.data, rgb)).toBeUndefined();
  });
});

describe('a PDF that cannot be rendered', () => {
  test('is refused with the reason when it needs a password', async () => {
    const file = pdf({ pages: [page], locked: true });
    const message = 'UNSUPPORTED_PIXELS: the PDF is encrypted and needs a password; send it without';
    await expect(decode('pdf', file, options)).rejects.toThrow(message);
    await expect(probe('pdf', memoryReader(file), options)).rejects.toThrow(message);
  });

  test('is CORRUPT_HEADER without pages', async () => {
    await expect(decode('pdf', pdf({ pages: [] }), options)).rejects.toMatchObject({ code: 'CORRUPT_HEADER' });
  });

  test.each([9, 300, 480])('is TRUNCATED when cut to %i bytes', async (length) => {
    const cut = pdf({ pages: [page] }).subarray(0, length);
    expect(cut).toHaveLength(length);
    await expect(decode('pdf', cut, options)).rejects.toMatchObject({ code: 'TRUNCATED' });
  });

  test('is CORRUPT_HEADER when only its first bytes are those of a PDF', async () => {
    const file = Buffer.from(`%PDF-1.4\n${'nothing of the kind\n'.repeat(100)}%%EOF\n`);
    await expect(decode('pdf', file, options)).rejects.toMatchObject({ code: 'CORRUPT_HEADER' });
  });
});

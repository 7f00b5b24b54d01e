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

describe('the first page', () => {
  test('has a pixel a point at 72 dpi, and the resolution says so', async () => {
    const file = pdf({ pages: [page] });
    expect(format.matches(file)).toBe(true);
    const decoded = await decode('pdf', file, options);
    expect(decoded).toMatchObject({ width: 72, height: 36, bands: 3, alpha: false, bitDepth: 8 });
    expect(decoded.resolution).toEqual({ x: 72, y: 72, unit: 'inch' });
    expect(pixel(decoded, 5, 30)).toEqual([255, 0, 0]);
    expect(pixel(decoded, 5, 5)).toEqual([255, 255, 255]);
    expect(pixel(decoded, 50, 30)).toEqual([255, 255, 255]);
  });

  test('has as many pixels as the dpi asks for', async () => {
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

  test('is drawn on the background', async () => {
    const decoded = await decode('pdf', pdf({ pages: [page] }), { ...options, background: '#102030' });
    expect(pixel(decoded, 50, 5)).toEqual([0x10, 0x20, 0x30]);
    expect(pixel(decoded, 5, 30)).toEqual([255, 0, 0]);
  });

  test('is turned as its rotation says', async () => {
    const decoded = await decode('pdf', pdf({ pages: [{ ...page, rotate: 90 }] }), options);
    expect(decoded).toMatchObject({ width: 36, height: 72 });
    // Clockwise: the lower left corner goes to the upper left.
    expect(pixel(decoded, 5, 5)).toEqual([255, 0, 0]);
    expect(pixel(decoded, 5, 60)).toEqual([255, 255, 255]);
  });

  test('is the first of several', async () => {
    const second = { width: 100, height: 100, content: '0 0 1 rg 0 0 100 100 re f' };
    const decoded = await decode('pdf', pdf({ pages: [page, second] }), options);
    expect(decoded).toMatchObject({ width: 72, height: 36 });
    expect(pixel(decoded, 5, 30)).toEqual([255, 0, 0]);
  });

  test('gives a picture that fills it pixel by pixel', async () => {
    const rgb = picture(72, 36, 3);
    const content = '72 0 0 36 0 0 cm /Picture Do';
    const file = pdf({ pages: [{ ...page, content, picture: { width: 72, height: 36, rgb } }] });
    const decoded = await decode('pdf', file, options);
    expect(firstDifference(decoded.data, rgb)).toBeUndefined();
  });
});

describe('what cannot be rendered', () => {
  test('a PDF under a password says so', async () => {
    const file = pdf({ pages: [page], locked: true });
    const message = 'UNSUPPORTED_PIXELS: the PDF is encrypted and needs a password; send it without';
    await expect(decode('pdf', file, options)).rejects.toThrow(message);
    await expect(probe('pdf', memoryReader(file), options)).rejects.toThrow(message);
  });

  test('a PDF without pages is CORRUPT_HEADER', async () => {
    await expect(decode('pdf', pdf({ pages: [] }), options)).rejects.toMatchObject({ code: 'CORRUPT_HEADER' });
  });

  test.each([9, 300, 480])('a PDF cut to %i bytes is TRUNCATED', async (length) => {
    const cut = pdf({ pages: [page] }).subarray(0, length);
    expect(cut).toHaveLength(length);
    await expect(decode('pdf', cut, options)).rejects.toMatchObject({ code: 'TRUNCATED' });
  });

  test('something that only begins like a PDF is CORRUPT_HEADER', async () => {
    const file = Buffer.from(`%PDF-1.4\n${'nothing of the kind\n'.repeat(100)}%%EOF\n`);
    await expect(decode('pdf', file, options)).rejects.toMatchObject({ code: 'CORRUPT_HEADER' });
  });
});

import { describe, expect, test } from '@jest/globals';
import sharp from 'sharp';
import { decode, probe } from '../../../src/formats/convert.ts';
import { gif as format } from '../../../src/formats/gif/gif.ts';
import { recognise } from '../../../src/formats/identify.ts';
import { memoryReader } from '../../../src/bytes/range-reader.ts';
import { firstDifference } from '../../support/decoded-fixtures.ts';

const options = { dpi: 300, background: '#102030' };
const size = { width: 64, height: 48 };

/** Areas of a few colours, which a palette holds exactly; the left quarter is transparent. */
const rgba = Uint8Array.from({ length: size.width * size.height * 4 }, (_, at) => {
  const x = Math.floor(at / 4) % size.width;
  const colour = [
    [0, 0, 0, 0],
    [200, 10, 10, 255],
    [10, 200, 10, 255],
    [10, 10, 200, 255],
  ][Math.floor(x / 16)];
  return colour?.[at % 4] ?? 0;
});

const still = sharp(rgba, { raw: { ...size, channels: 4 } });
const expected = Uint8Array.from({ length: size.width * size.height * 3 }, (_, at) => {
  const pixel = Math.floor(at / 3) * 4;
  return rgba[pixel + 3] === 0 ? (Uint8Array.of(0x10, 0x20, 0x30)[at % 3] ?? 0) : (rgba[pixel + (at % 3)] ?? 0);
});

describe('a GIF', () => {
  test('is decoded exactly, composed on the background', async () => {
    const file = await still.gif().toBuffer();
    expect(format.matches(file)).toBe(true);
    const decoded = await decode('gif', file, options);
    expect(decoded).toMatchObject({ ...size, bands: 3, alpha: false, bitDepth: 8 });
    expect(firstDifference(decoded.data, expected)).toBeUndefined();
    await expect(probe('gif', memoryReader(file), options)).resolves.toEqual({
      ...size,
      bands: 3,
      alpha: false,
      bitDepth: 8,
    });
  });

  test('of several frames decodes to the first', async () => {
    const blank = Buffer.alloc(rgba.length, 255);
    const frames = sharp(Buffer.concat([rgba, blank]), {
      raw: { width: size.width, height: size.height * 2, channels: 4, pageHeight: size.height },
    });
    const file = await frames.gif({ delay: [100, 100], loop: 0 }).toBuffer();
    await expect(sharp(file).metadata()).resolves.toMatchObject({ pages: 2 });
    const decoded = await decode('gif', file, options);
    expect(decoded).toMatchObject(size);
    expect(firstDifference(decoded.data, expected)).toBeUndefined();
  });

  test.each([5, 12, 40, 200])('cut to %i bytes is refused', async (length) => {
    const file = (await still.gif().toBuffer()).subarray(0, length);
    await expect(decode('gif', file, options)).rejects.toMatchObject({ name: 'RejectedImageError' });
  });

  test('that ends within its header is TRUNCATED', async () => {
    const file = (await still.gif().toBuffer()).subarray(0, 9);
    await expect(probe('gif', memoryReader(file), options)).rejects.toMatchObject({ code: 'TRUNCATED' });
  });

  test('is recognised as a format that is converted', async () => {
    const reader = memoryReader(await still.gif().toBuffer());
    expect(await recognise(reader)).toEqual({ kind: 'converted', format: 'gif' });
  });
});

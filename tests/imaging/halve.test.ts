import { describe, expect, test } from '@jest/globals';
import sharp from 'sharp';
import { Arena } from '../../src/imaging/arena.ts';
import { halve } from '../../src/imaging/halve.ts';

const halved = (width: number, height: number, bands: number, data: Uint8Array | Uint16Array) => {
  const { width: w, height: h, data: samples } = halve({ width, height, bands, data }, new Arena());
  return { size: [w, h], samples: Array.from(samples) };
};
const bytes = (...samples: number[]): Uint8Array => Uint8Array.from(samples);
const words = (...samples: number[]): Uint16Array => Uint16Array.from(samples);

describe('a halved pixel is the mean of four pixels, rounded half up:', () => {
  test.each<[string, number[], number]>([
    ['a quarter is rounded down', [0, 0, 0, 1], 0],
    ['a half is rounded up', [0, 0, 1, 1], 1],
    ['three quarters are rounded up', [0, 1, 1, 1], 1],
    ['four white samples stay white', [255, 255, 255, 255], 255],
    ['a quarter below white becomes white', [255, 255, 255, 254], 255],
    ['three quarters below white do not become white', [254, 254, 255, 254], 254],
    ['the mean of black and white is 128', [0, 255, 255, 0], 128],
  ])('%s', (_, samples, mean) => {
    expect(halved(2, 2, 1, bytes(...samples))).toEqual({ size: [1, 1], samples: [mean] });
  });

  test('16-bit samples are averaged in full precision', () => {
    expect(halved(2, 2, 1, words(65_535, 65_535, 65_535, 65_535)).samples).toEqual([65_535]);
    expect(halved(2, 2, 1, words(65_535, 65_535, 65_535, 65_534)).samples).toEqual([65_535]);
    expect(halved(2, 2, 1, words(0, 1, 1, 0)).samples).toEqual([1]);
    expect(halved(2, 2, 1, words(256, 257, 258, 259)).samples).toEqual([258]);
  });

  test('each band is averaged separately', () => {
    expect(halved(2, 2, 3, bytes(0, 10, 100, 4, 20, 101, 8, 30, 102, 12, 41, 103))).toEqual({
      size: [1, 1],
      samples: [6, 25, 102],
    });
  });

  test('the depth of the samples is kept', () => {
    expect(halve({ width: 2, height: 2, bands: 1, data: words(1, 2, 3, 4) }, new Arena()).data).toHaveProperty(
      'BYTES_PER_ELEMENT',
      2,
    );
    expect(halve({ width: 2, height: 2, bands: 1, data: bytes(1, 2, 3, 4) }, new Arena()).data).toHaveProperty(
      'BYTES_PER_ELEMENT',
      1,
    );
  });
});

describe('halving an image with odd sides', () => {
  test('drops the last column and row', () => {
    expect(halved(3, 3, 1, bytes(1, 1, 200, 1, 1, 200, 200, 200, 200))).toEqual({ size: [1, 1], samples: [1] });
    expect(halved(5, 2, 1, bytes(0, 2, 4, 6, 99, 0, 2, 4, 6, 99))).toEqual({ size: [2, 1], samples: [1, 5] });
  });

  test('keeps a side of one pixel', () => {
    expect(halved(1, 1, 3, bytes(7, 8, 9))).toEqual({ size: [1, 1], samples: [7, 8, 9] });
    expect(halved(1, 5, 1, bytes(10, 13, 20, 20, 99))).toEqual({ size: [1, 2], samples: [12, 20] });
    expect(halved(5, 1, 1, bytes(10, 13, 20, 20, 99))).toEqual({ size: [2, 1], samples: [12, 20] });
    expect(halved(1, 2, 3, bytes(0, 1, 2, 1, 2, 5))).toEqual({ size: [1, 1], samples: [1, 2, 4] });
    expect(halved(2, 1, 3, words(0, 1, 65_535, 1, 2, 65_534))).toEqual({ size: [1, 1], samples: [1, 2, 65_535] });
  });
});

/**
 * Noise over the whole range of the depth, so that the low bytes of 16-bit samples matter as much
 * as the high bytes.
 */
function noise(samples: number, bitDepth: 8 | 16): Uint8Array | Uint16Array {
  const { imul } = Math;
  const data = bitDepth === 16 ? new Uint16Array(samples) : new Uint8Array(samples);
  let state = 12_345;
  for (let at = 0; at < samples; at++) {
    state = (imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    data[at] = state >>> (32 - bitDepth);
  }
  return data;
}

describe('levels that are halved repeatedly equal those of libvips', () => {
  test.each([
    [333, 251, 3, 8],
    [333, 251, 1, 8],
    [512, 256, 3, 8],
    [257, 511, 3, 16],
    [258, 130, 1, 16],
    [401, 67, 1, 8],
  ] as const)('for an image of %i × %i pixels, %i bands, %i bits', async (width, height, bands, bitDepth) => {
    const data = noise(width * height * bands, bitDepth);
    const space = bitDepth === 16 ? (bands === 1 ? 'grey16' : 'rgb16') : bands === 1 ? 'b-w' : 'srgb';
    const pyramid = await sharp(data, { raw: { width, height, channels: bands } })
      .toColourspace(space)
      .tiff({ compression: 'none', pyramid: true, tile: true, tileWidth: 64, tileHeight: 64 })
      .toBuffer();
    const { pages = 0 } = await sharp(pyramid).metadata();
    expect(pages).toBeGreaterThanOrEqual(3);
    let raster: ReturnType<typeof halve> = { width, height, bands, data };
    for (let page = 0; page < pages; page++) {
      if (page > 0) raster = halve(raster, new Arena());
      const level = await sharp(pyramid, { page })
        .toColourspace(space)
        .raw({ depth: bitDepth === 16 ? 'ushort' : 'uchar' })
        .toBuffer({ resolveWithObject: true });
      expect([raster.width, raster.height]).toEqual([level.info.width, level.info.height]);
      const samples = Buffer.from(raster.data.buffer, raster.data.byteOffset, raster.data.byteLength);
      expect({ page, same: samples.equals(level.data) }).toEqual({ page, same: true });
    }
  });
});

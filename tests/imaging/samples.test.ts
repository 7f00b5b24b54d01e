/**
 * Decoding of each kind of stored samples. The expected numbers follow the TIFF and PNG
 * specifications.
 */
import { crc32, deflateSync } from 'node:zlib';
import { describe, expect, test } from '@jest/globals';
import sharp from 'sharp';
import { decodeMaster } from '../support/decode-master.ts';
import { adobeRgb, rgbProfile } from '../support/icc.ts';
import { pictureOf } from '../support/pixels.ts';
import { photometric, pngWithChunk, pngWithProfile, sampledTiff, words } from '../support/profiled.ts';
import { greyFields, type HandField, handTiff, long, short, withFields } from '../support/tiff-bytes.ts';

const keep = { colour: 'keep', depth: 'keep' } as const;

/** Four packed pixels with the values 0, 1, 2 and 3, truncated to the bits of a sample. */
const packed: Readonly<Record<number, number[]>> = {
  1: [0b0101_0000],
  2: [0b0001_1011],
  4: [0x01, 0x23],
  8: [0, 1, 2, 3],
};

describe('grey TIFF samples are scaled to the full range of 8 or 16 bits', () => {
  test.each([
    [1, [0, 255, 0, 255]],
    [2, [0, 85, 170, 255]],
    [4, [0, 17, 34, 51]],
    [8, [0, 1, 2, 3]],
  ])('from %i bits, with black or white as zero', async (bits, expected) => {
    for (const model of [photometric.blackIsZero, photometric.whiteIsZero]) {
      const data = Uint8Array.from(packed[bits] ?? []);
      const tiff = sampledTiff({ width: 4, height: 1, photometric: model, samplesPerPixel: 1, bits, data });
      const decoded = await decodeMaster(tiff, keep);
      const isInverted = model === photometric.whiteIsZero;
      expect(decoded.samples).toEqual(expected.map((value) => (isInverted ? 255 - value : value)));
      expect(decoded).toMatchObject({ bands: 1, bitDepth: 8, image: { model: 'grey' } });
    }
  });

  test('from 16 bits with white as zero', async () => {
    const tiff = sampledTiff({
      width: 3,
      height: 1,
      photometric: photometric.whiteIsZero,
      samplesPerPixel: 1,
      bits: 16,
      data: words([0, 1000, 65_535]),
    });
    expect((await decodeMaster(tiff, keep)).samples).toEqual([65_535, 64_535, 0]);
    // 64,535 is 251.1 in units of 257, or 252 in units of 256.
    const [white, light, black] = (await decodeMaster(tiff, { depth: 8 })).samples;
    expect([white, black]).toEqual([255, 0]);
    expect([251, 252]).toContain(light);
  });

  test.each(['ccittfax4', 'none'] as const)(
    'from 1 bit in strips of compression %s that sharp wrote',
    async (compression) => {
      const grey = Buffer.from(Array.from({ length: 64 * 40 }, (_, at) => ((at >> 3) % 3 === 0 ? 255 : 0)));
      const tiff = await sharp(grey, { raw: { width: 64, height: 40, channels: 1 } })
        .toColourspace('b-w')
        .tiff({ bitdepth: 1, compression })
        .toBuffer();
      const decoded = await decodeMaster(tiff, keep);
      expect(Buffer.from(decoded.samples).equals(grey)).toBe(true);
      expect([decoded.image.bands, decoded.image.uncompressed]).toEqual([1, false]);
    },
  );
});

describe('a palette image decodes to the colours of its palette', () => {
  const colours = [
    [255, 0, 0],
    [0, 255, 0],
    [0, 0, 255],
    [17, 34, 51],
  ];
  const greys = [255, 0, 128, 51].map((value) => [value, value, value]);
  const map = (palette: readonly number[][], bits: number, scale = 257) =>
    short(
      320,
      ...[0, 1, 2].flatMap((band) => Array.from({ length: 2 ** bits }, (_, at) => (palette[at]?.[band] ?? 0) * scale)),
    );
  const tiff = (bits: number, palette: readonly number[][], scale?: number, profile?: Uint8Array): Buffer =>
    sampledTiff({
      width: 4,
      height: 1,
      photometric: photometric.palette,
      samplesPerPixel: 1,
      bits,
      data: Uint8Array.from(packed[bits] ?? []),
      more: [map(palette, bits, scale)],
      ...(profile ? { profile } : {}),
    });
  const named = (palette: readonly number[][], bits: number): number[][] =>
    (bits === 1 ? [0, 1, 0, 1] : [0, 1, 2, 3]).map((index) => palette[index] ?? []);

  test.each([1, 2, 4, 8])('from a TIFF of %i bits, in one band if all its colours are grey', async (bits) => {
    const rgb = await decodeMaster(tiff(bits, colours), keep);
    expect([rgb.bands, rgb.bitDepth, rgb.samples]).toEqual([3, 8, named(colours, bits).flat()]);
    const grey = await decodeMaster(tiff(bits, greys), keep);
    expect([grey.bands, grey.bitDepth, grey.samples]).toEqual([1, 8, named(greys, bits).map(([value]) => value)]);
  });

  test('from a TIFF whose palette has 8-bit values, as some programs write it', async () => {
    expect((await decodeMaster(tiff(8, colours, 1), keep)).samples).toEqual(colours.flat());
  });

  test('from a TIFF of greys with an RGB profile, in three bands', async () => {
    const profile = rgbProfile(adobeRgb);
    expect(await decodeMaster(tiff(8, greys, 257, profile), keep)).toMatchObject({ bands: 3, samples: greys.flat() });
    expect(await decodeMaster(tiff(8, greys, 257, profile))).toMatchObject({ bands: 3, image: { profile: 'other' } });
  });

  test.each([1, 2, 4, 8])('from a PNG of %i bits, in one band if all its colours are grey', async (bits) => {
    const rgb = await decodeMaster(palettePng(bits, colours.slice(0, 2 ** bits)), keep);
    expect([rgb.bands, rgb.bitDepth, rgb.samples]).toEqual([3, 8, named(colours, bits).flat()]);
    const grey = await decodeMaster(palettePng(bits, greys.slice(0, 2 ** bits)), keep);
    expect([grey.bands, grey.image.model, grey.samples]).toEqual([
      1,
      'palette',
      named(greys, bits).map(([value]) => value),
    ]);
  });

  test('from a PNG of greys with an RGB profile, in three bands', async () => {
    const png = pngWithProfile(palettePng(8, greys), rgbProfile(adobeRgb));
    expect(await decodeMaster(png, keep)).toMatchObject({ bands: 3, samples: greys.flat() });
  });

  /** A palette PNG of one row of four pixels. */
  function palettePng(bits: number, palette: readonly number[][]): Buffer {
    const chunk = (name: string, data: Buffer): Buffer => {
      const body = Buffer.concat([Buffer.from(name, 'latin1'), data]);
      const ends = Buffer.alloc(8);
      ends.writeUInt32BE(data.length, 0);
      ends.writeUInt32BE(crc32(body), 4);
      return Buffer.concat([ends.subarray(0, 4), body, ends.subarray(4)]);
    };
    const header = Buffer.from([0, 0, 0, 4, 0, 0, 0, 1, bits, 3, 0, 0, 0]);
    return Buffer.concat([
      Buffer.from('\x89PNG\r\n\x1a\n', 'latin1'),
      chunk('IHDR', header),
      chunk('PLTE', Buffer.from(palette.flat())),
      chunk('IDAT', deflateSync(Buffer.from([0, ...(packed[bits] ?? [])]))),
      chunk('IEND', Buffer.alloc(0)),
    ]);
  }
});

describe('alpha is flattened onto the background', () => {
  const [opaque, half, clear] = [255, 128, 0];
  const background = '#ff8040';
  const over = (colour: number, alpha: number, ground: number): number =>
    (colour * alpha + ground * (255 - alpha)) / 255;
  const near = (actual: readonly number[], expected: readonly number[], by: number): void => {
    expect(actual).toHaveLength(expected.length);
    const worst = actual.map((value, at) => Math.abs(value - (expected[at] ?? 0)));
    expect(Math.max(...worst)).toBeLessThanOrEqual(by);
  };
  const tiff = (bits: 8 | 16, kind: number, samplesPerPixel: 2 | 4, samples: number[]): Buffer =>
    sampledTiff({
      width: samples.length / samplesPerPixel,
      height: 1,
      photometric: samplesPerPixel === 2 ? photometric.blackIsZero : photometric.rgb,
      samplesPerPixel,
      bits,
      data: bits === 8 ? Uint8Array.from(samples) : words(samples.map((value) => value * 257)),
      more: [short(338, kind)],
    });

  test.each([8, 16] as const)(
    'where it is straight, in %i bits, as colour · α + background · (1 − α)',
    async (bits) => {
      const rgb = tiff(bits, 2, 4, [200, 100, 0, half, 1, 2, 3, opaque, 9, 9, 9, clear]);
      const ground = [0xff, 0x80, 0x40];
      const expected = [
        ...[200, 100, 0].map((colour, band) => over(colour, half, ground[band] ?? 0)),
        1,
        2,
        3,
        ...ground,
      ];
      near((await decodeMaster(rgb, { depth: 8, background })).samples, expected, 1);
      const grey = tiff(bits, 2, 2, [200, half, 7, opaque, 9, clear]);
      near((await decodeMaster(grey, { depth: 8, background: '#404040' })).samples, [over(200, half, 64), 7, 64], 1);
    },
  );

  test.each([8, 16] as const)('where it is associated, in %i bits, as colour + background · (1 − α)', async (bits) => {
    const rgb = tiff(bits, 1, 4, [100, 50, 0, half, 1, 2, 3, opaque, 0, 0, 0, clear]);
    const ground = [0xff, 0x80, 0x40];
    const expected = [
      ...[100, 50, 0].map((colour, band) => colour + over(0, half, ground[band] ?? 0)),
      1,
      2,
      3,
      ...ground,
    ];
    near((await decodeMaster(rgb, { depth: 8, background })).samples, expected, 1);
    const grey = tiff(bits, 1, 2, [100, half, 7, opaque, 0, clear]);
    near((await decodeMaster(grey, { depth: 8, background: '#404040' })).samples, [100 + over(0, half, 64), 7, 64], 1);
  });

  test('in 16 bits if the recipe keeps the depth', async () => {
    const rgb = tiff(16, 2, 4, [200, 100, 0, half, 1, 2, 3, opaque]);
    const { samples, bitDepth } = await decodeMaster(rgb, keep);
    expect(bitDepth).toBe(16);
    // White is 0xff00 here, because sharp multiplies an 8-bit background by 256 for 16-bit images.
    near(samples, [200, 100, 0].map((colour) => 257 * over(colour, half, 255)).concat([257, 514, 771]), 257);
  });
});

describe('the orientation is applied to the pixels', () => {
  /**
   * Three by two pixels of different greys, and the upright rows for each orientation (TIFF 6.0,
   * tag 274).
   */
  const stored = [10, 20, 30, 40, 50, 60];
  const upright: Readonly<Record<number, readonly [number, number, readonly number[]]>> = {
    1: [3, 2, [10, 20, 30, 40, 50, 60]],
    2: [3, 2, [30, 20, 10, 60, 50, 40]],
    3: [3, 2, [60, 50, 40, 30, 20, 10]],
    4: [3, 2, [40, 50, 60, 10, 20, 30]],
    5: [2, 3, [10, 40, 20, 50, 30, 60]],
    6: [2, 3, [40, 10, 50, 20, 60, 30]],
    7: [2, 3, [60, 30, 50, 20, 40, 10]],
    8: [2, 3, [30, 60, 20, 50, 10, 40]],
  };
  /** Each pixel is enlarged to 16 × 16, so that JPEG preserves it. */
  const blocks = sharp(Buffer.from(stored), { raw: { width: 3, height: 2, channels: 1 } }).resize(48, 32, {
    kernel: 'nearest',
  });
  /** A TIFF with one tag, as stored in eXIf, EXIF and APP1. */
  const exif = (orientation: number): Buffer =>
    Buffer.from([0x4d, 0x4d, 0, 42, 0, 0, 0, 8, 0, 1, 0x01, 0x12, 0, 3, 0, 0, 0, 1, 0, orientation, 0, 0, 0, 0, 0, 0]);

  const formats: Readonly<Record<string, (orientation: number) => Promise<Buffer>>> = {
    JPEG: (orientation) =>
      blocks.clone().toColourspace('b-w').jpeg({ quality: 100 }).withMetadata({ orientation }).toBuffer(),
    PNG: async (orientation) =>
      pngWithChunk(await blocks.clone().toColourspace('b-w').png().toBuffer(), 'eXIf', exif(orientation)),
    WebP: async (orientation) => {
      const webp = await blocks.clone().webp({ lossless: true }).withMetadata({ orientation }).toBuffer();
      expect(webp.includes('EXIF')).toBe(true);
      return webp;
    },
    TIFF: async (orientation) => {
      const data = await blocks.clone().toColourspace('b-w').raw().toBuffer();
      return sampledTiff({
        width: 48,
        height: 32,
        photometric: photometric.blackIsZero,
        samplesPerPixel: 1,
        bits: 8,
        data,
        more: [short(274, orientation)],
      });
    },
  };
  for (const [format, make] of Object.entries(formats)) {
    test.each([1, 2, 3, 4, 5, 6, 7, 8])(`of a ${format} with orientation %i`, async (orientation) => {
      const [width, height, expected] = upright[orientation] ?? [0, 0, []];
      const decoded = await decodeMaster(await make(orientation), keep);
      expect([decoded.width, decoded.height]).toEqual([width * 16, height * 16]);
      const centres = expected.map((_, at) => {
        const [x, y] = [(at % width) * 16 + 8, Math.floor(at / width) * 16 + 8];
        return decoded.samples[(y * decoded.width + x) * decoded.bands] ?? 0;
      });
      centres.forEach((value, at) => {
        expect(Math.abs(value - (expected[at] ?? 0))).toBeLessThanOrEqual(1);
      });
    });
  }
});

describe('interlaced and progressive files decode to the pixels of baseline files', () => {
  test.each(['png', '16-bit png', 'jpeg'] as const)('in the format %s', async (format) => {
    const picture = pictureOf(70, 50);
    const encode = (progressive: boolean): Promise<Buffer> =>
      format === 'jpeg'
        ? picture.clone().jpeg({ progressive, quality: 90 }).toBuffer()
        : picture
            .clone()
            .toColourspace(format === 'png' ? 'srgb' : 'rgb16')
            .png({ progressive })
            .toBuffer();
    const [baseline, progressive] = [
      await decodeMaster(await encode(false), keep),
      await decodeMaster(await encode(true), keep),
    ];
    expect([baseline.image.progressive, progressive.image.progressive]).toEqual([false, true]);
    expect(Buffer.from(progressive.samples).equals(Buffer.from(baseline.samples))).toBe(true);
    expect(progressive.bitDepth).toBe(format === '16-bit png' ? 16 : 8);
  });
});

describe('a pyramid as a master is decoded at its largest level', () => {
  test('if its levels are a chain of directories', async () => {
    const tiff = await pictureOf(300, 200)
      .tiff({ pyramid: true, tile: true, tileWidth: 64, tileHeight: 64, compression: 'deflate' })
      .toBuffer();
    const expected = await pictureOf(300, 200).raw().toBuffer();
    expect((await sharp(tiff).metadata()).pages).toBe(4);
    const decoded = await decodeMaster(tiff, keep);
    expect([decoded.width, decoded.height, Buffer.from(decoded.samples).equals(expected)]).toEqual([300, 200, true]);
  });

  test('if its levels are SubIFDs', async () => {
    const level = (width: number, height: number, ...more: HandField[]): HandField[] =>
      withFields(greyFields(width, height, 8), ...more);
    const data = Uint8Array.from({ length: 24 }, (_, at) => at * 10);
    const directories = [level(6, 4, long(330, 0)), level(3, 2, long(254, 1))];
    const tiff = Buffer.from(handTiff({ data, directories }));
    // The second directory is removed from the chain and referenced by the first.
    const first = tiff.readUInt32LE(4);
    const fields = tiff.readUInt16LE(first);
    const next = first + 2 + 12 * fields;
    const entry =
      first + 2 + 12 * Array.from({ length: fields }, (_, at) => tiff.readUInt16LE(first + 2 + 12 * at)).indexOf(330);
    tiff.writeUInt32LE(tiff.readUInt32LE(next), entry + 8);
    tiff.writeUInt32LE(0, next);
    const { subifds } = await sharp(tiff).metadata();
    expect(subifds).toBe(1);
    const decoded = await decodeMaster(tiff, keep);
    expect([decoded.width, decoded.height, decoded.samples]).toEqual([6, 4, Array.from(data)]);
  });
});

test('transparent pixels of 16 bits have the background itself, of which white is 65,535', async () => {
  const pixels = Uint16Array.from([1_000, 2_000, 3_000, 0, 4_000, 5_000, 6_000, 65_535]);
  const png = await sharp(pixels, { raw: { width: 2, height: 1, channels: 4 } })
    .toColourspace('rgb16')
    .png()
    .toBuffer();
  expect((await decodeMaster(png)).samples).toEqual([65_535, 65_535, 65_535, 4_000, 5_000, 6_000]);
  const orange = await decodeMaster(png, { background: '#ff8000' });
  expect(orange.samples.slice(0, 3)).toEqual([65_535, 0x8080, 0]);
});

import { mkdtemp, readFile, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { decode, probe } from '../../../src/formats/convert.ts';
import { jp2 as format } from '../../../src/formats/jp2/jp2.ts';
import { memoryReader } from '../../../src/bytes/range-reader.ts';
import { writeTiledTiff } from '../../../src/formats/tiled-tiff.ts';
import { srgbOfXyz, xyzOfLab } from '../../support/colorimetry.ts';
import { decodeMaster } from '../../support/decode-master.ts';
import { firstDifference } from '../../support/decoded-fixtures.ts';
import {
  captureResolution,
  channelDefinitions,
  j2k,
  jp2,
  palette,
  type Picture,
  profileFor,
} from '../../support/jp2-fixtures.ts';
import { picture } from '../../support/pixels.ts';
import { handTiff, long, short } from '../../support/tiff-bytes.ts';

const options = { dpi: 300, background: '#ffffff' };
const size = { width: 150, height: 101 };
const SRGB = 16;
const GREY = 17;
const SYCC = 18;

/** Samples of `bits` bits: an image in the high bits, a different pattern in the low bits. */
function samples(count: number, bits: number): Uint16Array {
  const eight = picture(size.width, size.height, count);
  return Uint16Array.from(eight, (value, index) =>
    bits <= 8 ? value >> (8 - bits) : (value << (bits - 8)) | ((index * 37) % 2 ** (bits - 8)),
  );
}

function pictureOf(count: number, bits: number, more: Partial<Picture> = {}): Picture & { samples: Uint16Array } {
  return { ...size, bits: Array.from({ length: count }, () => bits), ...more, samples: samples(count, bits) };
}

async function jp2Of(
  image: Picture,
  colour: number | Uint8Array,
  boxes: readonly Uint8Array[] = [],
): Promise<Uint8Array> {
  const { width, height, bits } = image;
  return jp2(await j2k(image), { width, height, components: bits.length, colour, boxes });
}

describe('a reversible JPEG 2000 image decodes to its original samples', () => {
  const kinds = [
    { what: 'grey', count: 1, bands: 1, alpha: false, colour: GREY },
    { what: 'grey with alpha', count: 2, bands: 1, alpha: true, colour: GREY },
    { what: 'RGB', count: 3, bands: 3, alpha: false, colour: SRGB },
    { what: 'RGB with alpha', count: 4, bands: 3, alpha: true, colour: SRGB },
  ];
  const cases = kinds.flatMap((kind) => [8, 16].map((bits) => ({ ...kind, bits })));

  test.each(cases)('$what of $bits bits', async ({ count, bands, alpha, bits, colour }) => {
    const image = pictureOf(count, bits);
    const file = await jp2Of(image, colour);
    const decoded = await decode('jp2', file, options);
    expect(decoded).toMatchObject({ ...size, bands, alpha, bitDepth: bits });
    expect(firstDifference(decoded.data, image.samples)).toBeUndefined();
    const shape = await probe('jp2', memoryReader(file), options);
    expect(shape).toEqual({ ...size, bands, alpha, bitDepth: bits });
  });

  test('with many tiles', async () => {
    const image = pictureOf(3, 8, { tile: 64 });
    const decoded = await decode('jp2', await jp2Of(image, SRGB), options);
    expect(firstDifference(decoded.data, image.samples)).toBeUndefined();
  });

  test('with all of several quality layers', async () => {
    const image = pictureOf(1, 8, { layers: [40, 10, 0] });
    const decoded = await decode('jp2', await jp2Of(image, GREY), options);
    expect(firstDifference(decoded.data, image.samples)).toBeUndefined();
  });

  test('without a container, three components as RGB', async () => {
    const image = pictureOf(3, 8);
    const codestream = await j2k(image);
    expect(format.matches(codestream)).toBe(true);
    const decoded = await decode('jp2', codestream, options);
    expect(decoded.bands).toBe(3);
    expect(firstDifference(decoded.data, image.samples)).toBeUndefined();
  });
});

describe('JPEG 2000 samples of other precisions are widened by repeating their bits', () => {
  test.each([
    { bits: 1, given: [0, 1], wide: [0, 255], bitDepth: 8 },
    { bits: 4, given: [0, 9, 15], wide: [0, 0x99, 255], bitDepth: 8 },
    { bits: 10, given: [0, 0x2a7, 1023], wide: [0, 0xa9ea, 65_535], bitDepth: 16 },
    { bits: 12, given: [0, 0xabc, 4095], wide: [0, 0xabca, 65_535], bitDepth: 16 },
  ])('$bits bits to $bitDepth', async ({ bits, given, wide, bitDepth }) => {
    const tiled = Uint16Array.from({ length: 64 * 64 }, (_, index) => given[index % given.length] ?? 0);
    const file = await jp2Of({ width: 64, height: 64, bits: [bits], samples: tiled }, GREY);
    const decoded = await decode('jp2', file, options);
    expect(decoded.bitDepth).toBe(bitDepth);
    expect([...decoded.data.subarray(0, wide.length)]).toEqual(wide);
  });

  test('alpha of one bit beside colours of 8', async () => {
    const given = [10, 20, 30, 1, 40, 50, 60, 0];
    const many = Array.from({ length: 64 * 64 * 4 }, (_, index) => given[index % 8] ?? 0);
    const file = await jp2Of({ width: 64, height: 64, bits: [8, 8, 8, 1], samples: many }, SRGB);
    const decoded = await decode('jp2', file, options);
    expect([...decoded.data.subarray(0, 8)]).toEqual([10, 20, 30, 255, 40, 50, 60, 0]);
  });
});

describe('the boxes of a JP2 file', () => {
  const flat = (values: readonly number[]): Picture => ({
    width: 64,
    height: 64,
    bits: values.map(() => 8),
    samples: Array.from({ length: 64 * 64 * values.length }, (_, index) => values[index % values.length] ?? 0),
  });

  test('provide an ICC profile', async () => {
    const profile = profileFor('RGB ');
    const decoded = await decode('jp2', await jp2Of(flat([1, 2, 3]), profile), options);
    expect(decoded.iccProfile).toEqual(profile);
  });

  test('declare sYCC, which is converted to RGB', async () => {
    // Full red, by the matrix of BT.601: 0.299 · 255, 128 - 0.168736 · 255, 128 + 0.5 · 255.
    const decoded = await decode('jp2', await jp2Of(flat([76, 85, 255]), SYCC), options);
    expect([...decoded.data.subarray(0, 3)]).toEqual([254, 0, 0]);
    const grey = await decode('jp2', await jp2Of(flat([77, 128, 128]), SYCC), options);
    expect([...grey.data.subarray(0, 3)]).toEqual([77, 77, 77]);
  });

  test('provide a palette, which is expanded', async () => {
    const indexes = { ...flat([0]), samples: Array.from({ length: 64 * 64 }, (_, index) => index % 3) };
    const boxes = palette([10, 20, 30], [40, 50, 60], [70, 80, 90]);
    const decoded = await decode('jp2', await jp2Of(indexes, SRGB, boxes), options);
    expect(decoded.bands).toBe(3);
    expect([...decoded.data.subarray(0, 9)]).toEqual([10, 20, 30, 40, 50, 60, 70, 80, 90]);
  });

  test('with a palette cause a refusal of an index beyond it', async () => {
    const file = await jp2Of(flat([7]), SRGB, palette([10, 20, 30], [40, 50, 60]));
    await expect(decode('jp2', file, options)).rejects.toThrow('CORRUPT_PIXELS: the palette has no entry 7');
  });

  test('define the order of channels', async () => {
    const order = channelDefinitions([0, 1, 0], [1, 0, 3], [2, 0, 2], [3, 0, 1]);
    const decoded = await decode('jp2', await jp2Of(flat([99, 3, 2, 1]), SRGB, [order]), options);
    expect([...decoded.data.subarray(0, 4)]).toEqual([1, 2, 3, 99]);
  });

  test('with colour channels that belong to the whole image take them in their order', async () => {
    for (const whole of [0, 65_535]) {
      const greyAlpha = channelDefinitions([0, 0, whole], [1, 1, whole]);
      const grey = await decode('jp2', await jp2Of(flat([7, 99]), GREY, [greyAlpha]), options);
      expect(grey).toMatchObject({ bands: 1, alpha: true });
      expect([...grey.data.subarray(0, 2)]).toEqual([7, 99]);
      expect(grey.warnings).toEqual(['the channels state no colours; they are taken in their order']);
    }
    const rgb = channelDefinitions([3, 1, 0], [0, 0, 0], [1, 0, 0], [2, 0, 0]);
    const decoded = await decode('jp2', await jp2Of(flat([1, 2, 3, 99]), SRGB, [rgb]), options);
    expect([...decoded.data.subarray(0, 4)]).toEqual([1, 2, 3, 99]);
  });

  test('provide the capture resolution, in pixels per centimetre', async () => {
    const resolution = captureResolution([30_000, 254, 2], [15_000, 254, 2]);
    const decoded = await decode('jp2', await jp2Of(flat([1]), GREY, [resolution]), options);
    expect(decoded.resolution?.unit).toBe('centimetre');
    expect(decoded.resolution?.x).toBeCloseTo(59.055, 3);
    expect(decoded.resolution?.y).toBeCloseTo(118.11, 2);
  });

  test('with colour space 0 are ignored for samples of more than one bit', async () => {
    await expect(decode('jp2', await jp2Of(flat([1, 2, 3]), 0), options)).resolves.toMatchObject({ bands: 3 });
    await expect(decode('jp2', await jp2Of(flat([1]), 0), options)).resolves.toMatchObject({ bands: 1 });
    const bilevel = await jp2Of({ ...flat([1]), bits: [1] }, 0);
    await expect(decode('jp2', bilevel, options)).rejects.toThrow('a bi-level image whose zero is white');
  });

  test.each([
    ['YCCK', 13, [1, 2, 3, 4], 'the colour model is YCCK'],
    [
      'a profile of CIE L*a*b*',
      profileFor('Lab '),
      [1, 2, 3],
      'the colour model is that of an ICC profile of CIE L*a*b*',
    ],
    ['CIE L*a*b* with alpha', 14, [1, 2, 3, 4], 'alpha beside CIE L*a*b*'],
    ['CMYK of three components', 12, [1, 2, 3], '3 channels where 4 are colour'],
    ['an unknown colour space', 99, [1, 2, 3], 'the colour model is number 99'],
    ['too many channels', SRGB, [1, 2, 3, 4, 5], '5 channels where 3 are colour'],
  ])('%s is refused by name', async (_, colour, values, message) => {
    const file = await jp2Of(flat(values), colour);
    await expect(probe('jp2', memoryReader(file), options)).rejects.toThrow(`UNSUPPORTED_PIXELS: ${message}`);
    await expect(decode('jp2', file, options)).rejects.toThrow(`UNSUPPORTED_PIXELS: ${message}`);
  });

  test.each([8, 16])('have the colours divided by premultiplied alpha of %i bits', async (bits) => {
    const definitions = channelDefinitions([0, 0, 1], [1, 2, 0]);
    const top = 2 ** bits - 1;
    const straight = pictureOf(2, bits).samples;
    const multiplied = straight.map((value, at) =>
      at % 2 === 1 ? value : Math.round((value * (straight[at + 1] ?? 0)) / top),
    );
    const { data, alpha } = await decode(
      'jp2',
      await jp2Of({ ...pictureOf(2, bits), samples: multiplied }, GREY, [definitions]),
      options,
    );
    expect(alpha).toBe(true);
    const expected = multiplied.map((value, at) => {
      const opacity = multiplied[at + 1] ?? 0;
      if (at % 2 === 1) return value;
      return opacity === 0 ? 0 : Math.min(top, Math.round((value * top) / opacity));
    });
    expect(firstDifference(data, expected)).toBeUndefined();
  });

  test('cause a refusal of two alpha channels', async () => {
    const file = await jp2Of(flat([1, 2, 3]), GREY, [channelDefinitions([0, 0, 1], [1, 1, 0], [2, 2, 0])]);
    await expect(decode('jp2', file, options)).rejects.toThrow('UNSUPPORTED_PIXELS: 3 channels where 1 are colour');
  });

  test('cause a refusal of four components when they do not define them', async () => {
    const file = await j2k(flat([1, 2, 3, 4]));
    await expect(decode('jp2', file, options)).rejects.toThrow('a bare codestream of 4 components');
  });

  test.each([
    ['signed samples', 42, 0x87, 'signed samples'],
    ['samples of 20 bits', 42, 19, 'samples of 20 bits'],
  ])('%s are refused', async (_, at, value, message) => {
    const file = await j2k(flat([1, 2, 3]));
    file[at] = value;
    await expect(probe('jp2', memoryReader(file), options)).rejects.toThrow(`UNSUPPORTED_PIXELS: `);
    await expect(probe('jp2', memoryReader(file), options)).rejects.toThrow(message);
  });
});

describe('samples of a subsampled JPEG 2000 component are repeated', () => {
  /** The samples with every component repeated from the pixels that are encoded. */
  function repeated(
    { samples: all }: Picture,
    count: number,
    sampling: readonly (readonly [number, number])[],
  ): number[] {
    return Array.from({ length: all.length }, (_, at) => {
      const component = at % count;
      const [across, down] = sampling[component] ?? [1, 1];
      const pixel = Math.floor(at / count);
      const x = pixel % size.width;
      const y = Math.floor(pixel / size.width);
      return all[((y - (y % down)) * size.width + x - (x % across)) * count + component] ?? 0;
    });
  }

  test.each<[string, number, readonly (readonly [number, number])[], Partial<Picture>, number]>([
    [
      'of RGB, in both directions',
      8,
      [
        [1, 1],
        [2, 2],
        [2, 2],
      ],
      {},
      SRGB,
    ],
    [
      'of RGB, in one direction',
      8,
      [
        [1, 1],
        [2, 1],
        [1, 2],
      ],
      {},
      SRGB,
    ],
    [
      'of RGB of 12 bits in tiles',
      12,
      [
        [1, 1],
        [2, 2],
        [2, 1],
      ],
      { tile: 64 },
      SRGB,
    ],
    [
      'of alpha',
      8,
      [
        [1, 1],
        [3, 2],
      ],
      {},
      GREY,
    ],
  ])('%s', async (_, bits, sampling, more, colour) => {
    const image = pictureOf(sampling.length, bits, { sampling, ...more });
    const { data } = await decode('jp2', await jp2Of(image, colour), options);
    const widened = repeated(image, sampling.length, sampling).map((value) =>
      bits === 12 ? (value << 4) | (value >> 8) : value,
    );
    expect(firstDifference(data, Uint16Array.from(widened))).toBeUndefined();
  });

  test('of chroma, before it is converted to RGB, in a JP2 and in a bare codestream', async () => {
    const sampling = [
      [1, 1],
      [2, 2],
      [2, 2],
    ] as const;
    const image = pictureOf(3, 8, { sampling });
    const ycc = repeated(image, 3, sampling);
    const whole = await decode('jp2', await jp2Of({ ...image, samples: ycc, sampling: [] }, SYCC), options);
    for (const file of [await jp2Of(image, SYCC), await j2k(image)]) {
      const { data } = await decode('jp2', file, options);
      expect(firstDifference(data, Uint16Array.from(whole.data))).toBeUndefined();
    }
  });
});

describe('a damaged JPEG 2000 file', () => {
  test.each([0.3, 0.6, 0.9, 0.9999])('is TRUNCATED when cut at %f of its length', async (part) => {
    const image = pictureOf(3, 8, { tile: 64 });
    const file = await jp2Of(image, SRGB);
    const cut = file.subarray(0, Math.floor(file.length * part));
    await expect(decode('jp2', cut, options)).rejects.toMatchObject({ code: 'TRUNCATED' });
    const bare = (await j2k(image)).subarray(0, Math.floor(file.length * part) - 100);
    await expect(decode('jp2', bare, options)).rejects.toMatchObject({ code: 'TRUNCATED' });
  });

  test('is refused when tiles are missing', async () => {
    const codestream = await j2k(pictureOf(1, 8, { tile: 64 }));
    const second = Buffer.from(codestream).indexOf(Uint8Array.of(0xff, 0x90, 0, 10, 0, 1));
    const without = Uint8Array.from([...codestream.subarray(0, second), 0xff, 0xd9]);
    await expect(decode('jp2', without, options)).rejects.toThrow('TRUNCATED: 1 of 6 tiles are there');
  });

  test('is CORRUPT_HEADER when its codestream does not start with SOC and SIZ', async () => {
    const file = jp2(
      Uint8Array.from({ length: 500 }, () => 7),
      { ...size, components: 1, colour: GREY },
    );
    await expect(decode('jp2', file, options)).rejects.toMatchObject({ code: 'CORRUPT_HEADER' });
  });

  test('is CORRUPT_PIXELS with invalid coding parameters', async () => {
    const codestream = await j2k(pictureOf(1, 8));
    const coding = Buffer.from(codestream).indexOf(Uint8Array.of(0xff, 0x52));
    codestream[coding + 9] = 99;
    await expect(decode('jp2', codestream, options)).rejects.toMatchObject({ code: 'CORRUPT_PIXELS' });
  });
});

test('the header of a JPEG 2000 file is read without its pixels', async () => {
  const file = await jp2Of(pictureOf(3, 16), SRGB);
  const padded = Uint8Array.from([...file.subarray(0, -8), ...new Uint8Array(2_000_000)]);
  new DataView(padded.buffer).setUint32(Buffer.from(file).indexOf('jp2c') - 4, 0);
  let read = 0;
  const reader = memoryReader(padded);
  const counting = {
    size: reader.size,
    read: (offset: number, length: number) => {
      read += length;
      return reader.read(offset, length);
    },
  };
  await expect(probe('jp2', counting, options)).resolves.toMatchObject(size);
  expect(read).toBeLessThan(200_000);
});

describe('colours of JPEG 2000 become those of the same colours in TIFF', () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(path.join(os.tmpdir(), 'stepwell-jp2-'));
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  /** The samples of the converted TIFF as published, in sRGB. */
  async function published(file: Uint8Array): Promise<{ samples: Uint16Array; bitDepth: number }> {
    const target = path.join(folder, 'converted.tif');
    await writeTiledTiff(target, await decode('jp2', file, options));
    const { samples, bitDepth } = await decodeMaster(await readFile(target));
    return { samples: Uint16Array.from(samples), bitDepth };
  }

  test.each([
    ['CMYK', 8, 12],
    ['CMYK', 16, 12],
    ['CMYK with a profile', 8, profileFor('CMYK')],
  ])('%s of %i bits', async (_, bits, colour) => {
    const image = pictureOf(4, bits);
    const decoded = await decode('jp2', await jp2Of(image, colour), options);
    expect(decoded).toMatchObject({ bands: 4, alpha: false, bitDepth: bits });
    expect(firstDifference(decoded.data, image.samples)).toBeUndefined();
    const inks = bits === 8 ? Uint8Array.from(image.samples) : new Uint8Array(image.samples.buffer);
    const tiff = handTiff({
      data: inks,
      directories: [
        [
          ...[long(256, size.width), long(257, size.height), short(258, bits, bits, bits, bits), short(259, 1)],
          ...[short(262, 5), long(273, 8), short(277, 4), long(278, size.height), long(279, inks.length)],
        ],
      ],
    });
    const { samples } = await published(await jp2Of(image, colour));
    expect(firstDifference(samples, (await decodeMaster(tiff)).samples)).toBeUndefined();
  });

  test('CMYK of 8 bits with alpha', async () => {
    const decoded = await decode('jp2', await jp2Of(pictureOf(5, 8), 12), options);
    expect(decoded).toMatchObject({ bands: 4, alpha: true, bitDepth: 8 });
    expect(firstDifference(decoded.data, pictureOf(5, 8).samples)).toBeUndefined();
  });

  /** Samples of L*a*b* by the ranges and offsets that a file states or that are the default. */
  function labOf(
    samples: ArrayLike<number>,
    bits: number,
    [rangeL, offsetL, rangeA, offsetA, rangeB, offsetB]: readonly [number, number, number, number, number, number],
  ): number[] {
    const of = (value = 0, range: number, offset: number): number => ((value - offset) * range) / (2 ** bits - 1);
    return Array.from({ length: samples.length / 3 }, (_, pixel) => {
      const [l, a, b] = [samples[3 * pixel], samples[3 * pixel + 1], samples[3 * pixel + 2]];
      const lab = [of(l, rangeL, offsetL), of(a, rangeA, offsetA), of(b, rangeB, offsetB)] as const;
      return srgbOfXyz(xyzOfLab(lab)).map((value) => 65_535 * value);
    }).flat();
  }

  const D50_ILLUMINANT = 0x00443530;

  test.each<[string, number, readonly [number, number, number, number, number, number] | undefined]>([
    ['without ranges', 8, undefined],
    ['without ranges', 16, undefined],
    ['with the ranges of the file', 8, [100, 0, 250, 127, 220, 110]],
    ['with the ranges of the file', 12, [90, 100, 200, 2_000, 150, 1_500]],
  ])('CIE L*a*b*, %s, of %i bits', async (_, bits, stated) => {
    const image = pictureOf(3, bits);
    const defaults = [100, 0, 170, 2 ** (bits - 1), 200, 2 ** (bits - 2) + 2 ** (bits - 3)] as const;
    const codestream = await j2k(image);
    const parameters = stated ? [...stated, D50_ILLUMINANT] : [];
    const file = jp2(codestream, { ...size, components: 3, colour: 14, parameters });
    const { samples, bitDepth } = await published(file);
    expect(bitDepth).toBe(16);
    const expected = labOf(image.samples, bits, stated ?? defaults);
    const worst = expected.reduce((most, value, at) => Math.max(most, Math.abs(value - (samples[at] ?? 0))), 0);
    // Steps of a* and b* are 1 / 256: less than half a step of 8 bits at the edge of sRGB.
    expect(worst).toBeLessThan(128);
  });

  test('CIE L*a*b* of another white is refused', async () => {
    const parameters = [100, 0, 170, 128, 200, 96, 0x00443635];
    const file = jp2(await j2k(pictureOf(3, 8)), { ...size, components: 3, colour: 14, parameters });
    await expect(decode('jp2', file, options)).rejects.toThrow('UNSUPPORTED_PIXELS: the white of its CIE L*a*b*');
  });

  test.each([8, 12])('e-sYCC of %i bits, by the matrix of OpenJPEG, with a warning', async (bits) => {
    const image = pictureOf(3, bits);
    const file = await jp2Of(image, 24);
    const decoded = await decode('jp2', file, options);
    const top = 2 ** bits - 1;
    const middle = 2 ** (bits - 1);
    const expected = Array.from({ length: image.samples.length / 3 }, (_, pixel) => {
      const [y = 0, blue = 0, red = 0] = image.samples.subarray(3 * pixel, 3 * pixel + 3);
      const [cb, cr] = [blue - middle, red - middle];
      return [
        y - 0.000_036_8 * cb + 1.401_99 * cr,
        1.000_3 * y - 0.344_125 * cb - 0.714_112_8 * cr,
        0.999_823 * y + 1.772_04 * cb - 0.000_008 * cr,
      ].map((value) => Math.min(top, Math.max(0, value)));
    }).flat();
    const scale = bits === 8 ? 1 : 65_535 / top;
    const worst = expected.reduce(
      (most, value, at) => Math.max(most, Math.abs(value - (decoded.data[at] ?? 0) / scale)),
      0,
    );
    expect(worst).toBeLessThanOrEqual(bits === 8 ? 1 : 2);
    const { warnings } = await probe('jp2', memoryReader(file), options);
    expect(warnings).toEqual(['its e-sYCC is converted as sYCC; colours beyond sRGB are clipped']);
  });
});

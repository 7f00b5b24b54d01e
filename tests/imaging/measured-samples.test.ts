/** TIFF samples whose range the file does not state, so that it is found in the pixels. */
import { deflateSync } from 'node:zlib';
import { describe, expect, test } from '@jest/globals';
import { measureSamples } from '../../src/imaging/measure-samples.ts';
import { decodeMaster, identifyBytes } from '../support/decode-master.ts';
import { floatTiff, height, type Kind, samplesOf, tiffOf, type Value, width } from '../support/deep-tiff.ts';
import { strips } from '../support/odd-tiffs.ts';
import { type HandField, long, short, withFields, handTiff } from '../support/tiff-bytes.ts';

const keep = { depth: 'keep' } as const;

/** GDAL's tag for the value of samples without one. */
function noData(text: string): HandField {
  return { tag: 42_113, type: 2, values: [...Buffer.from(`${text}\0`)] };
}

/** SampleFormat and BitsPerSample of one sample. */
const asFloat = [short(258, 32), short(339, 3)];

/** One row. */
function floats(values: readonly number[], ...fields: readonly HandField[]): Uint8Array {
  return floatTiff(Float32Array.from(values), { width: values.length, height: 1, rows: 1 }, ...fields);
}

function integer(bits: number, format: 1 | 2, seed: number): Value {
  const lowest = format === 2 ? -(2 ** (bits - 2)) : 2 ** (bits - 3);
  return (x, y, band) => lowest + ((x * 7_919 + y * 104_729 + band * 1_299_709 + seed) % 2 ** (bits - 2));
}

describe('the least and the greatest sample become 0 and the largest', () => {
  test.each<[string, Kind]>([
    ['signed samples of 8 bits', { bits: 8, format: 2, bands: 3 }],
    ['signed samples of 12 bits', { bits: 12, format: 2 }],
    ['signed samples of 16 bits', { bits: 16, format: 2, compression: 'deflate', predictor: 2 }],
    ['signed samples of 32 bits', { bits: 32, format: 2, little: false, tile: 16 }],
    ['samples of 24 bits', { bits: 24, bands: 3, little: false }],
    ['samples of 32 bits', { bits: 32, bands: 3, planar: true, tile: 16 }],
    ['samples of 32 bits', { bits: 32, bands: 3, planar: true, compression: 'zstd', predictor: 2 }],
    ['samples of 32 bits', { bits: 32, rows: 100 }],
  ])('%s', async (name, kind) => {
    const { bits, format = 1, bands = 1 } = kind;
    const value = integer(bits, format === 2 ? 2 : 1, 5);
    const values = samplesOf(bands, value);
    const [min, max] = [Math.min(...values), Math.max(...values)];
    const top = bits === 8 ? 255 : 65_535;
    const decoded = await decodeMaster(
      tiffOf(kind, (x, y, band) => (value(x, y, band) + 2 ** bits) % 2 ** bits),
      keep,
    );
    expect(decoded.samples).toEqual(values.map((each) => Math.round(((each - min) / (max - min)) * top)));
    expect(decoded.warnings).toEqual([
      `${name}: ${min} to ${max}, the least and the greatest of the image, are published as 0 to ${top}`,
    ]);
  });

  const wave: Value = (x, y, band) => Math.sin(x / 5) * 40 + y / 3 + band * 7;
  test.each<[string, Kind, (value: number) => number]>([
    ['16 bits', { bits: 16, bands: 3 }, Math.f16round],
    ['32 bits in tiles that extend beyond the image', { bits: 32, tile: 16 }, Math.fround],
    ['32 bits with their predictor', { bits: 32, bands: 3, compression: 'deflate', predictor: 3 }, Math.fround],
    ['32 bits in planes of tiles', { bits: 32, bands: 3, planar: true, tile: 16 }, Math.fround],
    ['64 bits, big-endian', { bits: 64, little: false }, (value) => value],
  ])('floating point of %s', async (_, kind, stored) => {
    // Beyond the image, tiles hold what must not count.
    const value: Value = (x, y, band) => (x < width && y < height ? wave(x, y, band) : 1e4);
    const values = samplesOf(kind.bands ?? 1, value).map(stored);
    const [min, max] = [Math.min(...values), Math.max(...values)];
    const { samples, image } = await decodeMaster(tiffOf({ ...kind, format: 3 }, value), keep);
    expect(samples).toEqual(values.map((each) => Math.round(((each - min) / (max - min)) * 65_535)));
    expect(image.mappedRange).toEqual({
      ...{ format: 'float', bits: kind.bits, min, max, from: 'pixels', withoutValue: 0 },
    });
  });

  test('which a calculation by hand confirms', async () => {
    expect((await decodeMaster(floats([-1.5, 0, 0.5, 2.5]), keep)).samples).toEqual([0, 24_576, 32_768, 65_535]);
    const inverted = await decodeMaster(floats([-1.5, 0, 0.5, 2.5], short(262, 0)), keep);
    expect(inverted.samples).toEqual([65_535, 40_959, 32_767, 0]);
  });

  test('also over the whole range of floating point of 64 bits', async () => {
    const bytes = new Uint8Array(Float64Array.of(-Number.MAX_VALUE, 0, Number.MAX_VALUE).buffer);
    const master = strips(
      { width: 3, height: 1, rows: 1, compression: 1, chunks: [bytes] },
      short(258, 64),
      short(339, 3),
    );
    expect((await decodeMaster(master, keep)).samples).toEqual([0, 32_768, 65_535]);
  });
});

describe('samples without a value', () => {
  test('are 0, and infinite ones are clamped', async () => {
    const { samples, warnings } = await decodeMaster(floats([NaN, 1, Infinity, 2, -Infinity, 3, NaN]), keep);
    expect(samples).toEqual([0, 0, 65_535, 32_768, 0, 65_535, 0]);
    expect(warnings).toEqual([
      'floating-point samples of 32 bits: 1 to 3, the least and the greatest of the image, are published as 0 to 65535',
      "2 samples have no value (not a number, or GDAL's value for no data) and are published as 0",
    ]);
  });

  test.each([
    ['-9999', -9999],
    ['-3.4028234663852886e+38', -3.4028234663852886e38],
    ['-3.40282346638529e+38', -3.4028234663852886e38],
    ['1e4', 1e4],
  ])('are those of GDAL, %s', async (text, value) => {
    const { samples, image } = await decodeMaster(floats([5, value, 7, 6], noData(text)), keep);
    expect(samples).toEqual([0, 0, 65_535, 32_768]);
    expect(image.mappedRange).toMatchObject({ min: 5, max: 7, withoutValue: 1 });
  });

  test('are strips that are not stored, where GDAL states such a value, and 0 otherwise', async () => {
    const bytes = new Uint8Array(Float32Array.of(2, 4).buffer);
    const shape = { width: 2, height: 2, rows: 1, compression: 1, chunks: [bytes, new Uint8Array()] };
    const hole = [long(273, 8, 0), ...asFloat];
    expect((await decodeMaster(strips(shape, ...hole), keep)).samples).toEqual([32_768, 65_535, 0, 0]);
    for (const text of ['nan', '-1']) {
      const { samples, image } = await decodeMaster(strips(shape, ...hole, noData(text)), keep);
      expect(samples).toEqual([0, 65_535, 0, 0]);
      expect(image.mappedRange).toMatchObject({ min: 2, max: 4, withoutValue: 2 });
    }
  });

  test('only, are refused', async () => {
    await expect(decodeMaster(floats([NaN, Infinity]))).rejects.toMatchObject({
      code: 'UNSUPPORTED_PIXELS',
      message: expect.stringContaining('none of its samples is a finite number'),
    });
  });
});

test('an image of one value is 0 everywhere, with a warning', async () => {
  const { samples, warnings } = await decodeMaster(
    tiffOf({ bits: 32, format: 3 }, () => 7.25),
    keep,
  );
  expect(new Set(samples)).toEqual(new Set([0]));
  expect(warnings).toEqual(['floating-point samples of 32 bits: all are 7.25 and are published as 0']);
});

describe('samples beside the colours', () => {
  const value: Value = (x, _, band) => (band === 3 ? 1e4 : x + band);

  test.each([false, true])('do not count, in planes: %s', async (planar) => {
    const { samples, image } = await decodeMaster(tiffOf({ bits: 32, format: 3, bands: 4, planar }, value), keep);
    expect(image.mappedRange).toMatchObject({ min: 0, max: width + 1, withoutValue: 0 });
    expect(samples).toEqual(samplesOf(3, (x, _, band) => Math.round(((x + band) / (width + 1)) * 65_535)));
  });

  test('are refused if they are alpha', async () => {
    const master = tiffOf({ bits: 32, format: 3, bands: 4, more: [short(338, 2)] }, value);
    await expect(identifyBytes(master)).rejects.toMatchObject({
      code: 'UNSUPPORTED_PIXELS',
      message: expect.stringContaining('alpha beside samples that are signed, floating point'),
    });
  });
});

describe('the pass over the pixels', () => {
  /** A reader of zeros that records the largest read. */
  function zeros(header: Uint8Array, size: number) {
    const reads: number[] = [];
    const fill = (target: Uint8Array, offset: number): void => {
      reads.push(target.length);
      target.fill(0);
      if (offset < header.length) target.set(header.subarray(offset, offset + target.length));
    };
    return {
      reads,
      size,
      read(offset: number, length: number): Promise<Uint8Array> {
        const bytes = new Uint8Array(Math.min(length, size - offset));
        fill(bytes, offset);
        return Promise.resolve(bytes);
      },
      readInto(target: Uint8Array, offset: number): Promise<void> {
        fill(target, offset);
        return Promise.resolve();
      },
    };
  }

  const one = (side: number, byteCount: number, offset: number): Uint8Array =>
    handTiff({
      directories: [
        withFields(
          [...asFloat, short(259, 1), short(262, 1), short(277, 1)],
          ...[long(256, side), long(257, side), long(273, offset), long(278, side), long(279, byteCount)],
        ),
      ],
    });

  test('reads one strip of 64 MB in parts of at most 16 MiB', async () => {
    const header = one(4_000, 64_000_000, 400);
    const { image } = await identifyBytes(Buffer.concat([header, Buffer.alloc(64_000_400 - header.length)]));
    const reader = zeros(header, 64_000_400);
    expect(await measureSamples(reader, image, () => 60_000)).toMatchObject({ min: 0, max: 0 });
    expect(reader.reads.filter((length) => length > 1e6).length).toBeGreaterThanOrEqual(4);
    expect(Math.max(...reader.reads)).toBeLessThanOrEqual(16 * 2 ** 20);
  });

  test('ends with a retryable error when no time remains', async () => {
    const { image } = await identifyBytes(floats([1, 2]));
    await expect(measureSamples(zeros(floats([1, 2]), 400), image, () => 0)).rejects.toMatchObject({
      name: 'DeadlineExceededError',
    });
  });

  test.each([
    ['so many pixels that it would take too long', one(200_000, 0, 0), 'state it in SMinSampleValue'],
    [
      'a compressed strip that is too large to be held',
      strips(
        { width: 20_000, height: 20_000, rows: 20_000, compression: 8, chunks: [deflateSync(Buffer.alloc(8))] },
        ...asFloat,
      ),
      'save it with smaller strips',
    ],
  ])('is refused for %s', async (_, master, message) => {
    const { image } = await identifyBytes(master);
    await expect(measureSamples(zeros(master, master.length), image, () => 60_000)).rejects.toMatchObject({
      code: 'OVER_BUDGET',
      message: expect.stringContaining(message),
    });
  });
});

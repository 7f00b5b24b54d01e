/** TIFF samples that change when they are decoded: other depths, signed, and floating point. */
import { zstdCompressSync } from 'node:zlib';
import { describe, expect, test } from '@jest/globals';
import { decodeMaster, identifyBytes } from '../support/decode-master.ts';
import { strips } from '../support/odd-tiffs.ts';
import { codes, height, type Kind, samplesOf, tiffOf, type Value, width } from '../support/deep-tiff.ts';
import type { HandField } from '../support/tiff-bytes.ts';

/** Values over the whole range of `bits` bits, extremes included. */
function unsigned(bits: number): Value {
  return (x, y, band) =>
    x === 0 && y === 0 ? 2 ** bits - 1 : (x * 7_919 + y * 104_729 + band * 1_299_709) % 2 ** bits;
}

/** The bits of the value, repeated, as far as there is room; written apart from the code it tests. */
function repeated(value: number, bits: number): number {
  const to = bits <= 8 ? 8 : 16;
  return parseInt(value.toString(2).padStart(bits, '0').repeat(16).slice(0, to), 2);
}

const keep = { depth: 'keep' } as const;

describe('unsigned samples of up to 16 bits are widened', () => {
  test.each<[string, Kind]>([
    ['grey of 3 bits', { bits: 3 }],
    ['RGB of 1 bit', { bits: 1, bands: 3 }],
    ['RGB of 4 bits', { bits: 4, bands: 3 }],
    ['grey of 10 bits', { bits: 10 }],
    ['grey of 12 bits in one strip', { bits: 12, rows: 100 }],
    ['grey of 12 bits, big-endian', { bits: 12, little: false }],
    ['RGB of 12 bits in tiles', { bits: 12, bands: 3, tile: 16 }],
    ['RGB of 14 bits, deflate', { bits: 14, bands: 3, compression: 'deflate' }],
    ['RGB of 10 bits in planes of tiles', { bits: 10, bands: 3, planar: true, tile: 16 }],
    ['RGB of 12 bits in planes of strips', { bits: 12, bands: 3, planar: true }],
  ])('%s', async (_, kind) => {
    const value = unsigned(kind.bits);
    const decoded = await decodeMaster(tiffOf(kind, value), keep);
    expect(decoded.bitDepth).toBe(kind.bits <= 8 ? 8 : 16);
    expect(decoded.samples).toEqual(samplesOf(kind.bands ?? 1, (x, y, band) => repeated(value(x, y, band), kind.bits)));
  });

  test('without a warning', async () => {
    expect((await identifyBytes(tiffOf({ bits: 12 }, unsigned(12)))).warnings).toEqual([]);
  });

  test('and white stays white where zero is white', async () => {
    const { samples } = await decodeMaster(
      tiffOf({ bits: 12, whiteIsZero: true }, () => 0),
      keep,
    );
    expect(new Set(samples)).toEqual(new Set([65_535]));
  });
});

/** SMinSampleValue and SMaxSampleValue. */
function range(min: number, max: number): HandField[] {
  return [
    { tag: 340, type: 9, values: [min] },
    { tag: 341, type: 9, values: [max] },
  ];
}

describe('signed samples and samples of more than 16 bits', () => {
  test.each<[string, Kind, number, number]>([
    ['signed samples of 8 bits', { bits: 8, format: 2 }, -100, 90],
    ['signed samples of 12 bits', { bits: 12, format: 2 }, -2_048, 2_047],
    ['signed samples of 16 bits', { bits: 16, format: 2, bands: 3 }, -2_000, 30_000],
    ['signed samples of 16 bits', { bits: 16, format: 2, compression: 'deflate', predictor: 2 }, -20_000, 20_000],
    ['signed samples of 32 bits', { bits: 32, format: 2, little: false }, -2_000_000_000, 2_000_000_000],
    ['samples of 24 bits', { bits: 24 }, 0, 16_000_000],
    ['samples of 24 bits', { bits: 24, little: false }, 1_000, 16_777_215],
    ['samples of 32 bits', { bits: 32, bands: 3, compression: 'deflate', predictor: 2 }, 0, 2_000_000_000],
  ])('%s are published linearly between the values that the file states', async (name, kind, min, max) => {
    const { bits, format = 1 } = kind;
    const lowest = format === 2 ? -(2 ** (bits - 1)) : 0;
    const value: Value = (x, y, band) => unsigned(bits)(x, y, band) + lowest;
    const tiff = tiffOf(
      { ...kind, more: range(min, max) },
      (x, y, band) => (value(x, y, band) + 2 ** bits) % 2 ** bits,
    );
    const top = bits === 8 ? 255 : 65_535;
    const published: Value = (x, y, band) => {
      return Math.round(((Math.min(max, Math.max(min, value(x, y, band))) - min) / (max - min)) * top);
    };
    expect((await decodeMaster(tiff, keep)).samples).toEqual(samplesOf(kind.bands ?? 1, published));
    expect((await identifyBytes(tiff)).warnings).toEqual([`${name}: ${min} to ${max} are published as 0 to ${top}`]);
  });
});

describe('floating-point samples', () => {
  const value: Value = (x, y, band) =>
    x === 3 ? NaN : x === 4 ? 1e4 : x === 5 ? -1e4 : ((x * 31 + y * 17 + band) % 64) / 8 - 2;
  const published: Value = (x, y, band) => {
    const stored = value(x, y, band);
    if (Number.isNaN(stored)) return 0;
    return Math.round(((Math.min(6, Math.max(-2, stored)) + 2) / 8) * 65_535);
  };

  test.each<[string, Kind]>([
    ['of 16 bits', { bits: 16 }],
    ['of 32 bits', { bits: 32, bands: 3 }],
    ['of 32 bits, big-endian', { bits: 32, little: false }],
    ['of 64 bits in tiles', { bits: 64, tile: 16 }],
    ['of 16 bits with their predictor', { bits: 16, compression: 'deflate', predictor: 3 }],
    ['of 32 bits with their predictor', { bits: 32, bands: 3, compression: 'zstd', predictor: 3 }],
    ['of 32 bits with their predictor, big-endian', { bits: 32, little: false, compression: 'zstd', predictor: 3 }],
  ])('%s are published linearly between the values that the file states', async (_, kind) => {
    const tiff = tiffOf({ ...kind, format: 3, more: range(-2, 6) }, value);
    expect((await decodeMaster(tiff, keep)).samples).toEqual(samplesOf(kind.bands ?? 1, published));
    expect((await identifyBytes(tiff)).warnings).toEqual([
      `floating-point samples of ${kind.bits} bits: -2 to 6 are published as 0 to 65535`,
    ]);
  });
});

describe('Zstandard is decoded', () => {
  test.each<[string, Kind]>([
    ['in strips', { bits: 8, bands: 3 }],
    ['in tiles with differences', { bits: 8, bands: 3, tile: 16, predictor: 2 }],
    ['of 16 bits, big-endian, with differences', { bits: 16, little: false, predictor: 2 }],
    ['in planes of tiles', { bits: 16, bands: 3, planar: true, tile: 16 }],
  ])('%s', async (_, kind) => {
    const value = unsigned(kind.bits);
    const { samples, warnings } = await decodeMaster(tiffOf({ ...kind, compression: 'zstd' }, value), keep);
    expect(samples).toEqual(samplesOf(kind.bands ?? 1, value));
    expect(warnings).toEqual([]);
  });

  test('but is refused when its data is damaged, or ends early', async () => {
    const tiff = tiffOf({ bits: 8, compression: 'zstd', rows: height }, unsigned(8));
    const refusal = { code: 'CORRUPT_PIXELS', message: expect.stringContaining('strip 0 is damaged') };
    await expect(decodeMaster(Uint8Array.from(tiff).fill(0xff, 8, 14))).rejects.toMatchObject(refusal);
    const strip = zstdCompressSync(Buffer.alloc(width * height, 7));
    const cut = strips({ width, height, rows: height, compression: codes.zstd, chunks: [strip.subarray(0, -4)] });
    await expect(decodeMaster(cut)).rejects.toMatchObject(refusal);
    const fewer = zstdCompressSync(Buffer.alloc(width * (height - 1), 7));
    const few = strips({ width, height, rows: height, compression: codes.zstd, chunks: [fewer] });
    await expect(decodeMaster(few)).rejects.toMatchObject(refusal);
  });
});

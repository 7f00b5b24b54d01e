import { describe, expect, test } from '@jest/globals';
import sharp from 'sharp';
import { memoryReader } from '../../../src/bytes/range-reader.ts';
import { avif as format } from '../../../src/formats/avif/avif.ts';
import { assertAffordable, decode, probe } from '../../../src/formats/convert.ts';
import { readEmbeddedMetadata } from '../../../src/formats/read-metadata.ts';
import { av1Item, avif, avifOf, type AvifPicture, deepAvifOf } from '../../support/avif-fixtures.ts';
import { firstDifference } from '../../support/decoded-fixtures.ts';
import { cleanAperture, extents, fullBox, gridData, mirroring, rotation } from '../../support/heic-fixtures.ts';
import { ascii } from '../../support/jp2-fixtures.ts';
import { picture } from '../../support/pixels.ts';

const options = { dpi: 72, background: '#ffffff' };
const size = { width: 70, height: 50 };
const rgb: AvifPicture & { channels: 3 } = { ...size, channels: 3, samples: picture(size.width, size.height, 3) };

/** The picture turned by 90 degrees counter-clockwise. */
function turned({ width, height, samples }: AvifPicture): Uint8Array {
  const result = new Uint8Array(samples.length);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const from = (y * width + x) * 3;
      result.set(samples.subarray(from, from + 3), ((width - 1 - x) * height + y) * 3);
    }
  }
  return result;
}

describe('an AVIF', () => {
  test.each([3, 4] as const)('of %i samples a pixel decodes to its original samples', async (channels) => {
    const samples = picture(size.width, size.height, channels);
    const file = await avifOf({ ...size, channels, samples });
    expect(format.matches(file)).toBe(true);
    const shape = { ...size, bands: 3, alpha: channels === 4, bitDepth: 8 };
    await expect(probe('avif', memoryReader(file), options)).resolves.toEqual(shape);
    const decoded = await decode('avif', file, options);
    expect(decoded).toMatchObject(shape);
    expect(firstDifference(decoded.data, samples)).toBeUndefined();
  });

  test.each([
    [10, 3],
    [10, 4],
    [12, 3],
    [12, 4],
  ] as const)('of %i bits and %i samples a pixel is widened to 16 bits', async (bits, channels) => {
    const count = size.width * size.height * channels;
    const samples = Uint16Array.from({ length: count }, (_, index) => (index * 7_919) % 65_536);
    const file = await deepAvifOf({ ...size, channels, samples }, bits);
    const shape = { ...size, bands: 3, alpha: channels === 4, bitDepth: 16 };
    await expect(probe('avif', memoryReader(file), options)).resolves.toEqual(shape);
    const decoded = await decode('avif', file, options);
    expect(decoded).toMatchObject(shape);
    const expected = samples.map((sample) => {
      const coded = sample >> (16 - bits);
      return (coded << (16 - bits)) | (coded >> (2 * bits - 16));
    });
    expect(firstDifference(decoded.data, expected)).toBeUndefined();
  });

  test('is published with a warning when it repeats a reference', async () => {
    const item = await av1Item(rgb);
    const file = avif([item, { ...item, references: [{ type: 'thmb', to: [1, 1] }] }]);
    const warning: unknown = expect.stringContaining('more than once');
    await expect(probe('avif', memoryReader(file), options)).resolves.toMatchObject({ warnings: [warning] });
    const decoded = await decode('avif', file, options);
    expect(firstDifference(decoded.data, rgb.samples)).toBeUndefined();
  });

  test('in boxes of its own decodes to its original samples', async () => {
    const decoded = await decode('avif', avif([await av1Item(rgb)]), options);
    expect(firstDifference(decoded.data, rgb.samples)).toBeUndefined();
  });

  test('is turned as it states', async () => {
    const file = avif([await av1Item(rgb, rotation(1))]);
    await expect(probe('avif', memoryReader(file), options)).resolves.toMatchObject({ width: 50, height: 70 });
    const decoded = await decode('avif', file, options);
    expect(firstDifference(decoded.data, turned(rgb))).toBeUndefined();
  });

  test('is mirrored and cropped as it states', async () => {
    const mirrored = await decode('avif', avif([await av1Item(rgb, mirroring(1))]), options);
    const reversed = rgb.samples.map((_, at) => {
      const pixel = Math.floor(at / 3);
      const x = pixel % size.width;
      return rgb.samples[(pixel - x + size.width - 1 - x) * 3 + (at % 3)] ?? 0;
    });
    expect(firstDifference(mirrored.data, reversed)).toBeUndefined();
    const cropped = avif([await av1Item(rgb, cleanAperture({ width: 30, height: 20 }))]);
    const decoded = await decode('avif', cropped, options);
    expect(decoded).toMatchObject({ width: 30, height: 20 });
    const at = (y: number): number => ((y + 15) * size.width + 20) * 3;
    const rows = Array.from({ length: 20 }, (_, y) => rgb.samples.subarray(at(y), at(y) + 90));
    expect(firstDifference(decoded.data, Buffer.concat(rows))).toBeUndefined();
  });

  test('of several parts is assembled and cropped to its size', async () => {
    const tile = { width: 64, height: 64 };
    const parts = [1, 2].map((seed) => ({ ...tile, channels: 3 as const, samples: picture(64, 64, 3, seed) }));
    const whole = { width: 100, height: 60 };
    const grid = {
      type: 'grid',
      data: gridData(1, 2, whole),
      properties: [extents(whole)],
      references: [{ type: 'dimg', to: [2, 3] }],
    };
    const decoded = await decode(
      'avif',
      avif([grid, ...(await Promise.all(parts.map((part) => av1Item(part))))]),
      options,
    );
    expect(decoded).toMatchObject(whole);
    const expected = Array.from({ length: 100 * 60 * 3 }, (_, index) => {
      const x = Math.floor(index / 3) % 100;
      const y = Math.floor(index / 300);
      return parts[x < 64 ? 0 : 1]?.samples[(y * 64 + (x % 64)) * 3 + (index % 3)] ?? 0;
    });
    expect(firstDifference(decoded.data, Uint8Array.from(expected))).toBeUndefined();
  });

  test('keeps its profile, and its Exif fields are read', async () => {
    const file = await sharp(rgb.samples, { raw: { ...size, channels: 3 } })
      .avif({ lossless: true })
      .withIccProfile('p3')
      .withExif({ IFD0: { Copyright: 'Ada' } })
      .toBuffer();
    const { iccProfile } = await decode('avif', file, options);
    expect(Buffer.from(iccProfile ?? []).toString('latin1', 36, 40)).toBe('acsp');
    const metadata = await readEmbeddedMetadata(memoryReader(file), 'avif');
    expect(metadata.exif['Copyright']).toBe('Ada');
    expect(metadata.warnings).toEqual([]);
  });
});

describe('an AVIF that cannot be decoded', () => {
  test('is MULTI_PAGE as a sequence', async () => {
    const file = avif([await av1Item(rgb)], 'avis');
    expect(format.matches(file)).toBe(true);
    await expect(probe('avif', memoryReader(file), options)).rejects.toThrow('MULTI_PAGE: an animation');
  });

  test('is refused when its picture has another size than it states', async () => {
    const item = await av1Item(rgb);
    const [, ...others] = item.properties;
    const stated = extents({ width: 7, height: 5 });
    const file = avif([{ ...item, properties: [stated, ...others] }]);
    await expect(decode('avif', file, options)).rejects.toMatchObject({ name: 'RejectedImageError' });
  });

  test('is refused when its opacity has more bits than its colours', async () => {
    const item = await av1Item(rgb);
    const kind = fullBox('auxC', 0, [...ascii('urn:mpeg:mpegB:cicp:systems:auxiliary:alpha'), 0]);
    const deeper = item.properties.map((property) => {
      const copy = Uint8Array.from(property);
      if (Buffer.from(copy).toString('latin1', 4, 8) === 'av1C') copy[10] = (copy[10] ?? 0) | 0x40;
      return copy;
    });
    const opacity = { ...item, properties: [...deeper, kind], references: [{ type: 'auxl', to: [1] }] };
    const message = 'UNSUPPORTED_PIXELS: AVIF of 8 bits with opacity of 10 bits';
    await expect(probe('avif', memoryReader(avif([item, opacity])), options)).rejects.toThrow(message);
  });

  test.each([0.3, 0.9])('is refused when it is cut at %d of its length', async (part) => {
    const file = await avifOf(rgb);
    const cut = file.subarray(0, Math.floor(file.length * part));
    await expect(decode('avif', cut, options)).rejects.toMatchObject({ name: 'RejectedImageError' });
  });

  test('is OVER_BUDGET before it is decoded when its header states more than memory can hold', () => {
    const shape = { width: 60_000, height: 60_000, bands: 3, alpha: false, bitDepth: 8 } as const;
    expect(() => {
      assertAffordable('avif', shape, 1_000, 6_000 * 2 ** 20);
    }).toThrow('OVER_BUDGET: an AVIF of 60000 × 60000 needs');
  });
});

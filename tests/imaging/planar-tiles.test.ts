import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import sharp from 'sharp';
import { Arena } from '../../src/imaging/arena.ts';
import { identifyTiff } from '../../src/formats/tiff/header.ts';
import { memoryLimits } from '../../src/limits.ts';
import { rasterBytes } from '../../src/imaging/raster.ts';
import { pixelsOfSlices, type SourcePixels } from '../../src/imaging/source-pixels.ts';
import { memoryReader } from '../../src/bytes/range-reader.ts';
import { type PlainTiff, writePlainTiff } from '../support/tiff-writer.ts';

interface Rect {
  readonly left: number;
  readonly top: number;
  readonly right: number;
  readonly bottom: number;
}

async function pixelsOf(tiff: Buffer, bitDepth: 8 | 16): Promise<SourcePixels> {
  const readInto = (target: Uint8Array, offset: number): Promise<void> => {
    target.set(tiff.subarray(offset, offset + target.length));
    return Promise.resolve();
  };
  const { image } = await identifyTiff(memoryReader(tiff), { unspecifiedSamples: 'ignore' });
  expect(image.chunks?.kind).toBe('tiles');
  const options = {
    background: '#804020',
    bitDepth,
    bands: image.bands,
    conversion: 'none',
    timeoutSeconds: 60,
    memoryBudget: memoryLimits.standard.rendering,
  } as const;
  return pixelsOfSlices({ ...memoryReader(tiff), readInto }, image, options);
}

/**
 * The same rectangle of the same image, written with interleaved samples and decoded as a whole by
 * sharp.
 */
async function cropOfWhole(chunky: Buffer, bitDepth: 8 | 16, bands: number, rect: Rect): Promise<Buffer> {
  // sharp multiplies the background by 256 in 16 bits; 257 maps the whole range.
  const scale = bitDepth === 16 ? 257 / 256 : 1;
  const { data, info } = await sharp(chunky)
    .autoOrient()
    .flatten({ background: { r: 0x80 * scale, g: 0x40 * scale, b: 0x20 * scale } })
    .toColourspace(bitDepth === 16 ? (bands === 1 ? 'grey16' : 'rgb16') : bands === 1 ? 'b-w' : 'srgb')
    .raw({ depth: bitDepth === 16 ? 'ushort' : 'uchar' })
    .toBuffer({ resolveWithObject: true });
  const pixel = bands * (bitDepth / 8);
  const rows = Array.from({ length: rect.bottom - rect.top }, (_, index) => {
    const start = (rect.top + index) * info.width;
    return data.subarray((start + rect.left) * pixel, (start + rect.right) * pixel);
  });
  return Buffer.concat(rows);
}

/** Arbitrary layouts of separate planes in tiles. */
const layouts: fc.Arbitrary<PlainTiff & { bits: 8 | 16 }> = fc.record({
  width: fc.integer({ min: 1, max: 150 }),
  height: fc.integer({ min: 1, max: 150 }),
  samples: fc.constantFrom(2, 3, 4),
  bits: fc.constantFrom(8 as const, 16 as const),
  bigEndian: fc.boolean(),
  bigTiff: fc.boolean(),
  planar: fc.constant(true),
  rowsPerStrip: fc.constant(16),
  tile: fc.record({ width: fc.constantFrom(16, 32, 48), height: fc.constantFrom(16, 32, 64) }),
  gap: fc.constantFrom(0, 7),
  orientation: fc.integer({ min: 1, max: 8 }),
  reversed: fc.boolean(),
});

describe('a TIFF of separate planes in tiles', () => {
  test('decodes to the same pixels as one with interleaved samples', async () => {
    const compressions = fc.constantFrom(undefined, { predictor: 1 as const }, { predictor: 2 as const });
    const corners = fc.tuple(fc.nat(999), fc.nat(999), fc.nat(999), fc.nat(999));
    await fc.assert(
      fc.asyncProperty(layouts, compressions, corners, async (layout, deflate, [x0, x1, y0, y1]) => {
        const { bits, samples, orientation = 1 } = layout;
        const sample = (x: number, y: number, band: number): number =>
          (x * 7 + y * 131 + band * 59 + x * y) % (bits === 16 ? 65_521 : 251);
        const planar = writePlainTiff({ ...layout, ...(deflate ? { deflate } : {}) }, sample);
        const { width, height } = layout;
        const chunky = writePlainTiff({ width, height, samples, bits, orientation, rowsPerStrip: height }, sample);
        const [across, down] = orientation >= 5 ? [height, width] : [width, height];
        const left = Math.min(x0, x1) % across;
        const top = Math.min(y0, y1) % down;
        const right = left + 1 + (Math.max(x0, x1) % (across - left));
        const bottom = top + 1 + (Math.max(y0, y1) % (down - top));
        const rect = { left, top, right, bottom };
        const arena = new Arena();
        const pixels = await pixelsOf(planar, bits);
        const raster = await pixels.raster(rect, arena);
        const expected = await cropOfWhole(chunky, bits, samples >= 3 ? 3 : 1, rect);
        expect(Buffer.from(rasterBytes(raster)).equals(expected)).toBe(true);
        arena.release();
      }),
      { numRuns: 60, seed: 17 },
    );
  });

  test('is rejected as CORRUPT_PIXELS when a tile is damaged', async () => {
    const tiff = writePlainTiff(
      {
        width: 64,
        height: 64,
        samples: 3,
        bits: 8,
        planar: true,
        rowsPerStrip: 16,
        tile: { width: 32, height: 32 },
        deflate: { predictor: 1 },
      },
      (x, y) => (x * y) % 251,
    );
    const broken = Buffer.from(tiff);
    broken.fill(0xff, 8, 40);
    const pixels = await pixelsOf(broken, 8);
    await expect(pixels.raster({ left: 0, top: 0, right: 64, bottom: 64 }, new Arena())).rejects.toMatchObject({
      name: 'RejectedImageError',
      code: 'CORRUPT_PIXELS',
    });
  });
});

import { describe, expect, test } from '@jest/globals';
import sharp from 'sharp';
import { picture, pictureOf } from '../support/pixels.ts';
import { height, onePass, reduced, samplesOf, small, width, worstDifference } from '../support/reduced.ts';
import { handTiff, long, short } from '../support/tiff-bytes.ts';
import { writePlainTiff } from '../support/tiff-writer.ts';

describe('an image whose colours are kept is reduced to the pixels of one pass of sharp', () => {
  const image = pictureOf(width, height);
  const grey = pictureOf(width, height, 1);
  const masters: readonly [string, () => Promise<Buffer>, string][] = [
    ['JPEG', () => image.clone().jpeg().toBuffer(), 'srgb'],
    ['progressive JPEG', () => image.clone().jpeg({ progressive: true }).toBuffer(), 'srgb'],
    ['grey JPEG', () => grey.clone().jpeg().toBuffer(), 'b-w'],
    ['PNG', () => image.clone().png().toBuffer(), 'srgb'],
    ['interlaced PNG', () => image.clone().png({ progressive: true }).toBuffer(), 'srgb'],
    ['16-bit PNG', () => image.clone().toColourspace('rgb16').png().toBuffer(), 'rgb16'],
    ['16-bit grey PNG', () => grey.clone().toColourspace('grey16').png().toBuffer(), 'grey16'],
    ['palette PNG', () => image.clone().png({ palette: true, colours: 32 }).toBuffer(), 'srgb'],
    ['WebP', () => image.clone().webp({ lossless: true }).toBuffer(), 'srgb'],
    ['TIFF of uncompressed strips', () => image.clone().tiff({ compression: 'none' }).toBuffer(), 'srgb'],
    ['TIFF of LZW strips', () => image.clone().tiff({ compression: 'lzw' }).toBuffer(), 'srgb'],
    ['TIFF of tiles', () => image.clone().tiff({ compression: 'deflate', tile: true }).toBuffer(), 'srgb'],
    ['16-bit TIFF', () => image.clone().toColourspace('rgb16').tiff({ compression: 'none' }).toBuffer(), 'rgb16'],
    ['TIFF of single bits', () => grey.clone().tiff({ compression: 'ccittfax4', bitdepth: 1 }).toBuffer(), 'b-w'],
  ];
  test.each(masters)('from a %s', async (_, make, colourspace) => {
    const master = await make();
    const { width: across, height: down, samples, bitDepth } = await reduced(master);
    expect([across, down, bitDepth]).toEqual([160, 118, colourspace.endsWith('16') ? 16 : 8]);
    expect(worstDifference(samples, await samplesOf(onePass(master), colourspace))).toBe(0);
  });

  test('from a JPEG of more than ten times the size', async () => {
    const master = await pictureOf(2200, 1500).jpeg({ quality: 95 }).toBuffer();
    const { samples } = await reduced(master);
    const expected = await samplesOf(onePass(master, { width: 160, height: 109 }), 'srgb');
    expect(worstDifference(samples, expected)).toBe(0);
  });

  test('from 16 bits, published in 8', async () => {
    const master = await image.clone().toColourspace('rgb16').png().toBuffer();
    const { samples, bitDepth } = await reduced(master, { depth: 8 });
    expect(bitDepth).toBe(8);
    expect(worstDifference(samples, await samplesOf(onePass(master), 'srgb'))).toBe(0);
  });

  test('from separate planes in tiles, which libvips does not read, as from interleaved samples', async () => {
    const pixels = picture(width, height, 3);
    const sample = (x: number, y: number, band: number): number => pixels[(y * width + x) * 3 + band] ?? 0;
    const layout = { width, height, samples: 3, bits: 8, rowsPerStrip: height };
    const planar = writePlainTiff({ ...layout, planar: true, tile: { width: 64, height: 64 } }, sample);
    const chunky = writePlainTiff(layout, sample);
    const { samples } = await reduced(planar);
    expect(worstDifference(samples, await samplesOf(onePass(chunky), 'srgb'))).toBe(0);
  });

  test.each([1, 2, 3, 4, 5, 6, 7, 8])('from orientation %i, upright', async (orientation) => {
    const size = orientation >= 5 ? { width: 118, height: 160 } : small;
    const tiles = { compression: 'deflate', tile: true } as const;
    for (const encoded of [
      image.clone().jpeg(),
      image.clone().tiff({ compression: 'lzw' }),
      image.clone().tiff(tiles),
    ]) {
      const master = await encoded.withMetadata({ orientation }).toBuffer();
      const { samples, ...decoded } = await reduced(master);
      expect(decoded).toMatchObject(size);
      expect(worstDifference(samples, await samplesOf(onePass(master, size), 'srgb'))).toBe(0);
    }
  });

  test('from a narrow image, whose height becomes one pixel', async () => {
    const master = await pictureOf(2000, 3).png().toBuffer();
    const { width: across, height: down, samples } = await reduced(master);
    expect([across, down]).toEqual([160, 1]);
    expect(worstDifference(samples, await samplesOf(onePass(master, { width: 160, height: 1 }), 'srgb'))).toBe(0);
  });

  test('from a TIFF that is too large for memory', async () => {
    // The slice is larger than half a gibibyte, although all strips share the same bytes of the
    // file.
    const [across, rows, strips] = [14_000, 500, 26] as const;
    const row = picture(across, 1, 3);
    const fields = [
      ...[long(256, across), long(257, rows * strips), short(258, 8, 8, 8), short(259, 1), short(262, 2)],
      long(273, ...Array.from({ length: strips }, () => 8)),
      ...[short(277, 3), long(278, rows)],
      long(279, ...Array.from({ length: strips }, () => rows * row.length)),
    ];
    const data = Buffer.concat(Array.from({ length: rows }, () => row));
    const master = Buffer.from(handTiff({ littleEndian: true, data, directories: [fields] }));
    const { samples, ...decoded } = await reduced(master);
    expect(decoded).toMatchObject({ width: 160, height: 149 });
    const band = sharp(data, { raw: { width: across, height: rows, channels: 3 } });
    const expected = await samplesOf(onePass(band, { width: 160, height: 1 }), 'srgb');
    for (const line of [0, 74, 148]) {
      expect(worstDifference(samples.slice(line * 480, (line + 1) * 480), expected)).toBeLessThanOrEqual(1);
    }
  });

  test.each([
    ['strips that share their bytes', { height: 500_000 }, [long(278, 1000)], [273, 279], 500],
    ['planes in tiles', { height: 22_000 }, [short(322, 4096), short(323, 4096), short(284, 2)], [324, 325], 108],
  ] as const)(
    'except a TIFF of %s that is too large to be reduced, which is rejected',
    async (_, size, more, [offsets, counts], count) => {
      const chunk = counts === 279 ? 1000 * 22_000 * 3 : 4096 * 4096;
      const fields = [
        ...[
          long(256, 22_000),
          long(257, size.height),
          short(258, 8, 8, 8),
          short(259, 1),
          short(262, 2),
          short(277, 3),
        ],
        long(offsets, ...Array.from({ length: count }, () => 8)),
        long(counts, ...Array.from({ length: count }, () => chunk)),
        ...more,
      ].sort((a, b) => a.tag - b.tag);
      const master = handTiff({ littleEndian: true, data: Buffer.alloc(chunk), directories: [fields] });
      await expect(reduced(Buffer.from(master))).rejects.toMatchObject({
        name: 'RejectedImageError',
        code: 'OVER_BUDGET',
      });
    },
  );

  test('except a truncated master, which is rejected', async () => {
    const master = await image.clone().tiff({ compression: 'none' }).toBuffer();
    const broken = Buffer.from(master);
    await expect(reduced(broken.subarray(0, broken.length - 90_000))).rejects.toMatchObject({
      name: 'RejectedImageError',
    });
    const jpeg = await image.clone().jpeg().toBuffer();
    await expect(reduced(jpeg.subarray(0, 9000))).rejects.toMatchObject({
      name: 'RejectedImageError',
      code: 'CORRUPT_PIXELS',
    });
  });
});

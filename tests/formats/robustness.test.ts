import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import sharp from 'sharp';
import { decode } from '../../src/formats/convert.ts';
import type { ConvertibleFormat } from '../../src/pyramid/source-image.ts';
import { avifOf } from '../support/avif-fixtures.ts';
import { bmp } from '../support/bmp-fixtures.ts';
import { codedItem, heic } from '../support/heic-fixtures.ts';
import { encodeHevc } from '../support/hevc-pcm.ts';
import { j2k, jp2 } from '../support/jp2-fixtures.ts';
import { pdf } from '../support/pdf-fixtures.ts';
import { picture } from '../support/pixels.ts';
import { psd } from '../support/psd-fixtures.ts';

const options = { dpi: 72, background: '#ffffff' };
const size = { width: 48, height: 32 };
const grey = picture(size.width, size.height, 1);
const rgb = picture(size.width, size.height, 3);

async function sound(format: ConvertibleFormat): Promise<Uint8Array> {
  switch (format) {
    case 'jp2':
      return jp2(await j2k({ ...size, bits: [8], samples: grey, tile: 32 }), { ...size, components: 1, colour: 17 });
    case 'pdf':
      return pdf({ pages: [{ ...size, content: '48 0 0 32 0 0 cm /Picture Do', picture: { ...size, rgb } }] });
    case 'bmp': {
      const palette = Array.from({ length: 256 }, (_, level) => [level, 0, 255 - level]);
      const runs = Array.from({ length: 32 }, (_, y) => [48, y, 0, 0]);
      return bmp({ ...size, bitsPerPixel: 8, compression: 1, palette, rows: runs });
    }
    case 'heic':
      return heic({ items: [codedItem(encodeHevc({ ...size, chromaFormat: 0, bits: 8, planes: [grey] }), size)] });
    case 'avif':
      return avifOf({ ...size, channels: 3, samples: rgb });
    case 'psd': {
      const planes = [0, 1, 2].map((band) => rgb.filter((_, at) => at % 3 === band));
      return psd({ ...size, mode: 3, bits: 8, planes, coding: 1 });
    }
    case 'gif':
      return sharp(rgb, { raw: { ...size, channels: 3 } })
        .gif()
        .toBuffer();
  }
}

/** Headers are short and at the start of a file, so half of all damage is applied there. */
const damage = fc.array(
  fc.record({
    at: fc.oneof(fc.double({ min: 0, max: 1, noNaN: true }), fc.double({ min: 0, max: 0.1, noNaN: true })),
    value: fc.integer({ min: 0, max: 255 }),
  }),
  { minLength: 1, maxLength: 6 },
);

describe('a damaged file decodes or is rejected with RejectedImageError', () => {
  test.each(['jp2', 'pdf', 'bmp', 'heic', 'avif', 'gif', 'psd'] as const)('%s', async (format) => {
    const file = await sound(format);
    await expect(decode(format, file, options)).resolves.toMatchObject(size);
    await fc.assert(
      fc.asyncProperty(damage, fc.double({ min: 0.2, max: 1.5, noNaN: true }), async (bytes, kept) => {
        const broken = Uint8Array.from(file.subarray(0, Math.ceil(file.length * Math.min(1, kept))));
        for (const { at, value } of bytes) broken[Math.floor(at * (broken.length - 1))] = value;
        const outcome = await decode(format, broken, options).then(
          () => 'RejectedImageError',
          (error: unknown) => (error as Error).name,
        );
        expect(outcome).toBe('RejectedImageError');
      }),
      { numRuns: 150, seed: 20_261_121 },
    );
  });
});

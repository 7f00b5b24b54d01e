/** YCbCr in TIFF without JPEG. */
import { describe, expect, test } from '@jest/globals';
import { decodeMaster, identifyBytes } from '../support/decode-master.ts';
import { short } from '../support/tiff-bytes.ts';
import { type YccTiff, yccTiff } from '../support/ycc-tiff.ts';

const width = 45;
const height = 37;
const sample: YccTiff['sample'] = (x, y, band) => (x * (3 + band) + y * (7 - band) + 40 * band) % 256;

/** RGB by ITU-R BT.601 in full range; chroma as the first pixel that shares it has it. */
function expectedOf({ across, down }: Pick<YccTiff, 'across' | 'down'>): number[] {
  return Array.from({ length: width * height }, (_, at) => {
    const [x, y] = [at % width, Math.floor(at / width)];
    const luma = sample(x, y, 0);
    const blue = sample(x - (x % across), y - (y % down), 1) - 128;
    const red = sample(x - (x % across), y - (y % down), 2) - 128;
    return [luma + 1.402 * red, luma - 0.344136 * blue - 0.714136 * red, luma + 1.772 * blue];
  })
    .flat()
    .map((value) => Math.min(255, Math.max(0, Math.round(value))));
}

describe('YCbCr without JPEG becomes RGB', () => {
  test.each<[string, Omit<YccTiff, 'width' | 'height' | 'sample'>]>([
    ['without subsampling', { across: 1, down: 1, rows: 8 }],
    ['with chroma of half the width and height, in strips', { across: 2, down: 2, rows: 8 }],
    ['with chroma of half the width, in one strip', { across: 2, down: 1 }],
    ['with chroma of half the width and height, in tiles', { across: 2, down: 2, tile: 16 }],
    ['with chroma of a quarter, deflate', { across: 4, down: 4, rows: 16, deflate: true }],
    ['in planes of strips', { across: 1, down: 1, rows: 8, planar: true }],
    ['in planes, with chroma of half the width and height, in strips', { across: 2, down: 2, rows: 8, planar: true }],
    ['in planes, with chroma of half the width, in one strip', { across: 2, down: 1, planar: true }],
    ['in planes of tiles, with chroma of half the width and height', { across: 2, down: 2, tile: 16, planar: true }],
    [
      'in planes, with chroma of a quarter, deflate with differences',
      { across: 4, down: 2, rows: 16, deflate: true, planar: true, predictor: true },
    ],
  ])('%s', async (_, kind) => {
    const tiff = yccTiff({ width, height, sample, ...kind });
    const { samples, bands, warnings } = await decodeMaster(tiff);
    expect(bands).toBe(3);
    expect(warnings).toEqual([]);
    const expected = expectedOf(kind);
    const worst = samples.reduce((most, value, at) => Math.max(most, Math.abs(value - (expected[at] ?? 0))), 0);
    expect(worst).toBeLessThanOrEqual(1);
  });

  test('by the black and white that the file states', async () => {
    const video = { tag: 532, type: 4, values: [16, 235, 128, 240, 128, 240] };
    const tiff = yccTiff({
      width: 4,
      height: 1,
      across: 1,
      down: 1,
      sample: (x, _, band) => (band ? 128 : 16 + x * 73),
      more: [video],
    });
    const { samples } = await decodeMaster(tiff);
    expect(samples).toEqual([0, 85, 170, 255].flatMap((grey) => [grey, grey, grey]));
  });
});

describe('YCbCr without JPEG is refused', () => {
  test('in separate planes of 16 bits', async () => {
    const tiff = yccTiff({ width, height, sample, across: 1, down: 1, planar: true, more: [short(258, 16, 16, 16)] });
    await expect(identifyBytes(tiff)).rejects.toThrow('UNSUPPORTED_PIXELS: YCbCr of JPEG or other depths');
  });

  test('in separate planes whose chroma ends before its rows', async () => {
    const tiff = yccTiff({ width, height, sample, across: 2, down: 2, planar: true });
    const fewer = Buffer.from(tiff);
    const luma = width * height;
    const chroma = 23 * 19;
    const at = fewer.indexOf(Buffer.from(Uint32Array.of(luma, chroma, chroma).buffer));
    fewer.writeUInt32LE(chroma - 9, at + 4);
    await expect(decodeMaster(fewer)).rejects.toThrow('CORRUPT_PIXELS: strip 1 is damaged');
  });

  test('when its data ends before its rows', async () => {
    const tiff = yccTiff({ width, height, sample, across: 2, down: 2, rows: 8 });
    const fewer = Buffer.from(tiff);
    // The length of the first strip, in the table of lengths.
    const length = 4 * 23 * 6;
    const at = fewer.indexOf(Uint8Array.of(length & 255, length >> 8, 0, 0, length & 255, length >> 8, 0, 0));
    fewer.writeUInt32LE(length - 9, at);
    await expect(decodeMaster(fewer)).rejects.toThrow('CORRUPT_PIXELS: strip 0 is damaged');
  });
});

/** TIFFs with tiles or strips that are not stored, and JPEG tiles with alpha. */
import { describe, expect, test } from '@jest/globals';
import sharp, { type TiffOptions } from 'sharp';
import { decodeMaster } from '../support/decode-master.ts';
import { withHoles, withShort, withTag } from '../support/odd-tiffs.ts';
import { pictureOf } from '../support/pixels.ts';

const width = 200;
const height = 150;
/** Of the 4 × 4 tiles, the second of the second row and the last, which reaches beyond the image. */
const holes = [5, 15];
const tile = { tile: true, tileWidth: 64, tileHeight: 48 } as const;

/** Samples of the picture with 0 in the holes. */
async function withBlackHoles(tiff: Buffer, channels: number): Promise<Buffer> {
  const pixels = await sharp(tiff, { ignoreIcc: true })
    .toColourspace(channels === 1 ? 'b-w' : 'srgb')
    .raw()
    .toBuffer();
  for (const hole of holes) {
    const [left, top] = [(hole % 4) * 64, Math.floor(hole / 4) * 48];
    for (let y = top; y < Math.min(height, top + 48); y++) {
      pixels.fill(0, (y * width + left) * channels, (y * width + Math.min(width, left + 64)) * channels);
    }
  }
  return pixels;
}

describe('tiles that are not stored are black', () => {
  test.each<[string, 1 | 3, TiffOptions]>([
    ['uncompressed', 3, { compression: 'none' }],
    ['LZW with a predictor', 3, { compression: 'lzw', predictor: 'horizontal' }],
    ['deflate with a predictor', 3, { compression: 'deflate', predictor: 'horizontal' }],
    ['PackBits', 1, { compression: 'packbits' }],
    ['JPEG with subsampled chroma', 3, { compression: 'jpeg', quality: 70 }],
    ['grey JPEG', 1, { compression: 'jpeg' }],
    ['WebP', 3, { compression: 'webp', quality: 80 }],
    ['T.6', 1, { compression: 'ccittfax4', bitdepth: 1 }],
  ])('in a TIFF of tiles: %s', async (_, channels, options) => {
    const whole = await pictureOf(width, height, channels)
      .tiff({ ...tile, ...options })
      .toBuffer();
    const { samples, warnings } = await decodeMaster(withHoles(whole, holes));
    expect(Buffer.from(samples).equals(await withBlackHoles(whole, channels))).toBe(true);
    expect(warnings).toEqual(['2 of 16 tiles are not stored; their samples are 0']);
  });

  test('in a TIFF without a stored tile', async () => {
    for (const compression of ['jpeg', 'deflate'] as const) {
      const whole = await pictureOf(60, 40)
        .tiff({ ...tile, compression })
        .toBuffer();
      const { samples } = await decodeMaster(withHoles(whole, [0]));
      expect(samples).toEqual(new Array<number>(60 * 40 * 3).fill(0));
    }
  });

  test('and have the value that GDAL states for no data', async () => {
    for (const compression of ['jpeg', 'lzw'] as const) {
      const whole = await pictureOf(60, 40, 1)
        .tiff({ ...tile, compression, xres: 77 })
        .toBuffer();
      // XResolution, a RATIONAL of 8 bytes, becomes the tag of GDAL, which is text.
      const { samples } = await decodeMaster(asNoData(withHoles(whole, [0]), '77'));
      expect(new Set(samples)).toEqual(new Set([77]));
    }
  });
});

/** A TIFF whose last field, SampleFormat, becomes GDAL's nodata with this text of two digits. */
function asNoData(tiff: Uint8Array, text: string): Uint8Array {
  const copy = withTag(tiff, 339, 42_113);
  const view = new DataView(copy.buffer);
  const directory = view.getUint32(4, true);
  for (let at = directory + 2; at < copy.length; at += 12) {
    if (view.getUint16(at, true) !== 42_113) continue;
    view.setUint16(at + 2, 2, true);
    view.setUint32(at + 4, text.length + 1, true);
    copy.set(Buffer.from(`${text}\0\0`.slice(0, 4), 'latin1'), at + 8);
    return copy;
  }
  throw new Error('Expected the renamed field');
}

test('JPEG tiles of RGB with alpha have the pixels of such strips', async () => {
  // Whole blocks of JPEG, so that strips and tiles hold the same ones.
  const height = 152;
  const four = Buffer.alloc(width * height * 4).map((_, at) => (at * 7 + (at >> 9) * 3) & 255);
  const cmyk = sharp(four, { raw: { width, height, channels: 4 } }).toColourspace('cmyk');
  /** InkSet becomes ExtraSamples with the value of unassociated alpha. */
  const asRgba = (tiff: Buffer): Uint8Array => withShort(withTag(withShort(tiff, 262, 2), 332, 338), 338, 2);
  const options = { compression: 'jpeg', quality: 90 } as const;
  const strips = asRgba(await cmyk.clone().tiff(options).toBuffer());
  const tiles = asRgba(
    await cmyk
      .clone()
      .tiff({ ...options, ...tile })
      .toBuffer(),
  );
  const { image, samples } = await decodeMaster(tiles);
  expect(image).toMatchObject({ model: 'rgb', alpha: true, chunks: { kind: 'tiles', width: 64, height: 48 } });
  const expected = await sharp(strips).flatten({ background: '#ffffff' }).raw().toBuffer();
  expect(Buffer.from(samples).equals(expected)).toBe(true);
});

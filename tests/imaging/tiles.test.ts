import { describe, expect, test } from '@jest/globals';
import otherSharp from 'sharp';
import { Arena } from '../../src/imaging/arena.ts';
import { decodeTiles } from '../../src/imaging/decode-tiles.ts';
import { encodeTiles } from '../../src/imaging/encode.ts';
import type { Raster } from '../../src/imaging/raster.ts';
import { sharp } from '../../src/imaging/sharp.ts';
import type { Encoding } from '../../src/recipe/encodings.ts';
import type { TileEncoding } from '../../src/tiff/pyramid-fields.ts';
import { picture } from '../support/pixels.ts';

/** The memory of these tests is never released. */
const arena = new Arena();
const encode = (raster: Raster, recipe: { tileSize: number; encoding: Encoding }) => encodeTiles(raster, recipe, arena);
const decodeTile = (tile: Uint8Array, tileSize: number, encoding: TileEncoding) =>
  decodeTiles([tile], tileSize, encoding, arena);

const rasterOf = (width: number, height: number, bands: 1 | 3, bitDepth: 8 | 16): Raster => {
  const data = picture(width, height, bands);
  // The low bytes differ from the high bytes, so that a reader that drops them fails.
  const words = Uint16Array.from(data, (sample, at) => sample * 256 + ((at * 37) & 255));
  return { width, height, bands, data: bitDepth === 16 ? words : Uint8Array.from(data) };
};

/** The samples of a square of a raster, clipped to the raster. */
function squareOf(raster: Raster, left: number, top: number, size: number): number[][] {
  const rows: number[][] = [];
  for (let y = top; y < Math.min(top + size, raster.height); y++) {
    const from = (y * raster.width + left) * raster.bands;
    const to = (y * raster.width + Math.min(left + size, raster.width)) * raster.bands;
    rows.push(Array.from(raster.data.subarray(from, to)));
  }
  return rows;
}

describe('encoded tiles', () => {
  test.each<[string, Encoding, 1 | 3, 8 | 16]>([
    ['deflate, RGB', { compression: 'deflate', level: 6 }, 3, 8],
    ['deflate, grey', { compression: 'deflate', level: 6 }, 1, 8],
    ['deflate, 16-bit RGB', { compression: 'deflate', level: 6 }, 3, 16],
    ['LZW, 16-bit grey', { compression: 'lzw' }, 1, 16],
  ])('of %s decode to exactly the pixels of the raster', async (_, encoding, bands, bitDepth) => {
    const raster = rasterOf(150, 100, bands, bitDepth);
    const { across, down, tiles, encoding: encoded } = await encode(raster, { tileSize: 64, encoding });
    expect([across, down, tiles.length]).toEqual([3, 2, 6]);
    for (const [index, bytes] of tiles.entries()) {
      const tile = await decodeTile(bytes, 64, encoded);
      expect([tile.width, tile.height, tile.bands]).toEqual([64, 64, bands]);
      const [left, top] = [(index % 3) * 64, index < 3 ? 0 : 64];
      const expected = squareOf(raster, left, top, 64);
      const actual = squareOf(tile, 0, 0, 64)
        .slice(0, expected.length)
        .map((row) => row.slice(0, expected[0]?.length));
      expect(actual).toEqual(expected);
    }
  });

  test.each<[string, Encoding, 1 | 3]>([
    ['JPEG', { compression: 'jpeg', quality: 80 }, 3],
    ['JPEG without subsampling', { compression: 'jpeg', quality: 95 }, 3],
    ['grey JPEG', { compression: 'jpeg', quality: 80 }, 1],
    ['WebP', { compression: 'webp', quality: 90 }, 3],
  ])('of %s decode to approximately the pixels of the raster', async (_, encoding, bands) => {
    const raster = rasterOf(128, 64, bands, 8);
    const { tiles, encoding: encoded } = await encode(raster, { tileSize: 64, encoding });
    expect(tiles).toHaveLength(2);
    const tile = await decodeTile(tiles[1] ?? new Uint8Array(), 64, encoded);
    const expected = squareOf(raster, 64, 0, 64).flat();
    const off = Array.from(tile.data).reduce((sum, sample, at) => sum + Math.abs(sample - (expected[at] ?? 0)), 0);
    expect(tile.data).toHaveLength(expected.length);
    expect(off / expected.length).toBeLessThan(6);
  });

  test.each<[string, Encoding, number]>([
    ['JPEG', { compression: 'jpeg', quality: 85 }, 0],
    ['JPEG without subsampling', { compression: 'jpeg', quality: 95 }, 1],
    ['WebP', { compression: 'webp', quality: 80 }, 2],
  ])('of %s keep a single colour up to the edge of the image', async (_, encoding, tolerance) => {
    const red = [200, 30, 30];
    const data = Uint8Array.from({ length: 513 * 513 * 3 }, (_sample, at) => red[at % 3] ?? 0);
    const { tiles, encoding: encoded } = await encode(
      { width: 513, height: 513, bands: 3, data },
      { tileSize: 512, encoding },
    );
    expect(tiles).toHaveLength(4);
    for (const bytes of tiles) {
      const tile = await decodeTile(bytes, 512, encoded);
      const worst = Uint8Array.from(tile.data).reduce(
        (most, sample, at) => Math.max(most, Math.abs(sample - (red[at % 3] ?? 0))),
        0,
      );
      expect(worst).toBeLessThanOrEqual(tolerance);
    }
  });

  test('of a raster of one pixel have the full tile size', async () => {
    const { across, down, tiles, encoding } = await encode(rasterOf(1, 1, 3, 8), {
      tileSize: 64,
      encoding: { compression: 'deflate', level: 6 },
    });
    expect([across, down, tiles.length]).toEqual([1, 1, 1]);
    const pixel = picture(1, 1, 3);
    expect(Array.from((await decodeTile(tiles[0] ?? new Uint8Array(), 64, encoding)).data.subarray(0, 3))).toEqual([
      ...pixel,
    ]);
  });

  test('of the same raster are byte-identical', async () => {
    const recipe = { tileSize: 64, encoding: { compression: 'jpeg', quality: 80 } } as const;
    const [first, second] = [
      await encode(rasterOf(100, 90, 3, 8), recipe),
      await encode(rasterOf(100, 90, 3, 8), recipe),
    ];
    expect(first.tiles.map((tile) => Buffer.from(tile).toString('hex'))).toEqual(
      second.tiles.map((tile) => Buffer.from(tile).toString('hex')),
    );
  });

  test('are decoded into one raster, one below the other', async () => {
    const raster = rasterOf(128, 64, 3, 8);
    const { tiles, encoding } = await encode(raster, { tileSize: 64, encoding: { compression: 'deflate', level: 6 } });
    const stack = await decodeTiles(tiles, 64, encoding, arena);
    expect([stack.width, stack.height]).toEqual([64, 128]);
    expect(squareOf({ ...stack, data: stack.data.subarray(64 * 64 * 3), height: 64 }, 0, 0, 64)).toEqual(
      squareOf(raster, 64, 0, 64),
    );
  });

  test('are not decoded when one of them is damaged', async () => {
    const recipe = { tileSize: 64, encoding: { compression: 'jpeg', quality: 80 } } as const;
    const { tiles, encoding } = await encode(rasterOf(128, 64, 3, 8), recipe);
    const zeroed = Uint8Array.from(tiles[1] ?? []).fill(0, 0, 16);
    await expect(decodeTiles(tiles, 64, encoding, arena)).resolves.toMatchObject({ height: 128 });
    await expect(decodeTiles([tiles[0] ?? zeroed, zeroed], 64, encoding, arena)).rejects.toThrow();
  });

  test.each<[string, Encoding]>([
    ['JPEG', { compression: 'jpeg', quality: 80 }],
    ['deflate', { compression: 'deflate', level: 6 }],
    ['WebP', { compression: 'webp', quality: 80 }],
  ])('of %s are not decoded when they are damaged', async (_, encoding) => {
    const { tiles, encoding: encoded } = await encode(rasterOf(64, 64, 3, 8), { tileSize: 64, encoding });
    const whole = tiles[0] ?? new Uint8Array();
    await expect(decodeTile(whole, 64, encoded)).resolves.toMatchObject({ width: 64 });
    const zeroed = Uint8Array.from(whole).fill(0, 0, 16);
    // A JPEG truncated within its pixels is omitted here: libtiff accepts it and fills the rest
    // with grey.
    const half = encoding.compression === 'jpeg' ? [] : [whole.subarray(0, whole.length >> 1)];
    for (const broken of [...half, whole.subarray(0, 1), zeroed, new Uint8Array(100)]) {
      await expect(decodeTile(broken, 64, encoded)).rejects.toThrow();
    }
  });
});

describe('libvips loaders of formats with references or scripts', () => {
  const svg = '<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><rect width="9" height="9"/></svg>';

  test.each([
    ['SVG', svg],
    ['SVG behind an XML declaration', `<?xml version="1.0"?>${svg}`],
    ['PDF', '%PDF-1.4\n1 0 obj<<>>endobj\n'],
    ['GIF', 'GIF89a\x01\0\x01\0\x80\0\0\0\0\0\xff\xff\xff,\0\0\0\0\x01\0\x01\0\0\x02\x02D\x01\0;'],
    ['PPM', 'P6 1 1 255\nabc'],
  ])('do not run for %s', async (_, text) => {
    const bytes = Buffer.from(text, 'latin1');
    await expect(sharp(bytes).metadata()).rejects.toThrow(/unsupported image format/u);
    await expect(sharp(bytes).raw().toBuffer()).rejects.toThrow(/unsupported image format/u);
  });

  test('are also blocked for other imports of sharp in the same process', async () => {
    await expect(otherSharp(Buffer.from(svg)).metadata()).rejects.toThrow(/unsupported image format/u);
  });
});

test('sharp has a libvips without the buffer overflow in JPEG tiles', () => {
  // Before 0.35.0, tiffload writes past its buffer for some JPEG tiles.
  const [major = 0, minor = 0] = otherSharp.versions.sharp.split('.').map(Number);
  expect(major > 0 || minor >= 35).toBe(true);
});

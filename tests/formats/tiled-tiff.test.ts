import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { fromArrayBuffer } from 'geotiff';
import sharp from 'sharp';
import type { DecodedImage } from '../../src/formats/decoded-image.ts';
import { writeTiledTiff } from '../../src/formats/tiled-tiff.ts';
import { identifyBytes } from '../support/decode-master.ts';
import { firstDifference } from '../support/decoded-fixtures.ts';
import { profileFor } from '../support/jp2-fixtures.ts';
import { picture } from '../support/pixels.ts';

let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(path.join(tmpdir(), 'stepwell-tiled-tiff-'));
});
afterAll(() => rm(directory, { recursive: true }));

async function written(image: DecodedImage): Promise<Buffer> {
  const file = path.join(directory, 'written.tif');
  await writeTiledTiff(file, image);
  return readFile(file);
}

function imageOf(shape: Omit<DecodedImage, 'data'>): DecodedImage {
  const samples = shape.bands + (shape.alpha ? 1 : 0);
  const eight = picture(shape.width, shape.height, samples);
  const data =
    shape.bitDepth === 8 ? new Uint8Array(eight) : Uint16Array.from(eight, (value, at) => value * 256 + (at % 256));
  return { ...shape, data };
}

describe('a decoded image that is written as a TIFF', () => {
  const size = { width: 1_300, height: 700 };
  const cases = [
    { bands: 1, alpha: false, bitDepth: 8 },
    { bands: 3, alpha: false, bitDepth: 8 },
    { bands: 3, alpha: true, bitDepth: 8 },
    { bands: 1, alpha: true, bitDepth: 16 },
    { bands: 3, alpha: false, bitDepth: 16 },
    { bands: 3, alpha: true, bitDepth: 16 },
  ] as const;

  test.each(cases)('of $bands bands, alpha $alpha, $bitDepth bits is read back exactly by geotiff.js', async (kind) => {
    const image = imageOf({ ...size, ...kind });
    const bytes = await written(image);
    const page = await (await fromArrayBuffer(Uint8Array.from(bytes).buffer)).getImage();
    expect([page.getWidth(), page.getHeight(), page.getTileWidth(), page.getTileHeight()]).toEqual([
      1300, 700, 512, 512,
    ]);
    const read = (await page.readRasters({ interleave: true })) as unknown as ArrayLike<number>;
    expect(firstDifference(read, image.data)).toBeUndefined();
  });

  test('is read back exactly by libvips', async () => {
    const image = imageOf({ ...size, bands: 3, alpha: false, bitDepth: 16 });
    const raw = await sharp(await written(image))
      .toColourspace('rgb16')
      .raw({ depth: 'ushort' })
      .toBuffer();
    const read = new Uint16Array(raw.buffer, raw.byteOffset, raw.length / 2);
    expect(firstDifference(read, image.data)).toBeUndefined();
  });

  test.each(cases)(
    'of $bands bands, alpha $alpha, $bitDepth bits is a master that blocks can be cut from',
    async (kind) => {
      const bytes = await written(imageOf({ ...size, ...kind }));
      const { image } = await identifyBytes(bytes);
      expect(image).toMatchObject({ ...size, ...kind, format: 'tiff', orientation: 1 });
      expect(image.chunks).toEqual({ kind: 'tiles', width: 512, height: 512 });
    },
  );

  test('has the profile and the resolution of the image', async () => {
    const iccProfile = profileFor('RGB ');
    const resolution = { x: 118.11, y: 59, unit: 'centimetre' } as const;
    const image = imageOf({ width: 20, height: 10, bands: 3, alpha: false, bitDepth: 8, iccProfile, resolution });
    const { description } = await identifyBytes(await written(image));
    expect(description.resolution).toEqual({ x: [1_181_100, 10_000], y: [59, 1], unit: 3 });
    expect(description.iccProfile).toBe(Buffer.from(iccProfile).toString('base64'));
  });

  test('may have sides of more than 65,535 pixels', async () => {
    const image = imageOf({ width: 70_001, height: 3, bands: 1, alpha: false, bitDepth: 8 });
    const bytes = await written(image);
    const page = await (await fromArrayBuffer(Uint8Array.from(bytes).buffer)).getImage();
    const read = (await page.readRasters({ interleave: true })) as unknown as ArrayLike<number>;
    expect(firstDifference(read, image.data)).toBeUndefined();
  });
});

import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import sharp from 'sharp';
import { type Pipeline, startPipeline } from '../support/pipeline.ts';
import { picture, pictureOf } from '../support/pixels.ts';
import {
  type ApiVersion,
  crop,
  type IiifServer,
  meanDifference,
  pipelineOf,
  type Raster,
  rasterOf,
  serveIiif,
} from './iiif-server.ts';

const [width, height] = [1101, 799];
const rgb: Raster = { width, height, channels: 3, pixels: picture(width, height, 3) };
/** iiif-processor returns grey as three equal channels. */
const greyServed: Raster = { width, height, channels: 3, pixels: threefold(picture(width, height, 1)) };

let pipeline: Pipeline;
const servers = new Map<string, IiifServer>();
beforeAll(async () => {
  pipeline = await startPipeline();
  for (const recipe of ['archival', 'default', 'iiif']) {
    for (const channels of [1, 3] as const) {
      const master = await pictureOf(width, height, channels).png().toBuffer();
      const published = await pipeline.run(`${recipe}-${channels}.png`, master, { recipe });
      servers.set(`${recipe} ${channels === 1 ? 'grey' : 'RGB'}`, await serveIiif(pipeline.store, published));
    }
  }
});
afterAll(() => pipeline.stop());

function threefold(samples: Buffer): Buffer {
  const channels = Buffer.alloc(samples.length * 3);
  for (let at = 0; at < channels.length; at++) channels[at] = samples[(at / 3) | 0] ?? 0;
  return channels;
}

function serverOf(name: string): IiifServer {
  const server = servers.get(name);
  if (!server) throw new Error(`Expected a published ${name} but received none`);
  return server;
}

/**
 * Mean error of a grainy picture encoded as JPEG at quality 80 or more. The neighbouring tile
 * differs by about 30.
 */
const JPEG_TOLERANCE = 6;

const regions: [requested: string, region: readonly [number, number, number, number]][] = [
  ['full', [0, 0, 1101, 799]],
  ['square', [151, 0, 799, 799]],
  ['500,300,257,131', [500, 300, 257, 131]],
  ['1000,700,500,500', [1000, 700, 101, 99]],
  ['pct:10,20,30,40', [110, 159, 330, 319]],
];

describe.each<ApiVersion>([2, 3])('Image API %i', (version) => {
  describe.each(regions)('the region %s', (requested, region) => {
    test.each(['RGB', 'grey'])('of a lossless %s pyramid is the picture, pixel for pixel', async (kind) => {
      const served = await serverOf(`archival ${kind}`).raster(version, `${requested}/max/0/default.png`);
      expect(meanDifference(served, crop(kind === 'RGB' ? rgb : greyServed, region))).toBe(0);
    });

    test.each(['default RGB', 'default grey', 'iiif RGB', 'iiif grey'])(
      'of %s is close to the picture',
      async (name) => {
        const served = await serverOf(name).raster(version, `${requested}/max/0/default.png`);
        const original = name.endsWith('RGB') ? rgb : greyServed;
        expect(meanDifference(served, crop(original, region))).toBeLessThan(JPEG_TOLERANCE);
      },
    );
  });

  test.each([
    ['max', 1101, 799],
    ['367,', 367, 266],
    [',300', 413, 300],
    ['300,300', 300, 300],
    ['!400,400', 400, 290],
    ['pct:25', 275, 199],
    ['64,', 64, 46],
  ])('the size %s of an odd picture is %i × %i', async (size, wide, high) => {
    for (const server of servers.values()) {
      expect(await server.raster(version, `full/${size}/0/default.png`)).toMatchObject({ width: wide, height: high });
    }
  });

  test.each([
    ['90', 90],
    ['180', 180],
    ['270', 270],
  ])('the rotation %s rotates clockwise', async (rotation, degrees) => {
    const region = await serverOf('archival RGB').raster(version, `400,300,150,70/max/${rotation}/default.png`);
    const expected = await rasterOf(pipelineOf(crop(rgb, [400, 300, 150, 70])).rotate(degrees));
    expect(meanDifference(region, expected)).toBe(0);
  });

  test('the rotation !0 mirrors left and right', async () => {
    const region = await serverOf('archival RGB').raster(version, '400,300,150,70/max/!0/default.png');
    const original = crop(rgb, [400, 300, 150, 70]);
    const columns = Array.from({ length: 150 }, (_, x) => crop(original, [149 - x, 0, 1, 70]).pixels);
    for (let x = 0; x < 150; x++)
      expect(crop(region, [x, 0, 1, 70]).pixels.equals(columns[x] ?? Buffer.alloc(0))).toBe(true);
  });

  test('the quality gray is the lightness of the region', async () => {
    const served = await serverOf('archival RGB').raster(version, '400,300,150,70/max/0/gray.png');
    const lightness = await rasterOf(pipelineOf(crop(rgb, [400, 300, 150, 70])).toColourspace('b-w'));
    expect(lightness).toMatchObject({ width: 150, height: 70, channels: 1 });
    expect(meanDifference(served, { ...lightness, channels: 3, pixels: threefold(lightness.pixels) })).toBeLessThan(1);
  });

  test.each([
    ['jpg', 'jpeg', 'image/jpeg'],
    ['png', 'png', 'image/png'],
    ['webp', 'webp', 'image/webp'],
  ])('the format %s', async (extension, format, type) => {
    const image = await serverOf('default RGB').image(version, `400,300,600,400/max/0/default.${extension}`);
    expect(image.contentType).toBe(type);
    expect(await sharp(image.body).metadata()).toMatchObject({ format, width: 600, height: 400 });
    const served = await rasterOf(sharp(image.body));
    expect(meanDifference(served, crop(rgb, [400, 300, 600, 400]))).toBeLessThan(JPEG_TOLERANCE);
  });
});

test('a region from another place of the picture differs by far more than the tolerance', async () => {
  const served = await serverOf('iiif RGB').raster(3, '256,256,256,256/max/0/default.png');
  expect(meanDifference(served, crop(rgb, [512, 256, 256, 256]))).toBeGreaterThan(4 * JPEG_TOLERANCE);
});

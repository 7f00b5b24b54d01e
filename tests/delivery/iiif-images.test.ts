import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import sharp from 'sharp';
import { decodeLevels, type Level, pictureOf } from '../support/pixels.ts';
import { type PublishedPipeline, startPublishedPipeline } from '../support/published.ts';
import { moved, partOf, type Server, startServer } from './server.ts';

let pipeline: PublishedPipeline;
let server: Server;
let levels: Level[];
const [width, height] = [331, 205];
beforeAll(async () => {
  pipeline = await startPublishedPipeline();
  const master = await pictureOf(width, height).png().toBuffer();
  for (const recipe of ['jpeg', 'deflate', 'webp', 'rgb'] as const)
    await pipeline.run(`${recipe}.png`, master, { recipe });
  levels = await decodeLevels(await pipeline.store.read({ bucket: 'stepwell-published', key: 'deflate.tif' }));
  server = startServer(pipeline);
});
afterAll(() => pipeline.stop());

const level = (index: number): Level => {
  const found = levels[index];
  if (!found) throw new RangeError(`Expected level ${index}`);
  return found;
};

describe.each([3, 2])('Image API %i: a lossless picture as PNG', (version) => {
  const full = version === 3 ? 'max' : 'full';
  test.each<[string, () => Level]>([
    [`full/${full}/0/default`, () => level(0)],
    [`full/max/0/color`, () => level(0)],
    [`square/max/0/default`, () => partOf(level(0), 63, 0, 205, 205)],
    [`100,50,120,90/${full}/0/default`, () => partOf(level(0), 100, 50, 120, 90)],
    [`300,200,500,500/${full}/0/default`, () => partOf(level(0), 300, 200, 31, 5)],
    [`pct:50,50,25,25/${full}/0/default`, () => partOf(level(0), 166, 103, 82, 51)],
    [`128,64,128,128/64,/0/default`, () => partOf(level(1), 64, 32, 64, 64)],
    [`128,64,128,128/,64/0/default`, () => partOf(level(1), 64, 32, 64, 64)],
    [`128,64,128,128/64,64/0/default`, () => partOf(level(1), 64, 32, 64, 64)],
    [`128,64,128,128/!64,80/0/default`, () => partOf(level(1), 64, 32, 64, 64)],
    [`128,64,128,128/pct:50/0/default`, () => partOf(level(1), 64, 32, 64, 64)],
    [`full/165,102/0/default`, () => level(1)],
    [`full/166,103/0/default`, () => partOf(level(1), 0, 0, 166, 103)],
    [`0,0,1,1/max/0/default`, () => partOf(level(0), 0, 0, 1, 1)],
    [`330,204,1,1/max/0/default`, () => partOf(level(0), 330, 204, 1, 1)],
    [`100,50,120,90/max/90/default`, () => moved(partOf(level(0), 100, 50, 120, 90), [90, 120], (x, y) => [y, 89 - x])],
    [
      `100,50,120,90/max/180/default`,
      () => moved(partOf(level(0), 100, 50, 120, 90), [120, 90], (x, y) => [119 - x, 89 - y]),
    ],
    [
      `100,50,120,90/max/270/default`,
      () => moved(partOf(level(0), 100, 50, 120, 90), [90, 120], (x, y) => [119 - y, x]),
    ],
    [
      `100,50,120,90/max/!0/default`,
      () => moved(partOf(level(0), 100, 50, 120, 90), [120, 90], (x, y) => [119 - x, y]),
    ],
    // Mirrored first, then rotated.
    [
      `100,50,120,90/max/!90/default`,
      () => moved(partOf(level(0), 100, 50, 120, 90), [90, 120], (x, y) => [119 - y, 89 - x]),
    ],
    [`100,50,120,90/max/360/default`, () => partOf(level(0), 100, 50, 120, 90)],
  ])('%s has exactly the expected pixels', async (request, expected) => {
    const served = await server.picture(`/iiif/${version}/deflate/${request}.png`);
    const { width: wide, height: high, pixels } = expected();
    expect([served.width, served.height]).toEqual([wide, high]);
    expect(served.pixels.equals(pixels)).toBe(true);
  });
});

test('a picture that no level has is resized as sharp resizes the smallest level that suffices', async () => {
  const { pixels, width: wide, height: high } = level(1);
  const expected = await sharp(pixels, { raw: { width: wide, height: high, channels: 3 } })
    .resize(150, 93, { fit: 'fill' })
    .raw()
    .toBuffer();
  const served = await server.picture('/iiif/3/deflate/full/150,/0/default.png');
  expect([served.width, served.height]).toEqual([150, 93]);
  expect(served.pixels.equals(expected)).toBe(true);
});

test('only version 3 has ^, which enlarges; version 2 enlarges without it', async () => {
  const sizeOf = async (path: string) => {
    const served = await server.picture(path);
    return [served.width, served.height];
  };
  expect(await sizeOf('/iiif/3/deflate/full/^400,/0/default.png')).toEqual([400, 248]);
  expect(await sizeOf('/iiif/3/deflate/0,0,10,10/^pct:300/0/default.png')).toEqual([30, 30]);
  expect(await sizeOf('/iiif/3/deflate/0,0,10,10/^!40,20/0/default.png')).toEqual([20, 20]);
  expect(await sizeOf('/iiif/3/deflate/0,0,10,10/!15,19/0/default.png')).toEqual([10, 10]);
  expect(await sizeOf('/iiif/2/deflate/full/400,/0/default.png')).toEqual([400, 248]);
  expect(await sizeOf('/iiif/2/deflate/0,0,10,10/!40,40/0/default.png')).toEqual([10, 10]);
  for (const size of ['400,', ',206', '400,206', 'pct:101', '!700,500', 'full']) {
    expect((await server.ask(`/iiif/3/deflate/full/${size}/0/default.png`)).status).toBe(400);
  }
  expect((await server.ask('/iiif/2/deflate/full/^400,/0/default.png')).status).toBe(400);
});

test('gray has one band of luma, bitonal has black and white', async () => {
  const grey = await server.picture('/iiif/3/deflate/full/max/0/gray.png');
  const expected = await sharp(level(0).pixels, { raw: { width, height, channels: 3 } })
    .grayscale()
    .raw()
    .toBuffer();
  expect(grey.channels).toBe(1);
  expect(grey.pixels.equals(expected)).toBe(true);
  const bitonal = await server.picture('/iiif/3/deflate/full/max/0/bitonal.png');
  expect(bitonal.pixels.equals(expected.map((sample) => (sample >= 128 ? 255 : 0)))).toBe(true);
});

test.each([
  ['jpg', 'image/jpeg', /^\xff\xd8/u],
  ['png', 'image/png', /^\x89PNG/u],
  ['webp', 'image/webp', /^RIFF....WEBP/su],
  ['gif', 'image/gif', /^GIF89a\x46\0\x32\0/u],
  ['tif', 'image/tiff', /^II\x2a\0/u],
  ['avif', 'image/avif', /^....ftypavif/su],
])('%s is %s, for colour and for grey', async (format, type, start) => {
  for (const quality of ['default', 'gray']) {
    const answer = await server.ask(`/iiif/3/jpeg/10,10,70,50/max/0/${quality}.${format}`);
    expect([answer.status, answer.headers.get('content-type')]).toEqual([200, type]);
    const bytes = Buffer.from(await answer.arrayBuffer());
    expect(bytes.toString('latin1')).toMatch(start);
    // The processes of the tests read no GIF and no AVIF.
    if (format === 'gif' || format === 'avif') continue;
    const { width: wide, height: high } = await sharp(bytes).metadata();
    expect([wide, high]).toEqual([70, 50]);
  }
});

test('a rotation by other degrees has a larger box, transparent where the format can be and white in JPEG', async () => {
  const png = await server.picture('/iiif/3/deflate/100,50,100,60/max/30/default.png');
  expect([png.width, png.height, png.channels]).toEqual([117, 102, 4]);
  expect(png.pixels[3]).toBe(0);
  const jpeg = await server.picture('/iiif/3/deflate/100,50,100,60/max/30/default.jpg');
  expect([jpeg.width, jpeg.height, jpeg.channels]).toEqual([117, 102, 3]);
  expect([...jpeg.pixels.subarray(0, 3)].every((sample) => sample > 250)).toBe(true);
});

describe('pictures of 16 bits, of grey and with a profile of their own', () => {
  test('have 8 bits as PNG and keep 16 as TIFF', async () => {
    await pipeline.run('deep.png', await pictureOf(100, 90, 1).toColourspace('grey16').png().toBuffer(), {
      recipe: 'deflate',
    });
    const depthOf = async (format: string) => {
      const answer = await server.ask(`/iiif/3/deep/full/max/0/default.${format}`);
      const { depth, channels } = await sharp(new Uint8Array(await answer.arrayBuffer())).metadata();
      return [depth, channels];
    };
    expect(await depthOf('png')).toEqual(['uchar', 1]);
    expect(await depthOf('jpg')).toEqual(['uchar', 1]);
    expect(await depthOf('tif')).toEqual(['ushort', 1]);
  });
});

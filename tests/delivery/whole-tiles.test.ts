import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import sharp, { type Sharp } from 'sharp';
import { openPublished } from '../../src/published/open-published.ts';
import { decodeLevels, pictureOf } from '../support/pixels.ts';
import { type PublishedPipeline, type PublishedRecipe, startPublishedPipeline } from '../support/published.ts';
import { decoded, partOf, type Server, startServer } from './server.ts';

let pipeline: PublishedPipeline;
let server: Server;
const at = (key: string) => ({ bucket: 'stepwell-published', key });
beforeAll(async () => {
  pipeline = await startPublishedPipeline(undefined, { colour: 'keep' });
  const run = async (recipe: PublishedRecipe, name: string, master: Sharp) =>
    pipeline.run(`${name}.png`, await master.png().toBuffer(), { recipe });
  await run('jpeg', 'ycc', pictureOf(331, 205));
  await run('jpeg', 'grey', pictureOf(331, 205, 1));
  await run('rgb', 'rgb', pictureOf(331, 205));
  await run('webp', 'webp', pictureOf(331, 205));
  await run('jpeg', 'p3', pictureOf(331, 205).withIccProfile('p3'));
});
beforeEach(() => {
  server = startServer(pipeline);
  pipeline.takeReads();
});
afterAll(() => pipeline.stop());

describe.each([
  ['ycc', 'jpg'],
  ['grey', 'jpg'],
  ['rgb', 'jpg'],
  ['webp', 'webp'],
  ['p3', 'jpg'],
])('a whole tile of %s as %s', (name, format) => {
  test.each([
    ['64,64,64,64/max', 0, 1, 1],
    ['64,64,64,64/64,64', 0, 1, 1],
    ['64,64,64,64/64,', 0, 1, 1],
    ['128,0,128,128/64,64', 1, 1, 0],
  ])('%s is the tile of the file, byte for byte and sample for sample', async (request, index, column, row) => {
    const answer = await server.ask(`/iiif/3/${name}/${request}/0/default.${format}`);
    const bytes = Buffer.from(await answer.arrayBuffer());
    const file = await pipeline.store.read(at(`${name}.tif`));
    const { header } = await openPublished(pipeline.store, at(`${name}.tif`));
    const level = header.levels[index];
    const tile = row * (level?.tilesAcross ?? 0) + column;
    const offset = level?.tileOffset(tile) ?? 0;
    const length = level?.tileBytes(tile) ?? 0;
    // A JPEG without its SOI marker, which stands before the tables.
    const own = Buffer.from(file.subarray(offset + (format === 'jpg' ? 2 : 0), offset + length));
    expect(bytes.subarray(-own.length).equals(own)).toBe(true);
    const [levels, served] = [await decodeLevels(file), await decoded(bytes)];
    const expected = levels[index];
    if (!expected) throw new RangeError('Expected a level');
    expect(served.channels).toBe(expected.channels);
    expect(served.pixels.equals(partOf(expected, column * 64, row * 64, 64, 64).pixels)).toBe(true);
  });
});

test('the colour space is stated: JFIF for YCbCr and grey, Adobe’s marker for RGB, and a profile other than sRGB', async () => {
  const tileOf = async (name: string) => {
    const answer = await server.ask(`/iiif/3/${name}/64,64,64,64/max/0/default.jpg`);
    return Buffer.from(await answer.arrayBuffer());
  };
  const [ycc, grey, rgb, p3] = [await tileOf('ycc'), await tileOf('grey'), await tileOf('rgb'), await tileOf('p3')];
  for (const jfif of [ycc, grey]) expect(jfif.subarray(2, 11).toString('latin1')).toBe('\xff\xe0\0\x10JFIF\0');
  expect(rgb.subarray(2, 11).toString('latin1')).toBe('\xff\xee\0\x0eAdobe');
  expect(rgb[17]).toBe(0);
  const profile = (await sharp(p3).metadata()).icc;
  const own = (await sharp(await pipeline.store.read(at('p3.tif'))).metadata()).icc;
  expect(profile?.length).toBeGreaterThan(0);
  expect(own && profile?.equals(own)).toBe(true);
  expect((await sharp(ycc).metadata()).icc).toBeUndefined();
});

test('decoded pictures keep a profile other than sRGB’s too, so that tiles match each other', async () => {
  const own = (await sharp(await pipeline.store.read(at('p3.tif'))).metadata()).icc;
  for (const request of [
    '10,10,64,64/max/0/default.jpg',
    '10,10,64,64/max/45/default.png',
    'full/100,/0/default.webp',
  ]) {
    const answer = await server.ask(`/iiif/3/p3/${request}`);
    const { icc } = await sharp(new Uint8Array(await answer.arrayBuffer())).metadata();
    expect([request, own && icc?.equals(own)]).toEqual([request, true]);
  }
});

test('takes two reads for the first tile and one for each further, of no more bytes than the tile', async () => {
  await server.ask('/iiif/3/ycc/64,64,64,64/max/0/default.jpg');
  expect(pipeline.takeReads()).toHaveLength(2);
  const answer = await server.ask('/iiif/3/ycc/128,64,64,64/64,64/0/default.jpg');
  const { header } = await openPublished(pipeline.store, at('ycc.tif'));
  const length = header.levels[0].tileBytes(8);
  const [read, ...others] = pipeline.takeReads();
  expect(read).toMatchObject({ length, ifMatch: header.info.etag });
  expect(others.filter(({ method }) => method === 'read')).toEqual([]);
  expect((await answer.arrayBuffer()).byteLength).toBeLessThan(length + 800);
});

test.each([
  ['an edge tile, which is padded', '320,192,11,13/max/0/default.jpg'],
  ['another rotation', '64,64,64,64/max/90/default.jpg'],
  ['a mirrored tile', '64,64,64,64/max/!0/default.jpg'],
  ['another quality', '64,64,64,64/max/0/gray.jpg'],
  ['another format', '64,64,64,64/max/0/default.png'],
  ['another place', '65,64,64,64/max/0/default.jpg'],
])('%s is made from the tiles', async (_, request) => {
  const { header } = await openPublished(pipeline.store, at('ycc.tif'));
  const answer = await server.ask(`/iiif/3/ycc/${request}`);
  const bytes = Buffer.from(await answer.arrayBuffer());
  const file = await pipeline.store.read(at('ycc.tif'));
  const offset = header.levels[0].tileOffset(7);
  expect(bytes.includes(Buffer.from(file.subarray(offset + 2, offset + header.levels[0].tileBytes(7))))).toBe(false);
});

/** What OpenSeadragon 6 computes in getTileUrl, with the sizes of info.json and without them. */
function requestsOfViewer(
  version: 2 | 3,
  full: readonly [number, number],
  tile: number,
  sizes?: readonly (readonly number[])[],
) {
  return Array.from({ length: 4 }, (_, index) => 2 ** index).flatMap((factor, index) => {
    const [wide = 0, high = 0] = sizes?.[index] ?? full.map((side) => Math.ceil(side / factor));
    if (wide < tile && high < tile) return [`full/${version === 3 ? `${wide},${high}` : `${wide},`}`];
    const side = tile * factor;
    return Array.from({ length: Math.ceil(high / tile) * Math.ceil(wide / tile) }, (_unused, number) => {
      const [x, y] = [number % Math.ceil(wide / tile), Math.floor(number / Math.ceil(wide / tile))];
      const region = [x * side, y * side, Math.min(side, full[0] - x * side), Math.min(side, full[1] - y * side)];
      const size = [Math.min(tile, wide - x * tile), Math.min(tile, high - y * tile)];
      return `${region.join(',')}/${version === 3 ? size.join(',') : `${size[0]},`}`;
    });
  });
}

describe.each([3, 2] as const)('Image API %i: every tile that OpenSeadragon asks for', (version) => {
  test.each([
    ['rounded up', undefined],
    [
      'as info.json lists the sizes',
      [
        [331, 205],
        [165, 102],
        [82, 51],
        [41, 25],
      ],
    ],
  ])('is there, and is its part of its level, %s', async (_, sizes) => {
    await pipeline.run('lossless.png', await pictureOf(331, 205).png().toBuffer(), { recipe: 'deflate' });
    const levels = await decodeLevels(await pipeline.store.read(at('lossless.tif')));
    for (const request of requestsOfViewer(version, [331, 205], 64, sizes)) {
      const served = await server.picture(`/iiif/${version}/lossless/${request}/0/default.png`);
      const [region = '', size = ''] = request.split('/');
      const [left, top, width] = region === 'full' ? [0, 0, 331] : region.split(',').map(Number);
      const [wide = 0, high = served.height] = size.split(',').filter(Boolean).map(Number);
      const index = Math.round(Math.log2((width ?? 0) / wide));
      const level = levels[index];
      if (!level) throw new RangeError(`Expected level ${index} for ${request}`);
      const expected = partOf(level, (left ?? 0) / 2 ** index, (top ?? 0) / 2 ** index, wide, high);
      expect([request, served.width, served.height]).toEqual([request, wide, high]);
      expect([request, served.pixels.equals(expected.pixels)]).toEqual([request, true]);
    }
  });
});

test('an image that is replaced between two requests, or within one, is never mixed', async () => {
  const versions = await Promise.all(
    [5, 6].map(async (seed) => {
      const published = await pipeline.run(
        `v${seed}.png`,
        await pictureOf(331, 205, 3, seed * 999)
          .png()
          .toBuffer(),
      );
      return pipeline.store.read(published);
    }),
  );
  const [one, other] = versions;
  if (!one || !other) throw new RangeError('Expected two versions');
  const expected = await Promise.all(
    versions.map(
      async (file) =>
        partOf((await decodeLevels(file))[0] as Awaited<ReturnType<typeof decoded>>, 64, 64, 64, 64).pixels,
    ),
  );
  await pipeline.store.write(at('changing.tif'), one);
  const etags = new Set<string | null>();
  for (let turn = 0; turn < 10; turn++) {
    await pipeline.store.write(at('changing.tif'), turn % 2 === 0 ? other : one);
    const answer = await server.ask('/iiif/3/changing/64,64,64,64/max/0/default.jpg');
    const { pixels } = await decoded(new Uint8Array(await answer.arrayBuffer()));
    expect(pixels.equals(expected[turn % 2 === 0 ? 1 : 0] as Buffer)).toBe(true);
    etags.add(answer.headers.get('etag'));
  }
  expect(etags.size).toBe(2 * 5);
});

import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { fromArrayBuffer } from 'geotiff';
import sharp from 'sharp';
import { edges } from '../../src/pyramid/blocks.ts';
import { type Pipeline, startPipeline } from '../support/pipeline.ts';
import { picture, pictureOf } from '../support/pixels.ts';

let pipeline: Pipeline;
beforeAll(async () => {
  pipeline = await startPipeline();
});
afterAll(() => pipeline.stop());

const cut = (width: number, height: number) => ({
  splitLevel: 1,
  blocks: { columns: edges(width, 1024), rows: edges(height, 1024) },
});

async function openPublished(key: string, master: Uint8Array, recipe: string, size: [number, number]) {
  const published = await pipeline.run(key, master, { recipe, cut: cut(...size) });
  const bytes = await pipeline.store.read(published);
  return { published, bytes, tiff: await fromArrayBuffer(Uint8Array.from(bytes).buffer) };
}

test('geotiff reads every level of a lossless pyramid, pixel for pixel', async () => {
  const size = [2100, 1500] as const;
  const master = await pictureOf(...size, 3)
    .png()
    .toBuffer();
  const { tiff, published } = await openPublished('deflate.png', master, 'archival', [...size]);
  expect(await tiff.getImageCount()).toBe(4);
  expect(published).toMatchObject({ width: 2100, height: 1500, levels: 4, tileSize: 512 });
  const full = await tiff.getImage(0);
  const pixels = (await full.readRasters({ interleave: true })) as Uint8Array;
  expect(Buffer.from(pixels).equals(picture(...size, 3))).toBe(true);
  for (const [index, [width, height]] of [
    [2100, 1500],
    [1050, 750],
    [525, 375],
    [262, 187],
  ].entries()) {
    const image = await tiff.getImage(index);
    expect([image.getWidth(), image.getHeight(), image.getTileWidth(), image.isTiled]).toEqual([
      width,
      height,
      512,
      true,
    ]);
    const level = await image.readRasters({ interleave: true });
    expect(level.length).toBe((width ?? 0) * (height ?? 0) * 3);
  }
});

test('geotiff reads every level of a JPEG pyramid, close to the master', async () => {
  const size = [1500, 1300] as const;
  const { tiff } = await openPublished(
    'jpeg.png',
    await pictureOf(...size, 3)
      .png()
      .toBuffer(),
    'default',
    [...size],
  );
  const image = await tiff.getImage(0);
  const pixels = (await image.readRGB({ interleave: true })) as Uint8Array;
  const original = picture(...size, 3);
  let sum = 0;
  for (let i = 0; i < original.length; i++) sum += Math.abs((pixels[i] ?? 0) - (original[i] ?? 0));
  // JPEG removes grain first; a wrong tile or colour model would differ by dozens.
  expect(sum / original.length).toBeLessThan(6);
  expect(await tiff.getImageCount()).toBe(3);
});

test('the file has the layout that readers of Cloud Optimized GeoTIFF expect', async () => {
  const { bytes, tiff } = await openPublished(
    'layout.png',
    await pictureOf(2100, 1500, 3).png().toBuffer(),
    'iiif',
    [2100, 1500],
  );
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  expect([view.getUint16(0, true), view.getUint16(2, true)]).toEqual([0x4949, 42]);
  expect(view.getUint32(4, true)).toBeLessThan(300);
  const firstTiles: number[] = [];
  for (let index = 0; index < (await tiff.getImageCount()); index++) {
    const image = await tiff.getImage(index);
    const offsets = (await image.fileDirectory.loadValue('TileOffsets')) as ArrayLike<number>;
    firstTiles.push(Math.min(...Array.from(offsets)));
    expect(image.fileDirectory.getValue('NewSubfileType')).toBe(index === 0 ? 0 : 1);
  }
  expect(firstTiles).toEqual([...firstTiles].sort((a, b) => b - a));
});

test('resolution and profile of the master are copied, its orientation is applied to the pixels', async () => {
  const master = await pictureOf(700, 600)
    .jpeg()
    .withMetadata({ density: 300, orientation: 6 })
    .withIccProfile('p3')
    .toBuffer();
  const { icc } = await sharp(master).metadata();
  const { bytes, tiff } = await openPublished('described.jpg', master, 'archival', [600, 700]);
  const published = await sharp(bytes).metadata();
  expect(icc?.length).toBeGreaterThan(300);
  expect(icc && published.icc?.equals(icc)).toBe(true);
  expect([published.orientation, published.density, published.resolutionUnit]).toEqual([1, 300, 'inch']);
  const image = await tiff.getImage(0);
  expect([image.getWidth(), image.getHeight()]).toEqual([600, 700]);
});

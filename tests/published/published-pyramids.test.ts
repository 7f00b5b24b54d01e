import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { MalformedTiffError, ObjectNotFoundError, ServiceUnavailableError } from '../../src/errors.ts';
import { openPublished } from '../../src/published/open-published.ts';
import { PublishedPyramids } from '../../src/published/published-pyramids.ts';
import { pictureOf } from '../support/pixels.ts';
import { type PublishedPipeline, startPublishedPipeline } from '../support/published.ts';

let pipeline: PublishedPipeline;
let first: Uint8Array;
let second: Uint8Array;
const ref = { bucket: 'stepwell-published', key: 'image.tif' };
beforeAll(async () => {
  pipeline = await startPublishedPipeline();
  const tiffOf = async (seed: number) => {
    const master = await pictureOf(300 + seed, 200, 3, seed).png().toBuffer();
    return pipeline.store.read(await pipeline.run(`${seed}.png`, master));
  };
  [first, second] = [await tiffOf(1), await tiffOf(2)];
});
beforeEach(async () => {
  await pipeline.store.write(ref, first);
  pipeline.takeReads();
});
afterAll(() => pipeline.stop());

describe('opening a published pyramid', () => {
  test('takes one read', async () => {
    const image = await openPublished(pipeline.store, ref);
    expect([image.width, image.height, image.samples, image.bitDepth]).toEqual([301, 200, 3, 8]);
    expect(pipeline.takeReads()).toHaveLength(1);
  });

  test('takes a second read when the directories are longer than the first, and no third', async () => {
    const image = await openPublished(pipeline.store, ref, { firstRead: 1_024 });
    expect(image.header.levels.map(({ width }) => width)).toEqual([301, 150, 75, 37]);
    const [start, rest, ...others] = pipeline.takeReads();
    expect([start?.offset, start?.length, rest?.offset]).toEqual([0, 1_024, 1_024]);
    expect(rest?.ifMatch).toBe(image.etag);
    expect(others).toEqual([]);
  });

  test.each([
    ['text', Buffer.from('no TIFF at all')],
    ['nothing', Buffer.alloc(0)],
    ['a TIFF of strips', async () => pictureOf(100, 100).tiff().toBuffer()],
    ['a tiled TIFF without levels', async () => pictureOf(100, 100).tiff({ tile: true, tileWidth: 64, tileHeight: 64 }).toBuffer()],
    ['a pyramid that was cut short', () => first.subarray(0, 600)],
  ] as const)('is refused for %s', async (_, content) => {
    await pipeline.store.write(ref, typeof content === 'function' ? await content() : content);
    await expect(openPublished(pipeline.store, ref)).rejects.toThrow(MalformedTiffError);
  });
});

describe('the cache of directories', () => {
  const etagOf = (images: PublishedPyramids) => images.use(ref, (image) => Promise.resolve(image.etag));

  test('opens an image once, also for callers at the same time', async () => {
    const images = new PublishedPyramids(pipeline.store);
    await Promise.all([etagOf(images), etagOf(images), etagOf(images)]);
    await etagOf(images);
    expect(pipeline.takeReads()).toHaveLength(1);
  });

  test('keeps the images used last within its memory', async () => {
    const { header } = await openPublished(pipeline.store, ref);
    const other = { ...ref, key: '1.tif' };
    const images = new PublishedPyramids(pipeline.store, { cacheBytes: header.memory + 1 });
    await etagOf(images);
    await images.use(other, () => Promise.resolve());
    pipeline.takeReads();
    await images.use(other, () => Promise.resolve());
    expect(pipeline.takeReads()).toEqual([]);
    await etagOf(images);
    expect(pipeline.takeReads()).toHaveLength(1);
  });

  test('calls the work again with the new version when the image is replaced between two reads', async () => {
    const images = new PublishedPyramids(pipeline.store);
    const widths: number[] = [];
    const tile = await images.use(ref, async (image) => {
      widths.push(image.width);
      if (widths.length === 1) await pipeline.store.write(ref, second);
      const [level] = image.header.levels;
      const bytes = new Uint8Array(image.tileBytes({ level, column: 0, row: 0 }));
      await image.readTile({ level, column: 0, row: 0 }, bytes);
      return bytes;
    });
    expect(widths).toEqual([301, 302]);
    const { header } = await openPublished(pipeline.store, ref);
    const offset = header.levels[0].tileOffset(0);
    expect(Buffer.from(tile).equals(second.subarray(offset, offset + tile.length))).toBe(true);
  });

  test('gives up with ServiceUnavailableError when the image is replaced again and again', async () => {
    const images = new PublishedPyramids(pipeline.store);
    const work = images.use(ref, async (image) => {
      await pipeline.store.write(ref, image.width === 301 ? second : first);
      const [level] = image.header.levels;
      await image.readTile({ level, column: 0, row: 0 }, new Uint8Array(10));
    });
    await expect(work).rejects.toThrow(ServiceUnavailableError);
  });

  test('asks the store for the current version only where no tile is read, and not again within its time', async () => {
    let now = 0;
    const images = new PublishedPyramids(pipeline.store, { freshMs: 1_000, now: () => now });
    const current = () => images.use(ref, (image) => Promise.resolve(image.width), { current: true });
    expect(await current()).toBe(301);
    await pipeline.store.write(ref, second);
    expect(await current()).toBe(301);
    now = 1_001;
    expect(await current()).toBe(302);
  });

  test('forgets an image that was removed, and opens it again when it is back', async () => {
    let now = 0;
    const images = new PublishedPyramids(pipeline.store, { freshMs: 0, now: () => (now += 1) });
    const current = () => images.use(ref, (image) => Promise.resolve(image.width), { current: true });
    expect(await current()).toBe(301);
    await pipeline.store.remove(ref);
    await expect(current()).rejects.toThrow(ObjectNotFoundError);
    await expect(etagOf(images)).rejects.toThrow(ObjectNotFoundError);
    await pipeline.store.write(ref, first);
    expect(await current()).toBe(301);
  });
});

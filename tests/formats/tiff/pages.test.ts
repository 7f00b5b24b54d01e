import { describe, expect, test } from '@jest/globals';
import { identifyBytes, decodeMaster } from '../../support/decode-master.ts';
import { type HandField, long, short } from '../../support/tiff-bytes.ts';
import { type GreyPage, tiffOfPages } from '../../support/tiff-pages.ts';

const large: GreyPage = { width: 90, height: 61 };
const thumbnail: GreyPage = { width: 16, height: 11, seed: 2 };
const flagged = (...fields: HandField[]): GreyPage => ({ width: 20, height: 20, seed: 2, fields });

describe('the picture of a TIFF', () => {
  test.each<[string, GreyPage[]]>([
    ['a thumbnail without a flag before it', [thumbnail, large]],
    ['a thumbnail without a flag behind it', [large, thumbnail]],
    ['several thumbnails without a flag', [thumbnail, { width: 32, height: 22 }, large]],
    ['half its size before it', [{ width: 45, height: 30 }, large]],
    ['a preview that states to be reduced before it', [flagged(long(254, 1)), large]],
    ['a preview with the former SubfileType before it', [flagged(short(255, 2)), large]],
    ['a mask before it', [flagged(long(254, 4)), large]],
  ])('is the largest page beside %s', async (_, pages) => {
    const alone = await decodeMaster(tiffOfPages([large]));
    for (const bigTiff of [false, true]) {
      const decoded = await decodeMaster(tiffOfPages(pages, { bigTiff }));
      expect(decoded).toMatchObject({ width: 90, height: 61 });
      expect(decoded.samples).toEqual(alone.samples);
    }
  });

  test.each<[string, GreyPage]>([
    ['has other proportions', { width: 30, height: 30 }],
    ['has more than half of its size', { width: 60, height: 41 }],
    ['has a page number', { ...thumbnail, fields: [short(297, 1, 2)] }],
    ['states to be a page', { ...thumbnail, fields: [long(254, 2)] }],
    ['states to be a page by the former SubfileType', { ...thumbnail, fields: [short(255, 3)] }],
  ])('is not chosen where a smaller page %s', async (_, other) => {
    const tiff = tiffOfPages([large, other]);
    await expect(identifyBytes(tiff)).rejects.toThrow('MULTI_PAGE: 2 pages, and page 2 is a picture of its own');
  });

  test('is not chosen where two pages have the size of a thumbnail', async () => {
    const tiff = tiffOfPages([
      { width: 10, height: 10 },
      { width: 10, height: 10 },
      { width: 20, height: 20 },
    ]);
    await expect(identifyBytes(tiff)).rejects.toThrow('MULTI_PAGE: 3 pages, and page 2 is a picture of its own');
  });

  test('is the first page of several where the recipe says so', async () => {
    const first = { width: 40, height: 30, seed: 3 };
    const alone = await decodeMaster(tiffOfPages([first]));
    const tiff = tiffOfPages([flagged(long(254, 1)), first, { width: 50, height: 30 }]);
    const { image } = await identifyBytes(tiff, { pages: 'first' });
    expect(image).toMatchObject({ width: 40, height: 30 });
    expect((await decodeMaster(tiff, { pages: 'first' })).samples).toEqual(alone.samples);
    await expect(identifyBytes(tiff)).rejects.toThrow('MULTI_PAGE: 3 pages, and page 2 is a picture of its own');
  });

  test('is refused where the others lie past the end of the file', async () => {
    const tiff = tiffOfPages([thumbnail, large]);
    await expect(identifyBytes(tiff.subarray(0, tiff.length - 40))).rejects.toThrow(/^TRUNCATED: /u);
  });
});

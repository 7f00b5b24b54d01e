import { describe, expect, test } from '@jest/globals';
import { thumbnailGeometry } from '../../../src/outputs/thumbnails/geometry.ts';
import { parseThumbnailSize } from '../../../src/recipe/thumbnail-sizes.ts';

function thumbnail(text: string, width: number, height: number): [number, number, number, number, number, number] {
  const size = parseThumbnailSize(text);
  if (!size) throw new Error(`${text} is no size`);
  const { region, ...made } = thumbnailGeometry(size, { width, height });
  return [made.width, made.height, region.left, region.top, region.width, region.height];
}

describe('sizes of thumbnails', () => {
  test.each([
    ['250,', '250x', { how: 'fit', width: 250 }],
    ['250x', '250x', { how: 'fit', width: 250 }],
    ['250xauto', '250x', { how: 'fit', width: 250 }],
    [',250', 'x250', { how: 'fit', height: 250 }],
    ['autox250', 'x250', { how: 'fit', height: 250 }],
    ['!400,300', 'fit400x300', { how: 'fit', width: 400, height: 300 }],
    ['fit400x300', 'fit400x300', { how: 'fit', width: 400, height: 300 }],
    ['400x200', '400x200', { how: 'fill', width: 400, height: 200 }],
    ['5000x5000', '5000x5000', { how: 'fill', width: 5000, height: 5000 }],
    ['auto', 'auto', { how: 'fit', width: 400, height: 400 }],
  ])('%s has the name %s', (text, name, expected) => {
    expect(parseThumbnailSize(text)).toEqual({ width: undefined, height: undefined, ...expected, name });
  });

  test.each([
    '',
    ',',
    'x',
    '0,',
    '!0,5',
    '5001,',
    '5001x10',
    '10x99999',
    '1.5,',
    '-5,',
    '400,200',
    '!400',
    'max',
    '4 ,',
  ])('refuses %j', (text) => {
    expect(parseThumbnailSize(text)).toBeUndefined();
  });

  test('a thumbnail has exactly the stated side, and the other one in proportion', () => {
    expect(thumbnail('250,', 3000, 2000)).toEqual([250, 167, 0, 0, 3000, 2000]);
    expect(thumbnail(',250', 3000, 2000)).toEqual([375, 250, 0, 0, 3000, 2000]);
    expect(thumbnail('!400,400', 2000, 3000)).toEqual([267, 400, 0, 0, 2000, 3000]);
    expect(thumbnail('!400,100', 2000, 3000)).toEqual([67, 100, 0, 0, 2000, 3000]);
    expect(thumbnail('auto', 10_000, 3)).toEqual([400, 1, 0, 0, 10_000, 3]);
  });

  test('a frame is filled with the middle of the image', () => {
    expect(thumbnail('400x200', 3000, 2000)).toEqual([400, 200, 0, 250, 3000, 1500]);
    expect(thumbnail('400x200', 3000, 1001)).toEqual([400, 200, 499, 0, 2002, 1001]);
    expect(thumbnail('100x100', 101, 5000)).toEqual([100, 100, 0, 2449, 101, 101]);
  });

  test('small images are not enlarged, and frames keep their proportions', () => {
    expect(thumbnail('250,', 100, 80)).toEqual([100, 80, 0, 0, 100, 80]);
    expect(thumbnail('!400,400', 3, 1)).toEqual([3, 1, 0, 0, 3, 1]);
    expect(thumbnail('400x200', 100, 100)).toEqual([100, 50, 0, 25, 100, 50]);
    expect(thumbnail('400x200', 1, 1)).toEqual([1, 1, 0, 0, 1, 1]);
  });
});

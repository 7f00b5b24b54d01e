import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { isStorableKey, publishedKey } from '../../src/work/published-key.ts';
import { hostileKeys } from '../support/hostile-keys.ts';

describe('the public key is the key of the master with the extension .tif', () => {
  test.each([
    ['photo.jpg', 'photo.tif'],
    ['photo.TIFF', 'photo.tif'],
    ['photo.tif', 'photo.tif'],
    ['photo', 'photo.tif'],
    ['photo.tar.gz', 'photo.tar.tif'],
    ['photo.', 'photo.tif'],
    ['photo..jpg', 'photo..tif'],
    ['a.b/photo', 'a.b/photo.tif'],
    ['a.b/photo.png', 'a.b/photo.tif'],
    ['.hidden', '.hidden.tif'],
    ['a/.hidden', 'a/.hidden.tif'],
    ['.hidden.jpg', '.hidden.tif'],
    ['trailing/', 'trailing/.tif'],
    ['//two leading', '//two leading.tif'],
    ['with space.jpg', 'with space.tif'],
    ['percent%2Ejpg', 'percent%2Ejpg.tif'],
    ['line\nfeed.jpg', 'line\nfeed.tif'],
    ['line.jpg\nfeed', 'line.tif'],
    ['emoji-\u{1f5fa}\ufe0f.tif', 'emoji-\u{1f5fa}\ufe0f.tif'],
    ['cafe\u0301.jpe\u0301g', 'cafe\u0301.tif'],
    ['constructor', 'constructor.tif'],
  ])('of %j is %j', (key, published) => {
    expect(publishedKey({ key })).toBe(published);
  });

  test.each([
    ['books/atlas.pdf', 1, 'books/atlas-0001.tif'],
    ['a.b/fax', 20, 'a.b/fax-0020.tif'],
    ['.hidden', 999, '.hidden-0999.tif'],
    ['atlas.tiff', 1_000, 'atlas-1000.tif'],
  ])('of a page of %j is numbered: page %i', (key, number, published) => {
    expect(publishedKey({ key, page: { number, count: 1_000 } })).toBe(published);
  });

  test('ends in .tif and is in the same folder for any key', () => {
    const folderOf = (key: string): string => key.slice(0, key.lastIndexOf('/') + 1);
    const key = fc.oneof(fc.constantFrom(...hostileKeys), fc.string({ unit: 'grapheme', minLength: 1 }));
    fc.assert(
      fc.property(key, (source) => {
        const published = publishedKey({ key: source });
        expect(published.endsWith('.tif')).toBe(true);
        expect(folderOf(published)).toBe(folderOf(source));
        expect(source.startsWith(published.slice(0, -'.tif'.length))).toBe(true);
      }),
    );
  });
});

describe('the length of a key', () => {
  test.each([
    ['a'.repeat(1024), true],
    ['a'.repeat(1025), false],
    ['\u00e9'.repeat(512), true],
    [`${'\u00e9'.repeat(512)}a`, false],
    ['\u{1f5fa}'.repeat(256), true],
    [`${'\u{1f5fa}'.repeat(256)}a`, false],
  ])('is counted in bytes of UTF-8 (case %#)', (key, storable) => {
    expect(isStorableKey(key)).toBe(storable);
  });
});

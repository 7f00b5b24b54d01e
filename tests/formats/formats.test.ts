import { describe, expect, test } from '@jest/globals';
import { formatOfMagic } from '../../src/formats/converted.ts';

const bytesOf = (text: string): Uint8Array => Uint8Array.from(text, (character) => character.charCodeAt(0));

describe('what the first bytes announce', () => {
  test.each([
    ['jp2', '\0\0\0\x0cjP  \r\n\x87\n\0\0\0\x14ftypjp2 '],
    ['jp2', '\0\0\0\x0cjP  \r\n\x87\n\0\0\0\x14ftypjpx '],
    ['jp2', '\xff\x4f\xff\x51\0\x2f'],
    ['pdf', '%PDF-1.7\n'],
    ['pdf', '\r\n<something in front>\r\n%PDF-1.4\n'],
    ['bmp', 'BM\0\0\0\0\0\0\0\0\x36\0\0\0\x28\0\0\0'],
    ['gif', 'GIF89a\x01\0\x01\0'],
    ['gif', 'GIF87a\x01\0\x01\0'],
    ['heic', '\0\0\0\x18ftypheic\0\0\0\0mif1heic'],
    ['heic', '\0\0\0\x18ftypmif1\0\0\0\0mif1heic'],
    ['heic', '\0\0\0\x18ftypheix\0\0\0\0mif1heix'],
    ['eps', '%!PS-Adobe-3.0 EPSF-3.0\n'],
    ['eps', '\xc5\xd0\xd3\xc6\0\0\0\0'],
  ])('%s', (format, text) => {
    expect(formatOfMagic(bytesOf(text))).toBe(format);
  });

  test.each([
    ['AVIF', '\0\0\0\x1cftypavif\0\0\0\0mif1miaf'],
    ['MP4', '\0\0\0\x18ftypisom\0\0\x02\0isommp41'],
    ['a brand behind the brands', '\0\0\0\x10ftypisom\0\0\0\0heicheic'],
    ['text that begins with BM', 'BMW is a maker of cars'],
    ['JPEG', '\xff\xd8\xff\xe0'],
    ['TIFF', 'II*\0'],
    ['nothing', ''],
  ])('%s is none of them', (_, text) => {
    expect(formatOfMagic(bytesOf(text))).toBeUndefined();
  });
});

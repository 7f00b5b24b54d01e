import { describe, expect, test } from '@jest/globals';
import type { EmbeddedMetadata } from '../../src/metadata/embedded-metadata.ts';
import { shortMetadata } from '../../src/metadata/short.ts';

const nothing: EmbeddedMetadata = { exif: {}, iptc: {}, descriptive: {}, warnings: [] };

test('nothing is said of a master that says nothing', () => {
  expect(shortMetadata(nothing)).toEqual({});
});

test('the short form has one line for each fact', () => {
  const short = shortMetadata({
    ...nothing,
    exif: { DateTimeOriginal: '2019-05-04T12:30:01+02:00', XPTitle: 'not this' },
    xmp: { fields: { 'dc:title': 'Two\nlines' } },
    icc: { description: 'Adobe RGB (1998)', colourSpace: 'RGB' },
    resolution: { x: 299.99942, y: 300, unit: 'inch' },
    descriptive: { artist: 'Ada; Ben', copyright: 'CC0' },
  });
  expect(short).toEqual({
    title: 'Two lines',
    creator: 'Ada; Ben',
    copyright: 'CC0',
    dateTaken: '2019-05-04T12:30:01+02:00',
    iccName: 'Adobe RGB (1998)',
    resolution: '300 × 300 per inch',
  });
});

test('no text is longer than 256 characters, and none is cut within one', () => {
  const { title, creator } = shortMetadata({
    ...nothing,
    iptc: { ObjectName: `x${'😀'.repeat(300)}` },
    descriptive: { artist: 'a'.repeat(300) },
  });
  expect(title).toBe(`x${'😀'.repeat(127)}`);
  expect(creator).toBe('a'.repeat(256));
});

describe('a date of IPTC', () => {
  test.each([
    ['19120415', '021500+0000', '1912-04-15T02:15:00+00:00'],
    ['19120415', undefined, '1912-04-15'],
    ['19120400', undefined, '1912-04'],
    ['19120000', '021500', '1912'],
    ['00000000', undefined, undefined],
    ['in spring', undefined, undefined],
  ])('%s %s is %s', (date, time, expected) => {
    const iptc = { DateCreated: date, ...(time === undefined ? {} : { TimeCreated: time }) };
    expect(shortMetadata({ ...nothing, iptc }).dateTaken).toBe(expected);
  });
});

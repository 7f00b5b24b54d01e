import { describe, expect, test } from '@jest/globals';
import type { EmbeddedMetadata } from '../../src/metadata/embedded-metadata.ts';
import { shortMetadata } from '../../src/metadata/short.ts';

const nothing: EmbeddedMetadata = { exif: {}, iptc: {}, descriptive: {}, warnings: [] };

test('the short form of a master without metadata is empty', () => {
  expect(shortMetadata(nothing)).toEqual({});
});

test('the short form has one line per property', () => {
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

test('texts are cut to 256 characters without splitting a surrogate pair', () => {
  const { title, creator } = shortMetadata({
    ...nothing,
    iptc: { ObjectName: `x${'😀'.repeat(300)}` },
    descriptive: { artist: 'a'.repeat(300) },
  });
  expect(title).toBe(`x${'😀'.repeat(127)}`);
  expect(creator).toBe('a'.repeat(256));
});

describe('the IPTC date and time', () => {
  test.each([
    ['19120415', '021500+0000', '1912-04-15T02:15:00+00:00'],
    ['19120415', undefined, '1912-04-15'],
    ['19120400', undefined, '1912-04'],
    ['19120000', '021500', '1912'],
    ['00000000', undefined, undefined],
    ['in spring', undefined, undefined],
  ])('%s %s is converted to %s', (date, time, expected) => {
    const iptc = { DateCreated: date, ...(time === undefined ? {} : { TimeCreated: time }) };
    expect(shortMetadata({ ...nothing, iptc }).dateTaken).toBe(expected);
  });
});

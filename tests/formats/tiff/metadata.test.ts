import { describe, expect, test } from '@jest/globals';
import sharp from 'sharp';
import { memoryReader, type RangeReader } from '../../../src/bytes/range-reader.ts';
import { readEmbeddedMetadata } from '../../../src/formats/read-metadata.ts';
import {
  blob,
  dublinCore,
  exifBlock,
  iptcRecord,
  photoshopResources,
  picture,
  rational,
  text,
} from '../../support/embedded.ts';
import { greyFields, withFields } from '../../support/tiff-bytes.ts';

describe('the metadata of a TIFF', () => {
  const iptc = iptcRecord(
    [1, 90, '\x1b%G'],
    [2, 0, Uint8Array.of(0, 4)],
    [2, 5, 'Die Brücke'],
    [2, 25, 'a'],
    [2, 25, 'b'],
  );

  test.each([
    { littleEndian: true, bigTiff: false },
    { littleEndian: false, bigTiff: false },
    { littleEndian: true, bigTiff: true },
    { littleEndian: false, bigTiff: true },
  ])('is read from the tags of its first directory, %j', async (shape) => {
    const profile = (await sharp(await picture().withIccProfile('srgb').png().toBuffer()).metadata()).icc;
    const bytes = exifBlock({
      ...shape,
      data: new Uint8Array(384),
      image: withFields(
        greyFields(24, 16, shape.bigTiff ? 16 : 8),
        text(270, 'Scan 12'),
        text(305, 'ScanTool 3'),
        text(306, '2020:02:03 04:05:06'),
        text(33_432, 'Photographer\0Editor'),
        rational(282, 4000, 10),
        rational(283, 4000, 10),
        blob(700, Buffer.from(dublinCore), 1),
        blob(33_723, iptc),
        blob(34_675, profile ?? new Uint8Array()),
      ),
      exif: [text(36_867, '2020:02:02 20:20:02'), blob(36_864, Buffer.from('0231')), text(37_521, '25')],
      gps: [text(1, 'N'), rational(2, 51, 1, 30, 1, 0, 1), text(3, 'W'), rational(4, 0, 1, 7, 1, 30, 1)],
    });
    const metadata = await readEmbeddedMetadata(memoryReader(bytes), 'tiff');
    expect(metadata.exif).toEqual({
      ImageDescription: 'Scan 12',
      Software: 'ScanTool 3',
      ModifyDate: '2020-02-03T04:05:06',
      Copyright: 'Photographer; Editor',
      DateTimeOriginal: '2020-02-02T20:20:02.25',
      ExifVersion: '2.31',
      SubSecTimeOriginal: '25',
    });
    expect(metadata.gps).toMatchObject({ latitude: 51.5, longitude: -0.125 });
    expect(metadata.iptc).toEqual({ ObjectName: 'Die Brücke', Keywords: ['a', 'b'] });
    expect(metadata.xmp?.fields['dc:rights']).toBe('Public domain');
    expect(metadata.icc?.description).toMatch(/^sRGB/u);
    expect(metadata.resolution).toEqual({ x: 400, y: 400, unit: 'inch' });
    expect(metadata.descriptive).toMatchObject({
      imageDescription: 'Scan 12',
      dateTime: '2020:02:03 04:05:06',
      copyright: 'Photographer; Editor',
      iptc: iptc.toString('base64'),
    });
    expect(Buffer.from(metadata.descriptive.xmp ?? '', 'base64').toString('utf8')).toContain('Die Brücke');
    expect(metadata.warnings).toEqual([]);
  });

  test('includes IPTC among Photoshop resources and IPTC stored as byte-swapped LONGs', async () => {
    const read = async (...fields: Parameters<typeof withFields>[1][]) =>
      (
        await readEmbeddedMetadata(
          memoryReader(exifBlock({ image: withFields(greyFields(1, 1, 8), ...fields) })),
          'tiff',
        )
      ).iptc;
    const named = photoshopResources([0x03ed, new Uint8Array(16)], [0x0404, iptc], [0x040c, new Uint8Array(999)]);
    expect(await read(blob(34_377, named))).toEqual({ ObjectName: 'Die Brücke', Keywords: ['a', 'b'] });
    const turned = Buffer.concat([iptc, Buffer.alloc((4 - (iptc.length % 4)) % 4)]).swap32();
    expect(await read(blob(33_723, turned))).toEqual({ ObjectName: 'Die Brücke', Keywords: ['a', 'b'] });
  });

  test('is read in one page from a file of ten gigabytes', async () => {
    const head = exifBlock({ image: [...greyFields(1, 1, 8), text(270, 'Giant')].sort((a, b) => a.tag - b.tag) });
    let fetched = 0;
    const giant: RangeReader = {
      size: 10 * 2 ** 30,
      read(offset, length) {
        fetched += length;
        const bytes = new Uint8Array(length);
        if (offset < head.length) bytes.set(head.subarray(offset, offset + length));
        return Promise.resolve(bytes);
      },
    };
    expect((await readEmbeddedMetadata(giant, 'tiff')).exif).toEqual({ ImageDescription: 'Giant' });
    expect(fetched).toBeLessThanOrEqual(65_536);
  });
});

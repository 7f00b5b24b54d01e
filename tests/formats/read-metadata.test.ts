import { describe, expect, test } from '@jest/globals';
import { createHash } from 'node:crypto';
import { deflateSync } from 'node:zlib';
import sharp from 'sharp';
import { readEmbeddedMetadata } from '../../src/formats/read-metadata.ts';
import { memoryReader, type RangeReader } from '../../src/bytes/range-reader.ts';
import {
  blob,
  exifBlock,
  extendedXmpSegments,
  iptcRecord,
  jpegSegment,
  jpegWith,
  photoshopResources,
  pngChunk,
  pngWith,
  rational,
  text,
  webpWith,
  xmpPacket,
} from '../support/embedded.ts';
import { greyFields, short, withFields } from '../support/tiff-bytes.ts';

const picture = (): ReturnType<typeof sharp> =>
  sharp({ create: { width: 24, height: 16, channels: 3, background: '#806040' } });

const dublinCore = xmpPacket(
  [
    '<dc:title><rdf:Alt><rdf:li xml:lang="de">Die Brücke</rdf:li>',
    '<rdf:li xml:lang="x-default">The bridge &amp; the river</rdf:li></rdf:Alt></dc:title>',
    '<dc:creator><rdf:Seq><rdf:li>Ada Muster</rdf:li><rdf:li>Ben Sample</rdf:li></rdf:Seq></dc:creator>',
    '<dc:subject><rdf:Bag><rdf:li>bridge</rdf:li></rdf:Bag></dc:subject>',
    '<dc:rights><rdf:Alt><rdf:li xml:lang="x-default">Public domain</rdf:li></rdf:Alt></dc:rights>',
  ].join(''),
  'photoshop:Credit="City archive" xmp:ModifyDate="2021-03-04T05:06:07+01:00"',
);

/** What libexif writes for sharp. */
const described = {
  IFD0: { ImageDescription: 'Bridge, seen from the east', Artist: 'A. Muster', Copyright: 'CC0', Make: 'Phase One' },
  IFD2: {
    DateTimeOriginal: '2019:05:04 12:30:01',
    OffsetTimeOriginal: '+02:00',
    ExposureTime: '1/250',
    ExposureProgram: '1',
    BodySerialNumber: 'P1-0042',
  },
  IFD3: { GPSLatitudeRef: 'S', GPSLatitude: '33/1 51/1 30/1', GPSLongitudeRef: 'E', GPSLongitude: '151/1 12/1 0/1' },
};

describe.each(['jpeg', 'png', 'webp'] as const)('a %s that sharp wrote', (format) => {
  test('gives up its Exif, GPS, XMP, profile and resolution', async () => {
    const bytes = await picture()
      .withMetadata({ density: 300 })
      .withExif(described)
      .withXmp(dublinCore)
      .withIccProfile('p3')
      .toFormat(format)
      .toBuffer();
    const metadata = await readEmbeddedMetadata(memoryReader(bytes), format);
    expect(metadata.exif).toMatchObject({
      ImageDescription: 'Bridge, seen from the east',
      Artist: 'A. Muster',
      Make: 'Phase One',
      DateTimeOriginal: '2019-05-04T12:30:01+02:00',
      ExposureTime: 0.004,
      ExposureProgram: 'Manual',
      SerialNumber: 'P1-0042',
    });
    expect(metadata.gps).toMatchObject({ GPSLatitude: [33, 51, 30], longitude: 151.2 });
    expect(metadata.gps?.['latitude']).toBeCloseTo(-33.858333, 6);
    expect(metadata.xmp?.fields).toEqual({
      'dc:title': 'The bridge & the river',
      'dc:creator': ['Ada Muster', 'Ben Sample'],
      'dc:subject': 'bridge',
      'dc:rights': 'Public domain',
      'photoshop:Credit': 'City archive',
      'xmp:ModifyDate': '2021-03-04T05:06:07+01:00',
    });
    expect(metadata.icc).toMatchObject({ description: 'sP3C', colourSpace: 'RGB', deviceClass: 'mntr' });
    expect(metadata.descriptive).toMatchObject({
      imageDescription: 'Bridge, seen from the east',
      artist: 'A. Muster',
      copyright: 'CC0',
      dateTime: '2021:03:04 05:06:07',
    });
    expect(metadata.warnings).toEqual([]);
  });

  test('has nothing to tell when nothing is in it', async () => {
    const bytes = await picture().toFormat(format).toBuffer();
    const metadata = await readEmbeddedMetadata(memoryReader(bytes), format);
    expect({ ...metadata, resolution: undefined }).toEqual({ exif: {}, iptc: {}, descriptive: {}, warnings: [] });
  });
});

describe('resolution', () => {
  test('comes from JFIF, from pHYs, and from Exif before both', async () => {
    const of = async (bytes: Uint8Array, format: 'jpeg' | 'png') =>
      (await readEmbeddedMetadata(memoryReader(bytes), format)).resolution;
    const jpeg = await picture().jpeg().toBuffer();
    const jfif = jpegSegment(0xe0, 'JFIF\0', Uint8Array.of(1, 2, 2, 0, 118, 0, 236, 0, 0));
    expect(await of(jpegWith(jpeg, jfif), 'jpeg')).toEqual({ x: 118, y: 236, unit: 'cm' });
    const exif = exifBlock({ image: [rational(282, 600, 1), rational(283, 1200, 2), short(296, 2)] });
    expect(await of(jpegWith(jpeg, jfif, jpegSegment(0xe1, 'Exif\0\0', exif)), 'jpeg')).toEqual({
      x: 600,
      y: 600,
      unit: 'inch',
    });
    const png = await picture().png().toBuffer();
    const density = Buffer.from([0, 0, 0x2e, 0x22, 0, 0, 0x17, 0x11, 1]);
    expect(await of(pngWith(png, 'start', pngChunk('pHYs', density)), 'png')).toEqual({
      x: 118.1,
      y: 59.05,
      unit: 'cm',
    });
  });
});

describe('a TIFF', () => {
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
  ])('is read by its tags, %j', async (shape) => {
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

  test('may hold IPTC among Photoshop resources, or as LONGs turned round', async () => {
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

  test('of ten gigabytes is not read whole', async () => {
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

describe('a JPEG', () => {
  test('gives up its IPTC, cut into two segments, in Latin-1 where it does not say UTF-8', async () => {
    const record = iptcRecord([2, 120, Buffer.from('Café', 'latin1')], [2, 80, 'Ada'], [2, 90, 'Zürich']);
    const resources = photoshopResources([0x0425, new Uint8Array(16)], [0x0404, record]);
    const jpeg = jpegWith(
      await picture().jpeg().toBuffer(),
      jpegSegment(0xed, 'Photoshop 3.0\0', resources.subarray(0, 40)),
      jpegSegment(0xed, 'Photoshop 3.0\0', resources.subarray(40)),
    );
    const { iptc, descriptive } = await readEmbeddedMetadata(memoryReader(jpeg), 'jpeg');
    expect(iptc).toEqual({ Caption: 'Café', Byline: 'Ada', City: 'Zürich' });
    expect(descriptive).toEqual({ imageDescription: 'Café', artist: 'Ada', iptc: record.toString('base64') });
  });

  test('gives up an extended XMP packet, and leaves one of another digest', async () => {
    const extension = Buffer.from(
      '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">' +
        '<rdf:Description xmlns:photoshop="http://ns.adobe.com/photoshop/1.0/" photoshop:Headline="Far away"/>' +
        '</rdf:RDF></x:xmpmeta>',
    );
    const digest = createHash('md5').update(extension).digest('hex').toUpperCase();
    const main = xmpPacket('', `xmpNote:HasExtendedXMP="${digest}" photoshop:Credit="Near"`);
    const read = async (named: string, content: Uint8Array) => {
      const bytes = jpegWith(
        await picture().jpeg().toBuffer(),
        jpegSegment(0xe1, 'http://ns.adobe.com/xap/1.0/\0', Buffer.from(main)),
        ...extendedXmpSegments(named, content, 100),
      );
      return readEmbeddedMetadata(memoryReader(bytes), 'jpeg');
    };
    const whole = await read(digest, extension);
    expect(whole.xmp?.fields).toEqual({ 'photoshop:Headline': 'Far away', 'photoshop:Credit': 'Near' });
    expect(whole.xmp?.packet).not.toContain(digest);
    const altered = await read(digest, Buffer.from(extension.toString().replace('away', 'AWAY')));
    expect(altered.xmp?.fields).toEqual({ 'photoshop:Credit': 'Near' });
    expect(altered.warnings).toEqual([
      'extended XMP: Expected the MD5 that the packet references for the extended XMP but received another',
    ]);
  });
});

describe('a PNG', () => {
  test('gives up what stands behind its pixels', async () => {
    const exif = exifBlock({ image: [text(315, 'Behind')] });
    const xmp = pngChunk('iTXt', 'XML:com.adobe.xmp\0\0\0\0\0', Buffer.from(dublinCore));
    const png = pngWith(await picture().png().toBuffer(), 'end', pngChunk('eXIf', exif), xmp);
    const metadata = await readEmbeddedMetadata(memoryReader(png), 'png');
    expect(metadata.exif).toEqual({ Artist: 'Behind' });
    expect(metadata.xmp?.fields['dc:rights']).toBe('Public domain');
  });

  test('gives up its texts, but only under the keywords of the specification', async () => {
    const png = pngWith(
      await picture().png().toBuffer(),
      'start',
      pngChunk('tEXt', 'Author\0', Buffer.from('Zoë', 'latin1')),
      pngChunk('zTXt', 'Description\0\0', deflateSync('Long ago')),
      pngChunk('iTXt', 'Copyright\0\x01\0de\0Rechte\0', deflateSync(Buffer.from('© Zoë'))),
      pngChunk('tEXt', 'exif:GPSLatitude\0', '51/1, 30/1, 0/1'),
    );
    const metadata = await readEmbeddedMetadata(memoryReader(png), 'png');
    expect(metadata.text).toEqual({ Author: 'Zoë', Description: 'Long ago', Copyright: '© Zoë' });
    expect(metadata.descriptive).toEqual({ artist: 'Zoë', imageDescription: 'Long ago', copyright: '© Zoë' });
    expect(JSON.stringify(metadata)).not.toContain('51/1');
  });

  test('gives up IPTC that ImageMagick wrote as hex', async () => {
    const record = photoshopResources([0x0404, iptcRecord([2, 105, 'Headline here'])]);
    const hex = `\niptc\n      ${record.length}\n${record.toString('hex').replace(/.{72}/gu, '$&\n')}\n`;
    const chunk = pngChunk('zTXt', 'Raw profile type iptc\0\0', deflateSync(hex));
    const png = pngWith(await picture().png().toBuffer(), 'start', chunk);
    expect((await readEmbeddedMetadata(memoryReader(png), 'png')).iptc).toEqual({ Headline: 'Headline here' });
  });
});

test('a WebP whose Exif stands behind a signature of another format is read', async () => {
  const exif = Buffer.concat([Buffer.from('Exif\0\0'), exifBlock({ littleEndian: false, image: [text(272, 'X2D')] })]);
  const webp = webpWith(await picture().webp().toBuffer(), ['EXIF', exif]);
  expect((await readEmbeddedMetadata(memoryReader(webp), 'webp')).descriptive).toEqual({ model: 'X2D' });
});

describe('where a property comes from', () => {
  const iptc = photoshopResources([0x0404, iptcRecord([2, 80, 'from IPTC'], [2, 116, 'from IPTC'])]);
  const xmp = Buffer.from(
    xmpPacket(
      '<dc:creator><rdf:Seq><rdf:li>from XMP</rdf:li></rdf:Seq></dc:creator>' +
        '<dc:rights><rdf:Alt><rdf:li xml:lang="x-default">from XMP</rdf:li></rdf:Alt></dc:rights>',
    ),
  );

  test('is Exif first, then XMP, then IPTC', async () => {
    const read = async (...segments: Buffer[]) => {
      const bytes = jpegWith(await picture().jpeg().toBuffer(), ...segments);
      const { artist, copyright } = (await readEmbeddedMetadata(memoryReader(bytes), 'jpeg')).descriptive;
      return { artist, copyright };
    };
    const app13 = jpegSegment(0xed, 'Photoshop 3.0\0', iptc);
    const app1 = jpegSegment(0xe1, 'http://ns.adobe.com/xap/1.0/\0', xmp);
    const exif = jpegSegment(0xe1, 'Exif\0\0', exifBlock({ image: [text(315, 'from Exif')] }));
    expect(await read(app13)).toEqual({ artist: 'from IPTC', copyright: 'from IPTC' });
    expect(await read(app13, app1)).toEqual({ artist: 'from XMP', copyright: 'from XMP' });
    expect(await read(app13, app1, exif)).toEqual({ artist: 'from Exif', copyright: 'from XMP' });
  });
});

test('UserComment and the XP fields are text in whatever they are coded in', async () => {
  const comment = Buffer.concat([Buffer.from('UNICODE\0'), Buffer.from('Grüße', 'utf16le')]);
  const block = exifBlock({
    image: [blob(40_091, Buffer.from('Título\0', 'utf16le'), 1)],
    exif: [blob(37_510, comment), blob(37_500, Buffer.from('secret maker note'))],
  });
  const jpeg = jpegWith(await picture().jpeg().toBuffer(), jpegSegment(0xe1, 'Exif\0\0', block));
  const { exif } = await readEmbeddedMetadata(memoryReader(jpeg), 'jpeg');
  expect(exif).toEqual({ XPTitle: 'Título', UserComment: 'Grüße' });
});

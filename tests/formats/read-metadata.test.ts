import { describe, expect, test } from '@jest/globals';
import { readEmbeddedMetadata } from '../../src/formats/read-metadata.ts';
import { memoryReader } from '../../src/bytes/range-reader.ts';
import {
  blob,
  dublinCore,
  exifBlock,
  iptcRecord,
  jpegSegment,
  jpegWith,
  photoshopResources,
  picture,
  pngChunk,
  pngWith,
  rational,
  text,
  webpWith,
  xmpPacket,
} from '../support/embedded.ts';
import { short } from '../support/tiff-bytes.ts';

/** The Exif fields that libexif adds for sharp. */
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
  test('yields its Exif, GPS, XMP, profile and resolution', async () => {
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

  test('yields empty metadata when it has none', async () => {
    const bytes = await picture().toFormat(format).toBuffer();
    const metadata = await readEmbeddedMetadata(memoryReader(bytes), format);
    expect({ ...metadata, resolution: undefined }).toEqual({ exif: {}, iptc: {}, descriptive: {}, warnings: [] });
  });
});

describe('the resolution of a master', () => {
  test('comes from Exif, else from JFIF or pHYs', async () => {
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

test('the Exif block of a WebP is read when it starts with the signature of JPEG', async () => {
  const exif = Buffer.concat([Buffer.from('Exif\0\0'), exifBlock({ littleEndian: false, image: [text(272, 'X2D')] })]);
  const webp = webpWith(await picture().webp().toBuffer(), ['EXIF', exif]);
  expect((await readEmbeddedMetadata(memoryReader(webp), 'webp')).descriptive).toEqual({ model: 'X2D' });
});

describe('a descriptive property', () => {
  const iptc = photoshopResources([0x0404, iptcRecord([2, 80, 'from IPTC'], [2, 116, 'from IPTC'])]);
  const xmp = Buffer.from(
    xmpPacket(
      '<dc:creator><rdf:Seq><rdf:li>from XMP</rdf:li></rdf:Seq></dc:creator>' +
        '<dc:rights><rdf:Alt><rdf:li xml:lang="x-default">from XMP</rdf:li></rdf:Alt></dc:rights>',
    ),
  );

  test('comes from Exif, else from XMP, else from IPTC', async () => {
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

test('UserComment and the XP fields are decoded from their own character codes', async () => {
  const comment = Buffer.concat([Buffer.from('UNICODE\0'), Buffer.from('Grüße', 'utf16le')]);
  const block = exifBlock({
    image: [blob(40_091, Buffer.from('Título\0', 'utf16le'), 1)],
    exif: [blob(37_510, comment), blob(37_500, Buffer.from('secret maker note'))],
  });
  const jpeg = jpegWith(await picture().jpeg().toBuffer(), jpegSegment(0xe1, 'Exif\0\0', block));
  const { exif } = await readEmbeddedMetadata(memoryReader(jpeg), 'jpeg');
  expect(exif).toEqual({ XPTitle: 'Título', UserComment: 'Grüße' });
});

import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import sharp from 'sharp';
import { deflateSync } from 'node:zlib';
import { ServiceUnavailableError } from '../../src/errors.ts';
import { EmbeddedMetadata } from '../../src/metadata/embedded-metadata.ts';
import { readEmbeddedMetadata } from '../../src/formats/read-metadata.ts';
import { redact } from '../../src/metadata/redact.ts';
import { memoryReader, type RangeReader } from '../../src/bytes/range-reader.ts';
import {
  blob,
  exifBlock,
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
import { fullBox, heic } from '../support/heic-fixtures.ts';
import { box } from '../support/jp2-fixtures.ts';
import { greyFields, handTiff, long, short, withFields } from '../support/tiff-bytes.ts';

const jpeg = await sharp({ create: { width: 8, height: 8, channels: 3, background: '#123' } })
  .jpeg()
  .toBuffer();
const webp = await sharp({ create: { width: 8, height: 8, channels: 3, background: '#123' } })
  .webp()
  .toBuffer();
const png = await sharp({ create: { width: 8, height: 8, channels: 3, background: '#123' } })
  .png()
  .toBuffer();

type FormatName = Parameters<typeof readEmbeddedMetadata>[1];

const read = (bytes: Uint8Array, format: FormatName) => readEmbeddedMetadata(memoryReader(bytes), format);
const tiff = (...fields: Parameters<typeof withFields>[1][]): Uint8Array =>
  exifBlock({ image: withFields(greyFields(1, 1, 8), ...fields) });

describe('malformed Exif directories', () => {
  test('are read once when they point to one another', async () => {
    const bytes = handTiff({ directories: [[text(270, 'Loop'), long(34_665, 8), long(34_853, 8)]] });
    const { exif, warnings } = await read(bytes, 'tiff');
    expect(exif).toEqual({ ImageDescription: 'Loop' });
    expect(warnings).toEqual([
      'Exif directory: Expected an offset of its own for the directory but received that of another',
      'GPS directory: Expected an offset of its own for the directory but received that of another',
    ]);
  });

  test('are ignored beyond the first when the chain is circular', async () => {
    const bytes = handTiff({ directories: [[text(270, 'Chain')], [text(270, 'x')]], lastPoints: { directory: 0 } });
    expect(await read(bytes, 'tiff')).toMatchObject({ exif: { ImageDescription: 'Chain' }, warnings: [] });
  });

  test('are left out when they lie past the end or have no fields', async () => {
    const { exif, warnings } = await read(tiff(text(270, 'Here'), long(34_665, 0xfffffff0)), 'tiff');
    expect(exif).toEqual({ ImageDescription: 'Here' });
    expect(warnings).toEqual([expect.stringMatching(/^Exif directory: Expected 2 bytes at 0xfffffff0/u)]);
  });

  test('keep their other fields when counts are wrong', async () => {
    const { exif, warnings } = await read(
      tiff({ ...text(270, 'Long'), count: 0xffffffff }, text(271, 'Make'), { ...short(306, 1), count: 0x7fffffff }),
      'tiff',
    );
    expect(exif).toEqual({ Make: 'Make' });
    expect(warnings).toEqual([
      'first directory: the values of tag 270 lie past the end',
      'first directory: the values of tag 306 lie past the end',
    ]);
  });

  test('keep complete fields when they claim more fields than fit', async () => {
    const bytes = exifBlock({ image: [text(315, 'abc'), short(18_246, 5)] });
    bytes[8] = 200;
    const { exif, warnings } = await read(bytes, 'tiff');
    expect(exif).toEqual({ Artist: 'abc', Rating: 5 });
    expect(warnings[0]).toBe('first directory: cut off after 2 of 200 fields');
  });

  test('yield no values for denominators of zero, impossible dates and positions', async () => {
    const bytes = exifBlock({
      image: [text(306, '0000:00:00 00:00:00'), rational(282, 300, 0), rational(283, 1, 0)],
      exif: [rational(0x829a, 1, 0), rational(0xa432, 24, 1, 70, 1, 0, 0, 0, 0), text(0x9003, '2020:13:45 10:00:00')],
      gps: [text(1, 'N'), rational(2, 4000, 1, 0, 1, 0, 1), text(3, 'E'), rational(4, 1, 0, 0, 0, 0, 0)],
    });
    const { exif, gps, resolution } = await read(bytes, 'tiff');
    expect(exif).toEqual({
      ModifyDate: '0000:00:00 00:00:00',
      LensInfo: [24, 70, 'unknown', 'unknown'],
      DateTimeOriginal: '2020:13:45 10:00:00',
    });
    expect(gps).toEqual({
      GPSLatitudeRef: 'N',
      GPSLatitude: [4000, 0, 0],
      GPSLongitudeRef: 'E',
    });
    expect(resolution).toBeUndefined();
  });
});

describe('Exif texts', () => {
  test('in Latin-1 with NULs and control characters become clean Unicode', async () => {
    const { exif, descriptive } = await read(
      tiff(text(270, 'Caf\u00e9 \u00a9\u0007\u001b[31m 1900\r\nzwei', 'latin1'), text(271, 'Make\0garbage\u0001')),
      'tiff',
    );
    expect(exif).toEqual({ ImageDescription: 'Café ©[31m 1900\nzwei', Make: 'Make' });
    expect(descriptive.imageDescription).toBe('Café ©[31m 1900\nzwei');
  });

  test('longer than 16,384 characters are cut between characters', async () => {
    const { exif, warnings } = await read(tiff(text(270, `x${'😀'.repeat(20_000)}`)), 'tiff');
    expect(warnings).toEqual(['ImageDescription: only the first 16384 characters are kept']);
    const description = exif['ImageDescription'] as string;
    expect(description).toHaveLength(16_383);
    expect(description.isWellFormed()).toBe(true);
  });
});

describe('an XMP packet', () => {
  const withPacket = (packet: string | Uint8Array): Uint8Array => tiff(blob(700, Buffer.from(packet), 1));

  test('of ten megabytes is left out', async () => {
    const packet = xmpPacket(`<dc:x>${'a'.repeat(10_000_000)}</dc:x>`);
    const { xmp, warnings } = await read(webpWith(webp, ['XMP ', Buffer.from(packet)]), 'webp');
    expect(xmp).toBeUndefined();
    expect(warnings).toEqual([
      expect.stringMatching(/^XMP: Expected at most 2097152 bytes for the XMP packet but received 1000\d{4}$/u),
    ]);
  });

  test.each([
    ['a document type', '<!DOCTYPE x [<!ENTITY a "aaaa">]><x:xmpmeta xmlns:x="adobe:ns:meta/">&a;</x:xmpmeta>'],
    ['no end', '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF'],
    ['an undeclared prefix', '<x:xmpmeta><rdf:RDF/></x:xmpmeta>'],
    ['another document', '<svg xmlns="http://www.w3.org/2000/svg"/>'],
    ['an unknown entity', xmpPacket('<dc:title>&toString;</dc:title>')],
    ['a control character', xmpPacket('<dc:title>\u0001</dc:title>')],
    ['very deep nesting', xmpPacket('<dc:x>'.repeat(5000) + '</dc:x>'.repeat(5000))],
    ['very many elements', xmpPacket('<dc:x/>'.repeat(60_000))],
  ])('with %s yields no fields and is not published', async (_, packet) => {
    const metadata = await read(withPacket(packet), 'tiff');
    expect(metadata.xmp?.fields).toEqual({});
    expect(metadata.warnings).toHaveLength(1);
    const { xmp, descriptive, warnings } = redact(metadata);
    expect({ xmp, descriptive }).toEqual({ descriptive: {} });
    expect(warnings.at(-1)).toBe('XMP: the packet is left out because it cannot be parsed');
  });

  test('that is not Unicode text is left out', async () => {
    const { xmp, warnings } = await read(
      withPacket(Buffer.from(xmpPacket('<dc:title>é</dc:title>'), 'latin1')),
      'tiff',
    );
    expect(xmp).toBeUndefined();
    expect(warnings).toEqual(['XMP: Expected UTF-8 or UTF-16 for the XMP packet but received invalid text']);
  });

  test('in UTF-16 with NULs after it is read', async () => {
    const packet = xmpPacket('<dc:title><rdf:Alt><rdf:li xml:lang="x-default">Größe</rdf:li></rdf:Alt></dc:title>');
    const little = Buffer.from(`${packet}\0\0`, 'utf16le');
    expect((await read(withPacket(little), 'tiff')).xmp?.fields).toEqual({ 'dc:title': 'Größe' });
    expect((await read(withPacket(Buffer.from(little).swap16()), 'tiff')).xmp?.fields).toEqual({ 'dc:title': 'Größe' });
  });
});

describe('malformed containers of metadata', () => {
  test('keep what precedes the end of a JPEG cut within its metadata', async () => {
    const exif = jpegSegment(0xe1, 'Exif\0\0', exifBlock({ image: [text(315, 'Whole')] }));
    const bytes = jpegWith(jpeg, exif, jpegSegment(0xe2, 'ICC_PROFILE\0\x01\x01', new Uint8Array(3000)));
    const { exif: fields, warnings } = await read(bytes.subarray(0, exif.length + 500), 'jpeg');
    expect(fields).toEqual({ Artist: 'Whole' });
    expect(warnings).toEqual(['JPEG segments: Expected a scan but the file ends before']);
  });

  test('are reported when segments are too short for their signature', async () => {
    const bytes = jpegWith(
      jpeg,
      jpegSegment(0xe1, 'Exif\0\0'),
      jpegSegment(0xe1, 'Exif\0\0II'),
      jpegSegment(0xe1, 'http://ns.adobe.com/xap/1.0/\0'),
      jpegSegment(0xe1, 'http://ns.adobe.com/xmp/extension/\0abc'),
      jpegSegment(0xe2, 'ICC_PROFILE\0'),
      jpegSegment(0xed, 'Photoshop 3.0\x008BIM'),
    );
    const metadata = await read(bytes, 'jpeg');
    expect(metadata).toMatchObject({ exif: {}, iptc: {}, descriptive: {} });
    expect(metadata.warnings.length).toBeGreaterThan(0);
  });

  test('are reported when PNG chunks exceed the decompressed size limit', async () => {
    const bomb = deflateSync(new Uint8Array(64 * 2 ** 20));
    const bytes = pngWith(png, 'start', pngChunk('zTXt', 'Description\0\0', bomb), pngChunk('iCCP', 'icc\0\0', bomb));
    const { icc, text: texts, warnings } = await read(bytes, 'png');
    expect({ icc, texts }).toEqual({});
    expect(warnings).toEqual([
      'iCCP: Expected compressed data of at most 8388608 bytes',
      'zTXt: Expected compressed data of at most 8388608 bytes',
    ]);
  });

  test('are reported when a raw profile consists of blanks', async () => {
    const chunk = pngChunk('tEXt', `Raw profile type iptc\0\niptc\n 9\n${' '.repeat(2_000_000)}!`);
    expect((await read(pngWith(png, 'start', chunk), 'png')).warnings).toEqual(['tEXt: Expected hex digits']);
  });

  test('keep the other datasets of an IPTC record that ends within one', async () => {
    const record = iptcRecord([2, 5, 'Whole'], [2, 120, 'Cut short']).subarray(0, -3);
    const { iptc, descriptive, warnings } = await read(tiff(blob(33_723, record)), 'tiff');
    expect(iptc).toEqual({ ObjectName: 'Whole' });
    expect(descriptive.iptc).toBe(iptcRecord([2, 5, 'Whole']).toString('base64'));
    expect(warnings).toEqual(['IPTC: dataset 2:120 ends past the record']);
  });

  test('keep no previews and camera data of IPTC', async () => {
    const kept = iptcRecord([2, 5, 'Kept']);
    const record = Buffer.concat([iptcRecord([2, 202, new Uint8Array(500)], [2, 232, 'Serial 12']), kept]);
    const { iptc, descriptive } = await read(tiff(blob(33_723, record)), 'tiff');
    expect(iptc).toEqual({ ObjectName: 'Kept' });
    expect(descriptive.iptc).toBe(kept.toString('base64'));
  });

  test('are reported when there are too many Photoshop resources', async () => {
    const many = photoshopResources(...Array.from({ length: 2000 }, () => [0x03ed, new Uint8Array(2)] as const));
    expect((await read(tiff(blob(34_377, many)), 'tiff')).warnings).toEqual(['IPTC: Expected at most 1000 resources']);
  });
});

test('reading metadata fetches at most 16 MiB in 1,024 requests from any file', async () => {
  const size = 2 ** 40;
  let fetched = 0;
  let requests = 0;
  // A JPEG of application segments, each naming the next, without end.
  const endless: RangeReader = {
    size,
    read(offset, length) {
      requests++;
      fetched += length;
      const bytes = new Uint8Array(length);
      for (let at = 0; at < length; at++) bytes[at] = [0xff, 0xe5, 0xff, 0xfe][(offset + at - 2) & 0xffff] ?? 0;
      return Promise.resolve(bytes);
    },
  };
  const { warnings } = await readEmbeddedMetadata(endless, 'jpeg');
  expect(warnings[0]).toMatch(/^JPEG segments: /u);
  expect(fetched).toBeLessThanOrEqual(16 * 2 ** 20);
  expect(requests).toBeLessThanOrEqual(1024);
});

test('reading stops at a HEIC whose items have millions of empty extents', async () => {
  // Of version 0, with offsets and lengths of no bytes: an item takes six.
  const locations = new Uint8Array(6 + 6 * 2000);
  new DataView(locations.buffer).setUint16(2, 2000);
  for (let at = 4; at < locations.length - 6; at += 6) new DataView(locations.buffer).setUint16(at + 4, 0xffff);
  const items = [fullBox('iloc', 0, locations), fullBox('iinf', 0, [0, 0])];
  const file = fullBox('meta', 0, Buffer.concat(items));
  expect((await read(file, 'heic')).warnings).toEqual(['heic: Expected at most 4096 item extents']);
});

test('errors of the storage are thrown and not reported as malformed metadata', async () => {
  const failing: RangeReader = {
    size: 1000,
    read: () => Promise.reject(new ServiceUnavailableError('throttled')),
  };
  for (const format of ['jpeg', 'png', 'webp', 'tiff', 'jp2', 'heic'] as const) {
    await expect(readEmbeddedMetadata(failing, format)).rejects.toThrow('throttled');
  }
});

test('reading metadata of arbitrary bytes never throws', async () => {
  const exif = exifBlock({
    image: [text(270, 'A'), blob(700, Buffer.from(xmpPacket('')), 1)],
    exif: [text(0x9003, 'B')],
  });
  const seeds: [FormatName, Uint8Array][] = [
    ['tiff', exif],
    ['jpeg', jpegWith(jpeg, jpegSegment(0xe1, 'Exif\0\0', exif), jpegSegment(0xe2, 'ICC_PROFILE\0\x01\x01', exif))],
    ['png', pngWith(png, 'start', pngChunk('eXIf', exif), pngChunk('tEXt', 'Author\0A'))],
    ['webp', Buffer.concat([Buffer.from('RIFF\x40\0\0\0WEBPEXIF\x40\0\0\0'), exif])],
    ['jp2', box('uuid', [...Buffer.from('4a706754696666457869662d3e4a5032', 'hex'), ...exif])],
    ['heic', heic({ items: [{ type: 'Exif', data: Uint8Array.from([0, 0, 0, 0, ...exif]), properties: [] }] })],
  ];
  const edits = fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 12 });
  await fc.assert(
    fc.asyncProperty(fc.constantFrom(...seeds), edits, fc.nat(), async ([format, seed], changes, cut) => {
      const bytes = Uint8Array.from(seed.subarray(0, seed.length - (cut % 40)));
      for (const [at, value] of changes) bytes[at % bytes.length] = value;
      const metadata = await read(bytes, format);
      expect(EmbeddedMetadata.parse(metadata)).toEqual(metadata);
      expect(JSON.parse(JSON.stringify(redact(metadata)))).toEqual(redact(metadata));
    }),
    { numRuns: 400 },
  );
});

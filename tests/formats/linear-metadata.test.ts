/**
 * Reading and redacting metadata takes time in proportion to its size, whatever its content: each
 * input is measured at a quarter of its size and whole.
 */
import { describe, expect, test } from '@jest/globals';
import { createHash } from 'node:crypto';
import { deflateSync } from 'node:zlib';
import { memoryReader } from '../../src/bytes/range-reader.ts';
import { readEmbeddedMetadata } from '../../src/formats/read-metadata.ts';
import { redact } from '../../src/metadata/redact.ts';
import {
  blob,
  dublinCore,
  exifBlock,
  extendedXmpSegments,
  iptcRecord,
  jpegSegment,
  jpegWith,
  photoshopResources,
  picture,
  pngChunk,
  pngWith,
  text,
  webpWith,
  xmpPacket,
} from '../support/embedded.ts';
import { fullBox } from '../support/heic-fixtures.ts';
import { ascii, box, long, short } from '../support/jp2-fixtures.ts';
import { processorMilliseconds } from '../support/processor-time.ts';

const jpeg = await picture().jpeg().toBuffer();
const png = await picture().png().toBuffer();
const webp = await picture().webp().toBuffer();

type FormatName = Parameters<typeof readEmbeddedMetadata>[1];
type Writer = (size: number) => Uint8Array;

const many = (count: number, one: (index: number) => string): string =>
  Array.from({ length: count }, (_, i) => one(i)).join('');
const parts = (count: number, one: (index: number) => Uint8Array): Uint8Array[] =>
  Array.from({ length: count }, (_, i) => one(i));

/** A WebP with a packet, which may have 2 MiB. */
const packet = (content: string, attributes = ''): Uint8Array =>
  webpWith(webp, ['XMP ', Buffer.from(xmpPacket(content, attributes))]);
/** Content of a profile that is a table of tags without a description. */
function tagTable(tags: number): Uint8Array {
  const profile = Buffer.alloc(132 + 12 * tags);
  profile.write('acsp', 36);
  profile.writeUInt32BE(profile.length, 0);
  profile.writeUInt32BE(tags, 128);
  return profile;
}

function extended(size: number): Uint8Array {
  const extension = Buffer.from(xmpPacket(`<dc:source>${'x'.repeat(size)}</dc:source>`));
  const digest = createHash('md5').update(extension).digest('hex').toUpperCase();
  const main = Buffer.from(xmpPacket('', `xmpNote:HasExtendedXMP="${digest}"`));
  const segments = extendedXmpSegments(digest, extension, Math.max(64, Math.ceil(size / 3_000)));
  return jpegWith(jpeg, jpegSegment(0xe1, 'http://ns.adobe.com/xap/1.0/\0', main), ...segments);
}

function manyItems(items: number): Uint8Array {
  const entries = parts(items, (index) => fullBox('infe', 2, [...short(index + 1), 0, 0, ...ascii('mime'), 0]));
  const locations = parts(items, (index) => Uint8Array.from([...short(index + 1), 0, 0, 0, 1, ...long(0), ...long(9)]));
  return Buffer.concat([
    box('ftyp', [...ascii('heic'), ...long(0)]),
    fullBox(
      'meta',
      0,
      Buffer.concat([
        fullBox('iinf', 0, Buffer.concat([Uint8Array.from(short(items)), ...entries])),
        fullBox('iloc', 0, Buffer.concat([Uint8Array.from([0x44, 0, ...short(items)]), ...locations])),
      ]),
    ),
  ]);
}

const inputs: readonly (readonly [name: string, format: FormatName, most: number, write: Writer])[] = [
  ['blanks within an XMP packet', 'webp', 2_000_000, (size) => packet(' '.repeat(size))],
  [
    'line breaks within an XMP text',
    'webp',
    2_000_000,
    (size) => packet(`<dc:source>x${'\n'.repeat(size)}x</dc:source>`),
  ],
  ['blanks before an XMP attribute', 'webp', 1_000_000, (size) => packet('', ' '.repeat(size))],
  ['blanks in an XMP attribute', 'webp', 2_000_000, (size) => packet('', `xmp:Label="x${' '.repeat(size)}x"`)],
  ['an XMP name without end', 'webp', 2_000_000, (size) => packet(`<dc:${'n'.repeat(size)}`)],
  [
    'NULs after an XMP packet',
    'webp',
    2_000_000,
    (size) => webpWith(webp, ['XMP ', Buffer.from(`${dublinCore}${'\0'.repeat(size)}x`)]),
  ],
  [
    'attributes of an XMP element',
    'webp',
    30_000,
    (size) =>
      packet(
        '',
        many(size, (i) => ` dc:a${i}="1"`),
      ),
  ],
  ['elements of an XMP packet', 'webp', 24_000, (size) => packet(many(size, () => '<dc:x>&lt;</dc:x>'))],
  [
    'namespaces of an XMP packet',
    'webp',
    20_000,
    (size) =>
      packet(
        many(size, (i) => `<a:b xmlns:a="urn:${i}"/>`),
        many(400, (i) => ` xmlns:n${i}="u"`),
      ),
  ],
  [
    'descriptions of an XMP packet',
    'webp',
    20_000,
    (size) => packet(`</rdf:Description>${many(size, () => '<rdf:Description/>')}<rdf:Description>`),
  ],
  [
    'items of an XMP list',
    'webp',
    20_000,
    (size) => packet(`<dc:subject><rdf:Bag>${many(size, () => '<rdf:li>a</rdf:li>')}</rdf:Bag></dc:subject>`),
  ],
  [
    'comments in an XMP text',
    'webp',
    100_000,
    (size) => packet(`<dc:source>${many(size, () => 'a<!--b-->')}</dc:source>`),
  ],
  ...['1 1 ', '48°51 ', '+12', '1.2345 ', "N 48°51'", 'lat', '0', '\n', '1,2,3'].map(
    (unit) =>
      [
        `texts of ${JSON.stringify(unit)} beside a serial number`,
        'webp',
        300_000,
        (size: number) =>
          packet(
            `<aux:SerialNumber>C15998</aux:SerialNumber><dc:source>${unit.repeat(size / unit.length)}</dc:source>`,
          ),
      ] as const,
  ),
  ['portions of an extended XMP packet', 'jpeg', 1_500_000, extended],
  ['blanks of an Exif text', 'tiff', 60_000, (size) => exifBlock({ image: [text(270, `a${' '.repeat(size)}b`)] })],
  [
    'texts of a TIFF directory',
    'tiff',
    400,
    (size) => exifBlock({ image: Array.from({ length: size }, (_, i) => text(1_000 + i, 'x'.repeat(3_000))) }),
  ],
  [
    'keywords of an IPTC record',
    'tiff',
    32_000,
    (size) =>
      exifBlock({
        image: [blob(33_723, iptcRecord(...Array.from({ length: size }, (_, i) => [2, 25, `k${i % 10}`] as const)))],
      }),
  ],
  [
    'Photoshop resources',
    'tiff',
    1_000,
    (size) =>
      exifBlock({
        image: [
          blob(
            34_377,
            photoshopResources(...Array.from({ length: size }, () => [0x03ed, new Uint8Array(200)] as const)),
          ),
        ],
      }),
  ],
  ['tags of an ICC profile', 'webp', 400_000, (size) => webpWith(webp, ['ICCP', tagTable(size)])],
  [
    'text chunks at the start of a PNG',
    'png',
    4_000,
    (size) => pngWith(png, 'start', ...parts(size, (i) => pngChunk('tEXt', `Title\0${i}`))),
  ],
  [
    'text chunks at the end of a PNG',
    'png',
    4_096,
    (size) => pngWith(png, 'end', ...parts(size, (i) => pngChunk('tEXt', `Title\0${i}`))),
  ],
  [
    'text chunks before bytes that follow the end of a PNG',
    'png',
    4_096,
    (size) => Buffer.concat([pngWith(png, 'end', ...parts(size, () => pngChunk('tEXt', 'Title\0x'))), Buffer.alloc(9)]),
  ],
  [
    'chains of false chunks at the end of a PNG',
    'png',
    16_000,
    (size) => pngWith(png, 'end', pngChunk('junk', ...parts(size, () => Buffer.from('\0\0\0\x04tEXt')), 'x')),
  ],
  [
    'compressed texts of a PNG',
    'png',
    4_000,
    (size) => {
      const bomb = deflateSync(Buffer.alloc(2_000_000));
      return pngWith(png, 'start', ...parts(size, () => pngChunk('zTXt', 'Comment\0\0', bomb)));
    },
  ],
  [
    'blanks in a raw profile of a PNG',
    'png',
    2_000_000,
    (size) => pngWith(png, 'start', pngChunk('tEXt', `Raw profile type iptc\0\niptc\n 9\n${' '.repeat(size)}!`)),
  ],
  [
    'segments of a JPEG',
    'jpeg',
    4_000,
    (size) => jpegWith(jpeg, ...parts(size, () => jpegSegment(0xe2, 'ICC_PROFILE\0\x01\x01', new Uint8Array(40)))),
  ],
  ['fill bytes of a JPEG', 'jpeg', 4_000, (size) => jpegWith(jpeg, Buffer.alloc(size, 0xff))],
  [
    'chunks of a WebP',
    'webp',
    4_000,
    (size) => webpWith(webp, ...Array.from({ length: size }, () => ['JUNK', new Uint8Array(2)] as const)),
  ],
  ['boxes of a JP2', 'jp2', 4_000, (size) => Buffer.concat(parts(size, () => box('uuid', new Uint8Array(20))))],
  ['items of a HEIC', 'heic', 4_000, manyItems],
];

/** Milliseconds of processor time to read and redact, the lesser of two runs. */
async function milliseconds(bytes: Uint8Array, format: FormatName): Promise<number> {
  const times: number[] = [];
  for (let run = 0; run < 2; run++) {
    times.push(
      await processorMilliseconds(async () => redact(await readEmbeddedMetadata(memoryReader(bytes), format))),
    );
  }
  return Math.min(...times);
}

describe('reading metadata takes time in proportion to the', () => {
  test.each(inputs)('%s', async (_, format, most, write) => {
    const quarter = await milliseconds(write(most / 4), format);
    const whole = await milliseconds(write(most), format);
    // Four times the size; quadratic work would take sixteen times the time.
    expect(whole).toBeLessThan(10 * Math.max(quarter, 15));
    expect(whole).toBeLessThan(2_000);
  });
});

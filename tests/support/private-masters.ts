/**
 * Masters of every format that carries metadata, whose serial numbers and coordinates stand in all
 * carriers: in fields of their own, and within other values.
 */
import { type HandField, long as longField } from './tiff-bytes.ts';
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
} from './embedded.ts';
import { codedItem, heic } from './heic-fixtures.ts';
import { encodeHevc } from './hevc-pcm.ts';
import { box, j2k, jp2 } from './jp2-fixtures.ts';
import { picture, pictureOf } from './pixels.ts';

/** Strings that must not stand in any output. */
export const privateTexts = [
  ...['1581F4BN2203', '1581f4bn2203', 'c15998', '3004567', 'Olga Eigner'],
  ...['48.8566', '2.3522', '48,51.39', "48°51'", '48°51′', '23.81', 'GPSLatitude', 'SerialNumber', 'DroneID'],
];

/** Parts of the same values that are kept. */
export const keptTexts = ['North pier', 'Ada Muster', 'Paris', 'The old bridge'];

const image: readonly HandField[] = [
  text(270, 'The old bridge, unit 1581F4BN2203 at 48°51\'23.81"N 2°21\'8.00"E'),
  text(271, 'DJI'),
  rational(282, 300, 1),
  rational(283, 300, 1),
  text(315, 'Ada Muster'),
];
const photo: readonly HandField[] = [
  blob(0x927c, Buffer.from('MakerNote 1581F4BN2203')),
  blob(0x9286, Buffer.from('ASCII\0\0\0 GPS 48.856614 2.352222, lens c15998')),
  text(0xa420, 'F1581F4BN2203A0042'),
  text(0xa430, 'Olga Eigner'),
  text(0xa431, '1581F4BN2203'),
  text(0xa435, '0000c15998'),
];
const place: readonly HandField[] = [
  text(1, 'N'),
  rational(2, 48, 1, 51, 1, 238_104, 10_000),
  text(3, 'E'),
  rational(4, 2, 1, 21, 1, 79_992, 10_000),
  rational(6, 351_234, 10_000),
];
const exif = exifBlock({ image, exif: photo, gps: place });
const iptc = iptcRecord(
  [2, 25, '1581F4BN2203'],
  [2, 25, 'pier'],
  [2, 105, 'The old bridge'],
  [2, 120, 'North pier, 48.856614, 2.352222; lens C15998, body 3004567'],
);
const packet = Buffer.from(
  xmpPacket(
    [
      '<drone:DroneID>1581F4BN2203</drone:DroneID><drone:GpsLongtitude>+2.352222</drone:GpsLongtitude>',
      '<exif:GPSLatitude>48,51.39684N</exif:GPSLatitude><aux:SerialNumber>3004567</aux:SerialNumber>',
      '<pilot:Unit>1581f4bn2203</pilot:Unit><pilot:Owner>Olga Eigner</pilot:Owner>',
      '<pilot:North><![CDATA[48.856614]]></pilot:North>',
      '<dc:description><rdf:Alt><rdf:li xml:lang="x-default">North pier &amp; unit 1581F4BN2203,',
      ' 48.85661 2.35222</rdf:li></rdf:Alt></dc:description>',
      '<photoshop:City>Paris</photoshop:City>',
    ].join(''),
    'xmlns:drone="http://www.dji.com/drone-dji/1.0/" xmlns:pilot="urn:pilot" pilot:File="DJI_1581F4BN2203_0001.JPG" xmp:Label="body 3004567"',
  ),
);

export type CarrierFormat = 'jpg' | 'png' | 'webp' | 'tiff' | 'jp2' | 'heic';

/** The masters by the extension of their format. */
export async function privateMasters(): Promise<Readonly<Record<CarrierFormat, Uint8Array>>> {
  const size = { width: 48, height: 32 };
  const grey = picture(size.width, size.height, 1);
  const own = pictureOf(700, 300);
  const plain = jp2(await j2k({ ...size, bits: [8], samples: grey, tile: 32 }), { ...size, components: 1, colour: 17 });
  const uuid = (name: string, content: Uint8Array): Uint8Array =>
    box('uuid', [...Buffer.from(name, 'hex'), ...content]);
  return {
    jpg: jpegWith(
      await own.clone().jpeg().toBuffer(),
      jpegSegment(0xe1, 'Exif\0\0', exif),
      jpegSegment(0xe1, 'http://ns.adobe.com/xap/1.0/\0', packet),
      jpegSegment(0xed, 'Photoshop 3.0\0', photoshopResources([0x0404, iptc])),
      jpegSegment(0xfe, 'GPS 48.856614 2.352222 unit 1581F4BN2203'),
    ),
    png: pngWith(
      await own.clone().png().toBuffer(),
      'start',
      pngChunk('eXIf', exif),
      pngChunk('iTXt', 'XML:com.adobe.xmp\0\0\0\0\0', packet),
      pngChunk('tEXt', 'Comment\0North pier, unit 1581F4BN2203 (48.856614, 2.352222)'),
      pngChunk('tEXt', `Raw profile type iptc\0\niptc\n ${iptc.length}\n${iptc.toString('hex')}`),
    ),
    webp: webpWith(await own.clone().webp().toBuffer(), ['EXIF', exif], ['XMP ', packet]),
    tiff: onePage(
      exifBlock({
        data: grey,
        image: [
          ...[longField(256, size.width), longField(257, size.height), longField(258, 8), longField(259, 1)],
          ...[longField(262, 1), longField(273, 8), longField(277, 1), longField(278, size.height)],
          ...[longField(279, grey.length), blob(700, packet, 1), blob(33_723, iptc), text(50_735, '3004567'), ...image],
        ],
        exif: photo,
        gps: place,
      }),
    ),
    jp2: Buffer.concat([
      plain,
      uuid('4a706754696666457869662d3e4a5032', exif),
      uuid('be7acfcb97a942e89c71999491e3afac', packet),
      uuid('33c7a4d2b81d4723a0baf1a3e097ad38', iptc),
    ]),
    heic: heic({
      items: [
        codedItem(encodeHevc({ ...size, chromaFormat: 0, bits: 8, planes: [grey] }), size),
        { type: 'Exif', data: Uint8Array.from([0, 0, 0, 0, ...exif]), properties: [] },
        { type: 'mime', contentType: 'application/rdf+xml', data: packet, properties: [] },
      ],
    }),
  };
}

/** Cuts the chain of a little-endian TIFF after its first directory; the others are not pages. */
function onePage(tiff: Uint8Array): Uint8Array {
  const view = new DataView(tiff.buffer, tiff.byteOffset, tiff.byteLength);
  const first = view.getUint32(4, true);
  view.setUint32(first + 2 + 12 * view.getUint16(first, true), 0, true);
  return tiff;
}

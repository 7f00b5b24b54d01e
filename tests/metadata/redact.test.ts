import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import sharp from 'sharp';
import { readEmbeddedMetadata } from '../../src/formats/read-metadata.ts';
import { redact } from '../../src/metadata/redact.ts';
import { makeSidecar } from '../../src/work/sidecar.ts';
import { sidecarBytes } from '../../src/work/sidecar-limit.ts';
import { memoryReader } from '../../src/bytes/range-reader.ts';
import {
  blob,
  exifBlock,
  iptcRecord,
  jpegSegment,
  jpegWith,
  photoshopResources,
  rational,
  text,
  xmpPacket,
} from '../support/embedded.ts';
import { sidecarRequest } from '../support/sidecar.ts';

const jpeg = await sharp({ create: { width: 8, height: 8, channels: 3, background: '#456' } })
  .jpeg()
  .toBuffer();

const withXmp = (packet: string): Uint8Array =>
  jpegWith(jpeg, jpegSegment(0xe1, 'http://ns.adobe.com/xap/1.0/\0', Buffer.from(packet)));

async function publishedPacket(packet: string, policy = { gps: true, serialNumbers: true }): Promise<string> {
  const metadata = redact(await readEmbeddedMetadata(memoryReader(withXmp(packet)), 'jpeg'), policy);
  expect(Buffer.from(metadata.descriptive.xmp ?? '', 'base64').toString('utf8')).toBe(metadata.xmp?.packet);
  return metadata.xmp?.packet ?? '';
}

const camera = exifBlock({
  image: [text(271, 'Maker'), text(50_735, 'CAM-777')],
  exif: [
    text(0x9003, '2020:01:02 03:04:05'),
    text(0xa430, 'Owner Name'),
    text(0xa431, 'BODY-778'),
    text(0xa435, 'LENS-779'),
    blob(0x927c, Buffer.from('MAKERNOTE-780')),
  ],
  gps: [text(1, 'N'), rational(2, 48, 1, 51, 1, 24, 1), text(3, 'E'), rational(4, 2, 1, 21, 1, 3, 1)],
});

describe('redact on fields', () => {
  const bytes = jpegWith(jpeg, jpegSegment(0xe1, 'Exif\0\0', camera));

  test('removes positions and serial numbers unless the policy keeps them', async () => {
    const metadata = await readEmbeddedMetadata(memoryReader(bytes), 'jpeg');
    const dated = { Make: 'Maker', DateTimeOriginal: '2020-01-02T03:04:05' };
    const numbered = {
      CameraSerialNumber: 'CAM-777',
      SerialNumber: 'BODY-778',
      LensSerialNumber: 'LENS-779',
      OwnerName: 'Owner Name',
    };
    expect(redact(metadata).exif).toEqual(dated);
    expect(redact(metadata).gps).toBeUndefined();
    expect(redact(metadata).redacted).toEqual({ gps: true, serialNumbers: true });
    const kept = redact(metadata, { gps: false, serialNumbers: false });
    expect(kept.exif).toEqual({ ...dated, ...numbered });
    expect(kept.gps).toMatchObject({ GPSLatitude: [48, 51, 24] });
    expect(redact(metadata, { gps: false, serialNumbers: true }).exif).toEqual(dated);
    expect(redact(metadata, { gps: true, serialNumbers: false }).exif).toEqual({ ...dated, ...numbered });
  });

  test('never returns MakerNote', async () => {
    const metadata = await readEmbeddedMetadata(memoryReader(bytes), 'jpeg');
    expect(JSON.stringify(metadata)).not.toMatch(/MAKERNOTE/u);
    expect(JSON.stringify(metadata)).not.toContain(Buffer.from('MAKERNOTE-780').toString('base64').slice(0, 16));
  });

  test('keeps place names of IPTC and removes coordinates from keywords', async () => {
    const record = iptcRecord(
      [2, 25, 'harbour'],
      [2, 25, 'geo:lat=57.64911'],
      [2, 90, 'Genova'],
      [2, 92, 'Molo Vecchio'],
      [2, 101, 'Italia'],
    );
    const segment = jpegSegment(0xed, 'Photoshop 3.0\0', photoshopResources([0x0404, record]));
    const metadata = redact(await readEmbeddedMetadata(memoryReader(jpegWith(jpeg, segment)), 'jpeg'));
    expect(metadata.iptc).toEqual({
      Keywords: ['harbour'],
      City: 'Genova',
      Sublocation: 'Molo Vecchio',
      Country: 'Italia',
    });
    const published = Buffer.from(metadata.descriptive.iptc ?? '', 'base64').toString('latin1');
    expect(published).toContain('Molo Vecchio');
    expect(published).not.toContain('57.64911');
  });
});

describe('redact on the XMP packet', () => {
  test('removes private attributes and elements and preserves all other characters', async () => {
    const packet = xmpPacket(
      [
        '   <exif:GPSLongitude>2,21.05E</exif:GPSLongitude>',
        '   <photoshop:City>Paris</photoshop:City>',
        '   <aux:LensSerialNumber>0000c15998</aux:LensSerialNumber>',
        '   <dc:source  >Negative <![CDATA[& <print>]]></dc:source>',
      ].join('\n'),
      `exif:GPSLatitude="48,51.4N"\n  aux:SerialNumber='1234567890'\txmp:Label="Ré&amp;d"`,
    );
    expect(await publishedPacket(packet)).toBe(
      [
        '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>',
        '<x:xmpmeta xmlns:x="adobe:ns:meta/">',
        ' <rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">',
        '  <rdf:Description rdf:about="" xmlns:dc="http://purl.org/dc/elements/1.1/"',
        '    xmlns:xmp="http://ns.adobe.com/xap/1.0/" xmlns:exif="http://ns.adobe.com/exif/1.0/"',
        '    xmlns:aux="http://ns.adobe.com/exif/1.0/aux/" xmlns:photoshop="http://ns.adobe.com/photoshop/1.0/"',
        '    xmlns:xmpNote="http://ns.adobe.com/xmp/note/"\txmp:Label="Ré&amp;d">',
        '   ',
        '   <photoshop:City>Paris</photoshop:City>',
        '   ',
        '   <dc:source  >Negative <![CDATA[& <print>]]></dc:source>',
        '  </rdf:Description>',
        ' </rdf:RDF>',
        '</x:xmpmeta>',
        '<?xpacket end="r"?>',
      ].join('\n'),
    );
  });

  test.each([
    ['another prefix', '<e:GPSAltitude xmlns:e="http://ns.adobe.com/exif/1.0/">SECRET</e:GPSAltitude>'],
    ['the default namespace', '<GPSLatitude xmlns="http://ns.adobe.com/exif/1.0/">SECRET</GPSLatitude>'],
    ['a structure', '<dc:x rdf:parseType="Resource"><exif:GPSLatitude>SECRET</exif:GPSLatitude></dc:x>'],
    [
      'a value with qualifiers',
      '<exif:GPSLatitude><rdf:Description><rdf:value>SECRET</rdf:value></rdf:Description></exif:GPSLatitude>',
    ],
    ['an attribute in single quotes', "<dc:x exif:GPSDestLongitude = 'SECRET'/>"],
    ["a drone's own field", '<d:GpsLongtitude xmlns:d="http://www.dji.com/drone-dji/1.0/">SECRET</d:GpsLongtitude>'],
    ['geographic vocabularies', '<g:lat xmlns:g="http://www.w3.org/2003/01/geo/wgs84_pos#">SECRET</g:lat>'],
    ['a comment', '<!-- SECRET -->'],
    ['a processing instruction', '<?note SECRET?>'],
    ['quoted markup', '<dc:x>&lt;exif:GPSLatitude>SECRET&lt;/exif:GPSLatitude></dc:x>'],
    ['quoted markup in CDATA', '<dc:x><![CDATA[<aux:SerialNumber>SECRET]]></dc:x>'],
    ['entities within a name that is quoted', '<dc:x>&#71;PSLatitude=SECRET</dc:x>'],
    ['a geo URI', '<dc:x>geo:48.8,SECRET</dc:x>'],
    [
      'a serial number of Microsoft',
      '<m:CameraSerialNumber xmlns:m="http://ns.microsoft.com/photo/1.0/">SECRET</m:CameraSerialNumber>',
    ],
    ['the owner', '<aux:OwnerName>SECRET</aux:OwnerName>'],
    ["a maker's note", '<exif:MakerNote>SECRET</exif:MakerNote>'],
    ['an embedded picture', '<i:Data xmlns:i="http://ns.google.com/photos/1.0/image/">SECRET</i:Data>'],
    ['thumbnails', '<xmp:Thumbnails><rdf:Alt><rdf:li>SECRET</rdf:li></rdf:Alt></xmp:Thumbnails>'],
  ])('finds private metadata in %s', async (_, property) => {
    const published = await publishedPacket(xmpPacket(`${property}<photoshop:City>Paris</photoshop:City>`));
    expect(published).not.toContain('SECRET');
    expect(published).toContain('<photoshop:City>Paris</photoshop:City>');
  });

  test('keeps what the policy permits but no embedded files', async () => {
    const packet = xmpPacket(
      '<exif:MakerNote>BLOB</exif:MakerNote>',
      'exif:GPSLatitude="48,51.4N" aux:SerialNumber="12"',
    );
    const all = await publishedPacket(packet, { gps: false, serialNumbers: false });
    expect(all).toMatch(/48,51\.4N.*"12"/su);
    expect(all).not.toContain('BLOB');
    const places = await publishedPacket(packet, { gps: false, serialNumbers: true });
    expect(places).toContain('48,51.4N');
    expect(places).not.toContain('"12"');
  });

  test('removes tiff:Orientation', async () => {
    const tiff = 'xmlns:tiff="http://ns.adobe.com/tiff/1.0/"';
    const attribute = await publishedPacket(xmpPacket('', `${tiff} tiff:Orientation="6" tiff:Make="Maker"`));
    const element = await publishedPacket(xmpPacket('<tiff:Orientation>8</tiff:Orientation>', tiff));
    expect(attribute + element).not.toContain('Orientation');
    expect(attribute).toContain('tiff:Make="Maker"');
  });

  test('keeps captions that mention serial numbers, and ISO speed latitude', async () => {
    const packet = xmpPacket(
      '<photoshop:Headline>Locomotive, serial number 4711</photoshop:Headline>' +
        '<exif:ISOSpeedLatitudeyyy>200</exif:ISOSpeedLatitudeyyy>',
    );
    expect(await publishedPacket(packet)).toMatch(/serial number 4711.*ISOSpeedLatitudeyyy>200/su);
  });
});

test('redact removes coordinates and serial numbers in every notation', async () => {
  const secret = fc.integer({ min: 10_000_000, max: 99_999_999 }).map((number) => `Q${number}Z`);
  const coordinate = fc.tuple(fc.integer({ min: 10, max: 89 }), fc.integer({ min: 1_000_003, max: 9_999_999 }));
  const place = fc.constantFrom('GPSLatitude', 'GPSLongitude', 'GPSDestLatitude', 'GPSAltitude', 'GPSImgDirection');
  const number = fc.constantFrom('SerialNumber', 'LensSerialNumber', 'BodySerialNumber', 'InternalSerialNumber');
  const form = fc.constantFrom<((name: string, value: string) => [attribute: string, element: string])[]>(
    (name, value) => [`p:${name}="${value}"`, ''],
    (name, value) => ['', `<p:${name}>${value}</p:${name}>`],
    (name, value) => ['', `<dc:x><rdf:Bag><rdf:li><rdf:Description p:${name}='${value}'/></rdf:li></rdf:Bag></dc:x>`],
    (name, value) => ['', `<p:${name}><rdf:Seq><rdf:li>${value}</rdf:li></rdf:Seq></p:${name}>`],
    (name, value) => ['', `<n:${name} xmlns:n="urn:any">\n${value} </n:${name}>`],
  );
  const property = fc.tuple(fc.oneof(place, number), form, secret);
  await fc.assert(
    fc.asyncProperty(
      coordinate,
      secret,
      fc.array(property, { maxLength: 6 }),
      async ([whole, part], serial, written) => {
        const uniquely = new Map(written.map((entry) => [entry[0], entry]));
        const forms = [...uniquely.values()].map(([name, write, value]) => write(name, value));
        const packet = xmpPacket(
          forms.map(([, element]) => element).join('\n'),
          `xmlns:p="urn:p" ${forms.map(([attribute]) => attribute).join(' ')}`,
        );
        const block = exifBlock({
          image: [text(271, 'Maker'), text(50_735, serial)],
          exif: [text(0xa431, serial), text(0xa435, `${serial}L`), blob(0x927c, Buffer.from(serial))],
          gps: [text(1, 'N'), rational(2, part, 1000, 0, 1, 0, 1), text(3, 'E'), rational(4, part, whole, 0, 1, 0, 1)],
        });
        const bytes = jpegWith(
          jpeg,
          jpegSegment(0xe1, 'Exif\0\0', block),
          jpegSegment(0xe1, 'http://ns.adobe.com/xap/1.0/\0', Buffer.from(packet)),
        );
        const metadata = await readEmbeddedMetadata(memoryReader(bytes), 'jpeg');
        const redacted = redact(metadata);
        const sidecar = Buffer.from(sidecarBytes(makeSidecar({ ...sidecarRequest, metadata: redacted }))).toString(
          'utf8',
        );
        const published = Object.values(redacted.descriptive).join('\n');
        const decoded = Buffer.from(redacted.descriptive.xmp ?? '', 'base64').toString('utf8');
        expect(metadata.gps?.['GPSLatitude']).toEqual([part / 1000, 0, 0]);
        expect(redacted.warnings).toEqual([]);
        expect(decoded).toContain('</rdf:RDF>');
        for (const hidden of [
          serial,
          String(part / 1000),
          String(part / whole),
          ...written.map(([, , value]) => value),
        ]) {
          expect(sidecar).not.toContain(hidden);
          expect(published).not.toContain(hidden);
          expect(decoded).not.toContain(hidden);
        }
      },
    ),
    { numRuns: 150 },
  );
});

import { describe, expect, test } from '@jest/globals';
import type { EmbeddedMetadata, MetadataFields } from '../../src/metadata/embedded-metadata.ts';
import { redact } from '../../src/metadata/redact.ts';
import { iptcRecord, xmpPacket } from '../support/embedded.ts';

function metadataOf(exif: MetadataFields, more: Partial<EmbeddedMetadata> = {}): EmbeddedMetadata {
  return { exif, iptc: {}, descriptive: {}, warnings: [], ...more };
}

/** The Exif fields that are kept beside a serial number. */
const besides = (SerialNumber: string | number, fields: MetadataFields): MetadataFields =>
  redact(metadataOf({ SerialNumber, ...fields })).exif;

describe('a serial number is removed from other values', () => {
  test('where it is the whole value, in any case and with any number of leading zeros', () => {
    expect(besides('0000C15998', { UserComment: ' c15998 ', ImageUniqueID: '00C15998', Software: 'A' })).toEqual({
      Software: 'A',
    });
    expect(besides(30_045_678, { ImageNumber: 30_045_678, UserComment: '30045678' })).toEqual({});
  });

  test('where it stands as a word within a text', () => {
    expect(besides('C15998', { ImageDescription: 'Taken with C15998, 1901; C159987 and XC15998 are others' })).toEqual({
      ImageDescription: 'Taken with [removed], 1901; C159987 and XC15998 are others',
    });
  });

  test('where an identifier is made from it', () => {
    expect(besides('1581F4BN2203', { ImageUniqueID: 'F1581f4bn2203A0042', UserComment: 'DJI_1581F4BN2203_1' })).toEqual(
      {},
    );
    expect(besides('12345678', { ImageDescription: 'SN12345678 and 9123456789' })).toEqual({
      ImageDescription: 'SN[removed] and 9123456789',
    });
  });

  test('where one word of it stands', () => {
    expect(besides('Body: 4711-0815', { ImageDescription: 'No. 4711-0815' })).toEqual({
      ImageDescription: 'No. [removed]',
    });
  });
});

describe('other values are kept', () => {
  test.each([
    ['of one digit', '1', { ImageDescription: '1 of 10 bridges, 1901', ISO: 1, UserComment: '1' }],
    ['of four digits, in a text', '1901', { ImageDescription: 'Bridge, 1901', ExifImageWidth: 1901 }],
    ['of five digits, in a text', '12345', { ImageDescription: 'Inventory 12345' }],
    ['of zeros', '0000000', { ImageDescription: 'Sheet 0000000', UserComment: '0000000' }],
    ['without digits', 'internal', { ImageDescription: 'An internal view' }],
    ['that is empty', '', { ImageDescription: 'Bridge' }],
  ])('beside a serial number %s', (_, serial, fields) => {
    expect(besides(serial, fields)).toEqual(fields);
  });

  test('where a name of the owner of the camera credits or describes', () => {
    const fields = {
      OwnerName: 'Ada Muster',
      Artist: 'Ada Muster',
      Copyright: '© Ada Muster',
      UserComment: 'Ada Muster',
    };
    const packet = xmpPacket(
      '<dc:creator><rdf:Seq><rdf:li>Ada Muster</rdf:li></rdf:Seq></dc:creator><p:Owner xmlns:p="urn:p">Ada Muster</p:Owner>',
    );
    const { exif, xmp, iptc } = redact(
      metadataOf(fields, { iptc: { Byline: 'Ada Muster' }, xmp: { packet, fields: { 'dc:creator': 'Ada Muster' } } }),
    );
    expect(exif).toEqual({ Artist: 'Ada Muster', Copyright: '© Ada Muster' });
    expect(iptc).toEqual({ Byline: 'Ada Muster' });
    expect(xmp?.fields).toEqual({ 'dc:creator': 'Ada Muster' });
    expect(xmp?.packet).toContain('<rdf:li>Ada Muster</rdf:li>');
    expect(xmp?.packet).not.toContain('p:Owner>');
  });

  test('where dates, versions and whole numbers of the GPS fields stand elsewhere', () => {
    const fields = {
      DateTimeOriginal: '2019-05-04T12:30:01',
      FocalLength: 35,
      ImageDescription: 'On 2019:05:04, 12:30',
    };
    const gps = {
      GPSVersionID: '2.3.0.0',
      GPSLatitude: [48, 51, 24],
      GPSAltitude: 35,
      GPSDateStamp: '2019:05:04',
      GPSTimeStamp: [12, 30, 1],
      GPSMapDatum: 'WGS-84',
    };
    expect(redact(metadataOf({ ...fields, Software: 'WGS-84 2.3.0.0' }, { gps })).exif).toEqual({
      ...fields,
      Software: 'WGS-84 2.3.0.0',
    });
  });

  test('where the recipe keeps positions or serial numbers', () => {
    const metadata = metadataOf(
      { SerialNumber: '1581F4BN2203', UserComment: '1581F4BN2203 at 48.856614, 2.352222' },
      { gps: { latitude: 48.856614 } },
    );
    expect(redact(metadata, { gps: false, serialNumbers: true }).exif).toEqual({
      UserComment: '[removed] at 48.856614, 2.352222',
    });
    expect(redact(metadata, { gps: true, serialNumbers: false }).exif).toEqual({
      SerialNumber: '1581F4BN2203',
      UserComment: '1581F4BN2203 at [removed]',
    });
  });
});

describe('the coordinates of the GPS fields are removed', () => {
  const gps = { latitude: 48.856614, longitude: -2.352222 };
  test('from texts that have one of them alone', () => {
    const fields = { ImageDescription: 'y 48.85661 x -2.3522 z 35.1234', UserComment: '2.3522219' };
    expect(redact(metadataOf(fields, { gps })).exif).toEqual({
      ImageDescription: 'y [removed] x [removed] z 35.1234',
    });
  });

  test('from damaged numbers', () => {
    expect(redact(metadataOf({ ImageDescription: 'GPS 48.856612.352222' }, { gps })).exif).toEqual({
      ImageDescription: 'GPS [removed].352222',
    });
  });

  test('from numbers', () => {
    expect(redact(metadataOf({ Y: 48.856614, Z: 48.9, L: [1, 2.352222] }, { gps })).exif).toEqual({ Z: 48.9, L: [1] });
  });
});

test('the marks of removed values do not break the markup around them', () => {
  const packet = xmpPacket(
    '<dc:title>A &lt;b&gt; 1581F4BN2203 <![CDATA[& <c>]]></dc:title>' +
      '<dc:source>x<!-- 1581F4BN2203 -->1581F4BN2203 y</dc:source>',
    `xmlns:p="urn:p" p:SerialNumber='1581F4BN2203' xmp:Label='"1581F4BN2203" &amp; more'`,
  );
  const published = redact(metadataOf({}, { xmp: { packet, fields: {} } })).xmp?.packet;
  expect(published).toContain('<dc:title>A &lt;b&gt; [removed] &amp; &lt;c&gt;</dc:title>');
  expect(published).toContain('<dc:source>x[removed] y</dc:source>');
  expect(published).toContain('xmp:Label="&quot;[removed]&quot; &amp; more"');
  expect(published).not.toContain('1581F4BN2203');
});

test('an element whose name contains a serial number is removed, a packet whose namespace does is left out', () => {
  const serial = '<aux:SerialNumber>1581F4BN2203</aux:SerialNumber>';
  const published = (properties: string, attributes?: string) =>
    redact(metadataOf({}, { xmp: { packet: xmpPacket(serial + properties, attributes), fields: {} } }));
  const named = published('<dc:unit1581F4BN2203>a</dc:unit1581F4BN2203><dc:source>b</dc:source>');
  expect(named.xmp?.packet).toMatch(/<dc:source>b</u);
  expect(named.xmp?.packet).not.toContain('1581F4BN2203');
  const { xmp, warnings } = published('<p:a>b</p:a>', 'xmlns:p="urn:1581F4BN2203"');
  expect(xmp).toBeUndefined();
  expect(warnings).toEqual(['XMP: the packet is left out because the name of a namespace contains private metadata']);
});

test('a serial number is removed from the datasets of every IPTC record, in their own encoding', () => {
  const record = iptcRecord(
    [1, 30, '1581F4BN2203'],
    [1, 50, 'from 1581F4BN2203'],
    [2, 105, Buffer.from('Brücke C15998, Ü', 'latin1')],
    [2, 120, 'Brücke C15998, Ü'],
    [2, 80, Buffer.from('Café', 'latin1')],
  );
  const { descriptive } = redact(
    metadataOf(
      { SerialNumber: '1581F4BN2203', LensSerialNumber: 'C15998' },
      { descriptive: { iptc: record.toString('base64') } },
    ),
  );
  const expected = iptcRecord(
    [1, 50, 'from [removed]'],
    [2, 105, Buffer.from('Brücke [removed], Ü', 'latin1')],
    [2, 120, 'Brücke [removed], Ü'],
    [2, 80, Buffer.from('Café', 'latin1')],
  );
  expect(Buffer.from(descriptive.iptc ?? '', 'base64').toString('latin1')).toBe(expected.toString('latin1'));
});

test('an IPTC record is left out if a serial number spans the header of a dataset', () => {
  const record = Buffer.concat([Buffer.from([0x1c, 2, 120, 0]), Buffer.from(`1581F4BN2203${' '.repeat(38)}`)]);
  const { descriptive, warnings } = redact(
    metadataOf({ SerialNumber: '1581F4BN2203' }, { descriptive: { iptc: record.toString('base64') } }),
  );
  expect(descriptive).toEqual({});
  expect(warnings).toEqual(['IPTC: the record is left out because private metadata remains in it']);
});

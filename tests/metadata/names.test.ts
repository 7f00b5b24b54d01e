import { describe, expect, test } from '@jest/globals';
import { exifFieldName, imageFieldName } from '../../src/metadata/exif-names.ts';
import { exifValueName } from '../../src/metadata/exif-value-names.ts';
import { gpsFieldName } from '../../src/metadata/gps-names.ts';
import { iptcFieldName } from '../../src/metadata/iptc-names.ts';

const TAGS = Array.from({ length: 65_536 }, (_, tag) => tag);
const named = (nameOf: (tag: number) => string | undefined): number =>
  TAGS.filter((tag) => nameOf(tag) !== undefined).length;

describe('names of metadata fields', () => {
  test.each([
    [imageFieldName, 0x010e, 'ImageDescription'],
    [imageFieldName, 0x0132, 'ModifyDate'],
    [imageFieldName, 0xc62f, 'CameraSerialNumber'],
    [exifFieldName, 0x8827, 'ISO'],
    [exifFieldName, 0x9004, 'CreateDate'],
    [exifFieldName, 0x9217, 'SensingMethod'],
    [exifFieldName, 0xa217, 'SensingMethod'],
    [exifFieldName, 0xa431, 'SerialNumber'],
    [exifFieldName, 0xa462, 'CompositeImageExposureTimes'],
    [gpsFieldName, 0x0000, 'GPSVersionID'],
    [gpsFieldName, 0x0012, 'GPSMapDatum'],
    [gpsFieldName, 0x001f, 'GPSHPositioningError'],
    [iptcFieldName, 5, 'ObjectName'],
    [iptcFieldName, 120, 'Caption'],
  ])('%p names tag %i %s', (nameOf, tag, name) => {
    expect(nameOf(tag)).toBe(name);
  });

  test.each([
    ['the orientation of the first directory', imageFieldName, 0x0112],
    ['the Exif pointer', imageFieldName, 0x8769],
    ['MakerNote', exifFieldName, 0x927c],
    ['the interoperability pointer', exifFieldName, 0xa005],
    ['the CFA pattern', exifFieldName, 0xa302],
    ['a GPS tag that Exif does not define', gpsFieldName, 0x0020],
    ['the preview of an IPTC record', iptcFieldName, 202],
  ])('%s has no name, so it is not kept', (_, nameOf, tag) => {
    expect(nameOf(tag)).toBeUndefined();
  });

  test('the tables hold 17 image fields, 158 Exif fields, 32 GPS fields and 59 IPTC datasets', () => {
    expect([imageFieldName, exifFieldName, gpsFieldName, iptcFieldName].map(named)).toEqual([17, 158, 32, 59]);
  });
});

test.each([
  [0x8822, 1, 'Manual'],
  [0x9207, 255, 'Other'],
  [0x9208, 24, 'ISO studio tungsten'],
  [0x9209, 95, 'Flash fired, auto mode, return light detected, red-eye reduction mode'],
  [0xa210, 3, 'Centimeter'],
  [0xa300, 3, 'Digital Camera'],
  [0xa40a, 2, 'High'],
  [0xa460, 3, 'Composite Image Captured While Shooting'],
  [0xa460, 4, undefined],
  [0x829a, 1, undefined],
])('value %#: tag %i, value %i is %s', (tag, value, word) => {
  expect(exifValueName(tag, value)).toBe(word);
});

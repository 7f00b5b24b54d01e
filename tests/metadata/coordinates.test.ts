import { describe, expect, test } from '@jest/globals';
import { withoutCoordinates } from '../../src/metadata/coordinates.ts';

describe('coordinates within a text are removed', () => {
  test.each([
    'Lat: 48.8567 Lon: 2.3522',
    '"latitude":48.8567,"longitude":-2.3522',
    '{"MAPLatitude": 48.85, "MAPLongitude": 2.35}',
    "lat='48.8567' lng='2.3522'",
    'Latitude 48.8567, Longitude 2.3522',
    'N 48° 51\' 24.30", E 2° 21\' 3.10"',
    'N48°51.403′ E002°21.052′',
    '48 deg 51\' 24.30" N, 2 deg 21\' 3.10" E',
    '48°51′24″N 2°21′3″E',
    '48.8567° N, 2.3522° E',
    '48°51\'24.3", 2°21\'3.1"',
    'N48.8567 E2.3522',
    'N48 51.403 E002 21.052',
    '48.8567N 2.3522E',
    '48:51:24N, 002:21:03E',
    '485124N 0022103E',
    '48,51.4N 2,21.05E',
    '48,51,24N',
    '+48.8567+002.3522+035.000/',
    '+4851.40-00221.05CRSWGS_84/',
    '$GPGGA,123519,4851.403,N,00221.052,E,1,08',
    '31U 448251 5411932',
    '48.856614, 2.352222',
    '48.856614,-2.352222',
    '(-33.8567; 151.2152)',
    'https://maps.example.org/@48.8567,2.3522,17z',
  ])('%s', (text) => {
    const kept = withoutCoordinates(`Bridge 1901 ${text} north side`, true);
    expect(kept).toMatch(/^Bridge 1901 .*\[removed\].* north side$/u);
    expect(kept.replace('Bridge 1901', '')).not.toMatch(/\d{2}[.,:°]\d|48\d{4}|\b51\b/u);
  });
});

describe('numbers that are no coordinates are kept', () => {
  test.each([
    'Negative 12.5 x 17.5 cm, 1901',
    'A force of 12.345 N and 0.125 W',
    'On the 45° N parallel',
    'Turned by 90° E of the church, at 20° C',
    'Sheet 48, 51 and 52, plate N 12',
    'f/2.8 1/125s ISO 100',
    'Lat. Pinus sylvestris, long 120 cm',
    'Version 1.2.3.4, 10.5281/zenodo.1234567',
    '2019-05-04 12:30:01+02:00',
    'Inv. 1234.5678',
    'Principal point 4.81, 3.61 mm',
    'The latitude of the film was 1.5 stops',
  ])('%s', (text) => {
    expect(withoutCoordinates(text, true)).toBe(text);
  });

  test('and unlabelled pairs of decimal numbers are kept in technical values', () => {
    expect(withoutCoordinates('4.81234, 3.61234', false)).toBe('4.81234, 3.61234');
    expect(withoutCoordinates('4.81234, 3.61234', true)).toBe('[removed]');
    expect(withoutCoordinates('148.81234, 3.61234', true)).toBe('148.81234, 3.61234');
  });
});

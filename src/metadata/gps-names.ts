/** Names of the fields of the GPS directory (Exif 2.32, section 4.6.6); the index is the tag. */
const gpsFields: readonly string[] = [
  'GPSVersionID',
  'GPSLatitudeRef',
  'GPSLatitude',
  'GPSLongitudeRef',
  'GPSLongitude',
  'GPSAltitudeRef',
  'GPSAltitude',
  'GPSTimeStamp',
  'GPSSatellites',
  'GPSStatus',
  'GPSMeasureMode',
  'GPSDOP',
  'GPSSpeedRef',
  'GPSSpeed',
  'GPSTrackRef',
  'GPSTrack',
  'GPSImgDirectionRef',
  'GPSImgDirection',
  'GPSMapDatum',
  'GPSDestLatitudeRef',
  'GPSDestLatitude',
  'GPSDestLongitudeRef',
  'GPSDestLongitude',
  'GPSDestBearingRef',
  'GPSDestBearing',
  'GPSDestDistanceRef',
  'GPSDestDistance',
  'GPSProcessingMethod',
  'GPSAreaInformation',
  'GPSDateStamp',
  'GPSDifferential',
  'GPSHPositioningError',
];

/** The name of a field of the GPS directory. */
export function gpsFieldName(tag: number): string | undefined {
  return gpsFields[tag];
}

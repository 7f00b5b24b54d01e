/**
 * Coordinates within texts, in the notations of cameras, drones, telephones and GPS receivers:
 * decimal degrees, degrees and minutes, Exif for XMP, ISO 6709, NMEA 0183 and UTM. Every quantifier
 * is bounded, so that matching takes linear time.
 */

/** Stands in a text where something private was removed. */
export const REMOVED = '[removed]';

const before = String.raw`(?<![\p{L}\p{N}.])`;
const after = String.raw`(?![\p{L}\p{N}])`;
const fraction = String.raw`\.\d{1,20}`;
const degreeSign = String.raw`\s?(?:[°º˚]|deg(?:rees)?\b)\s?`;
const minutes = String.raw`\d{1,2}(?:${fraction})?\s?(?:['′’´]|min\b)`;
const seconds = String.raw`\d{1,2}(?:${fraction})?\s?(?:["″”]|''|′′|sec\b)`;
/** 48° 51′ 24.3″, 48°51.4′, 48.8567° */
const degrees = String.raw`\d{1,3}(?:\.\d{3,20}${degreeSign}|${degreeSign}${minutes}(?:\s?${seconds})?)`;
/** 48.8567, 48 51.403, 48 51 24.3, 48:51:24 */
const plain = String.raw`\d{1,3}(?:${fraction}|[ :]\d{1,2}(?:${fraction}|[ :]\d{1,2}(?:${fraction})?))`;
const between = String.raw`[,;/ ]{1,3}`;
const decimal = String.raw`[-+]?\d{1,3}\.\d{4,20}(?:\s?[°º˚])?`;

/** Any notation that states what it is. */
const stated: readonly RegExp[] = [
  // Latitude: 48.8567, "lng":2.3522, Lat=N48°51.4'
  expression(
    String.raw`(?:latitude|longt?itude|(?<!\p{L})(?:lat|lon|lng|long(?=["']?\s?[:=])))["']?\s{0,3}(?:[:=]\s{0,3}["']?(?:[NSEW]\s?)?[-+]?(?:${degrees}|\d{1,3}\.\d{2,20})|(?:[NSEW]\s?)?[-+]?(?:${degrees}|\d{1,3}\.\d{3,20}))(?:\s?[NSEW]${after})?`,
    'i',
  ),
  // N 48° 51' 24.3", E 2° 21' 3.1"
  expression(`${before}[NS]\\s?${degrees}[,;/ ]{0,3}[EW]\\s?${degrees}`),
  // 48°51'24.3"N 2°21'3.1"E
  expression(`${before}${degrees}\\s?[NS][,;/ ]{0,3}${degrees}\\s?[EW]${after}`),
  // N 48° 51' 24.3", 48 deg 51' 24.30" N
  expression(`${before}[NSEW]\\s?${degrees}`),
  expression(`${before}${degrees}\\s?[NSEW]${after}`),
  // 48°51'24.3", 2°21'3.1"
  expression(`${before}[-+]?${degrees}${between}[-+]?${degrees}`),
  // N48.8567 E2.3522, N48 51.403 E002 21.052
  expression(`${before}[NS]\\s?${plain}${between}[EW]\\s?${plain}`),
  // 48.8567N 2.3522E
  expression(`${before}${plain}\\s?[NS][,;/ ]{0,3}${plain}\\s?[EW]${after}`),
  // 485124N 0022103E
  expression(String.raw`${before}\d{6}(?:${fraction})?[NS][,;/ ]{0,3}\d{7}(?:${fraction})?[EW]${after}`),
  // 48,51.4N and 48,51,24N: Exif for XMP (CIPA DC-X010, GPSCoordinate).
  expression(String.raw`${before}\d{1,3},\d{1,2}(?:${fraction}|,\d{1,2}(?:${fraction})?)[NSEW]${after}`),
  // +48.8567+002.3522+035/: ISO 6709.
  expression(
    String.raw`(?<![\d.])[-+]\d{2,6}(?:${fraction})?[-+]\d{3,7}(?:${fraction})?(?:[-+]\d{1,6}(?:${fraction})?)?(?:CRS[\w:]{1,20})?/`,
  ),
  // 4851.403,N,00221.052,E: NMEA 0183.
  expression(String.raw`${before}\d{4}\.\d{2,20},[NS],\d{5}\.\d{2,20},[EW]${after}`),
  // 31U 448251 5411932
  expression(
    String.raw`${before}\d{1,2}\s?[C-HJ-NP-X],?\s{1,2}\d{6}(?:\.\d{1,6})?(?:\s?m?E)?,?\s{1,2}\d{6,7}(?:\.\d{1,6})?(?:\s?m?N)?${after}`,
  ),
];

/** Two numbers of at least four decimals (11 m): coordinates in a text about a picture. */
const pair = expression(`${before}(${decimal})(?:\\s?[NSEW])?${between}(${decimal})(?:\\s?[NSEW])?(?![\\p{L}\\p{N}.])`);

/**
 * Replaces coordinates in a text by `REMOVED`. `isProse`: the text is a caption, title or comment,
 * in which an unlabelled pair of decimal numbers is a position as well.
 */
export function withoutCoordinates(text: string, isProse: boolean): string {
  if (!/\d/u.test(text)) return text;
  const rest = stated.reduce((kept, pattern) => kept.replace(pattern, REMOVED), text);
  if (!isProse) return rest;
  return rest.replace(pair, (whole, latitude: string, longitude: string) =>
    Math.abs(parseFloat(latitude)) <= 90 && Math.abs(parseFloat(longitude)) <= 180 ? REMOVED : whole,
  );
}

/** Degrees of a coordinate in the notation of Exif for XMP: 48,51.4N or 48,51,24N. */
export function degreesOfXmp(value: string): number | undefined {
  const [, whole, minute, second = '0'] =
    /^(\d{1,3}),(\d{1,2}(?:\.\d{1,20})?)(?:,(\d{1,2}(?:\.\d{1,20})?))?[NSEW]$/u.exec(value) ?? [];
  return whole === undefined ? undefined : Number(whole) + Number(minute) / 60 + Number(second) / 3600;
}

function expression(source: string, flags = ''): RegExp {
  return new RegExp(source, `gu${flags}`);
}

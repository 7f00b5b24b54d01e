/**
 * Colour arithmetic in floating point from its definitions, without the project's code and
 * libraries.
 */

export type Triple = readonly [number, number, number];
export type Matrix = readonly [Triple, Triple, Triple];

/** The white of the ICC profile connection space (ICC.1:2022, 7.2.16). */
export const D50: Triple = [0.9642, 1, 0.8249];

export function multiply(matrix: Matrix, vector: Triple): Triple {
  return matrix.map((row) => row[0] * vector[0] + row[1] * vector[1] + row[2] * vector[2]) as unknown as Triple;
}

function product(a: Matrix, b: Matrix): Matrix {
  const columns = [0, 1, 2].map((column) => multiply(a, [b[0][column] ?? 0, b[1][column] ?? 0, b[2][column] ?? 0]));
  return [0, 1, 2].map((row) => columns.map((column) => column[row] ?? 0)) as unknown as Matrix;
}

export function inverse([[a, b, c], [d, e, f], [g, h, i]]: Matrix): Matrix {
  const determinant = a * (e * i - f * h) - b * (d * i - f * g) + c * (d * h - e * g);
  const over = (value: number): number => value / determinant;
  return [
    [over(e * i - f * h), over(c * h - b * i), over(b * f - c * e)],
    [over(f * g - d * i), over(a * i - c * g), over(c * d - a * f)],
    [over(d * h - e * g), over(b * g - a * h), over(a * e - b * d)],
  ];
}

export function xyzOfChromaticity([x, y]: readonly [number, number]): Triple {
  return [x / y, 1, (1 - x - y) / y];
}

/** Linear Bradford adaptation (ICC.1:2022, annex E) from one white to another. */
export function bradford(from: Triple, to: Triple): Matrix {
  const cones: Matrix = [
    [0.8951, 0.2664, -0.1614],
    [-0.7502, 1.7135, 0.0367],
    [0.0389, -0.0685, 1.0296],
  ];
  const [source, target] = [multiply(cones, from), multiply(cones, to)];
  const scale: Matrix = [
    [target[0] / source[0], 0, 0],
    [0, target[1] / source[1], 0],
    [0, 0, target[2] / source[2]],
  ];
  return product(inverse(cones), product(scale, cones));
}

/** XYZ under D50 to linear sRGB: IEC 61966-2-1 primaries and D65, adapted. */
const toLinearSrgb = ((): Matrix => {
  const white = xyzOfChromaticity([0.3127, 0.329]);
  const primaries = (
    [
      [0.64, 0.33],
      [0.3, 0.6],
      [0.15, 0.06],
    ] as const
  ).map(xyzOfChromaticity);
  const unscaled = [0, 1, 2].map((row) => primaries.map((primary) => primary[row] ?? 0)) as unknown as Matrix;
  const scale = multiply(inverse(unscaled), white);
  const scaled = unscaled.map((row) => row.map((value, column) => value * (scale[column] ?? 0))) as unknown as Matrix;
  return inverse(product(bradford(white, D50), scaled));
})();

/** IEC 61966-2-1, clipped to the sRGB gamut. */
export function encodeSrgb(linear: number): number {
  const clipped = Math.min(1, Math.max(0, linear));
  return clipped <= 0.003_130_8 ? 12.92 * clipped : 1.055 * clipped ** (1 / 2.4) - 0.055;
}

export function decodeSrgb(encoded: number): number {
  return encoded <= 0.040_45 ? encoded / 12.92 : ((encoded + 0.055) / 1.055) ** 2.4;
}

/** sRGB from 0 to 1, of XYZ under D50. */
export function srgbOfXyz(xyz: Triple): Triple {
  return multiply(toLinearSrgb, xyz).map(encodeSrgb) as unknown as Triple;
}

export function xyzOfLab([lightness, a, b]: Triple): Triple {
  const y = (lightness + 16) / 116;
  const decode = (value: number): number => (value > 6 / 29 ? value ** 3 : 3 * (6 / 29) ** 2 * (value - 4 / 29));
  return [D50[0] * decode(y + a / 500), D50[1] * decode(y), D50[2] * decode(y - b / 200)];
}

export function labOfXyz(xyz: Triple): Triple {
  const encode = (ratio: number): number =>
    ratio > (6 / 29) ** 3 ? Math.cbrt(ratio) : ratio / (3 * (6 / 29) ** 2) + 4 / 29;
  const [x, y, z] = [encode(xyz[0] / D50[0]), encode(xyz[1] / D50[1]), encode(xyz[2] / D50[2])];
  return [116 * y - 16, 500 * (x - y), 200 * (y - z)];
}

/** CIE L*a*b* under D50, of sRGB from 0 to 1. */
export function labOfSrgb(srgb: Triple): Triple {
  return labOfXyz(multiply(inverse(toLinearSrgb), srgb.map(decodeSrgb) as unknown as Triple));
}

const { PI, sqrt, atan2, sin, cos, exp, abs, hypot } = Math;
const radians = (degrees: number): number => (degrees * PI) / 180;

/** CIEDE2000 (CIE 142-2001; Sharma, Wu and Dalal 2005), all weights 1. */
export function deltaE2000([l1, a1, b1]: Triple, [l2, a2, b2]: Triple): number {
  const mean7 = ((hypot(a1, b1) + hypot(a2, b2)) / 2) ** 7;
  const g = 0.5 * (1 - sqrt(mean7 / (mean7 + 25 ** 7)));
  const [x1, x2] = [a1 * (1 + g), a2 * (1 + g)];
  const [c1, c2] = [hypot(x1, b1), hypot(x2, b2)];
  const hue = (x: number, y: number): number => (atan2(y, x) * 180) / PI + (atan2(y, x) < 0 ? 360 : 0);
  const [h1, h2] = [hue(x1, b1), hue(x2, b2)];
  const isGrey = c1 * c2 === 0;
  const turn = h2 - h1;
  const hueStep = isGrey ? 0 : abs(turn) <= 180 ? turn : turn > 180 ? turn - 360 : turn + 360;
  const [dL, dC, dH] = [l2 - l1, c2 - c1, 2 * sqrt(c1 * c2) * sin(radians(hueStep / 2))];
  const [meanL, meanC] = [(l1 + l2) / 2, (c1 + c2) / 2];
  const sum = h1 + h2;
  const meanH = isGrey ? sum : abs(turn) <= 180 ? sum / 2 : sum < 360 ? (sum + 360) / 2 : (sum - 360) / 2;
  const t =
    1 -
    0.17 * cos(radians(meanH - 30)) +
    0.24 * cos(radians(2 * meanH)) +
    0.32 * cos(radians(3 * meanH + 6)) -
    0.2 * cos(radians(4 * meanH - 63));
  const sL = 1 + (0.015 * (meanL - 50) ** 2) / sqrt(20 + (meanL - 50) ** 2);
  const sC = 1 + 0.045 * meanC;
  const sH = 1 + 0.015 * meanC * t;
  const rotation =
    -2 * sqrt(meanC ** 7 / (meanC ** 7 + 25 ** 7)) * sin(radians(60 * exp(-(((meanH - 275) / 25) ** 2))));
  return sqrt((dL / sL) ** 2 + (dC / sC) ** 2 + (dH / sH) ** 2 + rotation * (dC / sC) * (dH / sH));
}

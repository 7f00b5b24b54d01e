/**
 * ICC profiles built from published primaries and exponents (ICC.1:2001-04, version 2.4), and their
 * colours.
 */
import { bradford, D50, inverse, type Matrix, multiply, type Triple, xyzOfChromaticity } from './colorimetry.ts';

export interface RgbSpace {
  readonly name: string;
  /** CIE xy of red, green, blue and white. */
  readonly primaries: readonly (readonly [number, number])[];
  readonly white: readonly [number, number];
  /** linear = encoded ^ gamma. */
  readonly gamma: number;
}

const d65 = [0.3127, 0.329] as const;

/** Adobe RGB (1998) Color Image Encoding, version 2005-05, section 4. */
export const adobeRgb: RgbSpace = {
  name: 'Adobe RGB (1998)',
  primaries: [
    [0.64, 0.33],
    [0.21, 0.71],
    [0.15, 0.06],
  ],
  white: d65,
  gamma: 2.19921875,
};

/** SMPTE EG 432-1 primaries with the white of D65. */
export const displayP3: RgbSpace = {
  name: 'P3 primaries, gamma 2.2',
  primaries: [
    [0.68, 0.32],
    [0.265, 0.69],
    [0.15, 0.06],
  ],
  white: d65,
  gamma: 2.2,
};

/** ROMM RGB, ISO 22028-2, with an exponent only, without its linear part. */
export const proPhoto: RgbSpace = {
  name: 'ROMM RGB',
  primaries: [
    [0.7347, 0.2653],
    [0.1596, 0.8404],
    [0.0366, 0.0001],
  ],
  white: [0.3457, 0.3585],
  gamma: 1.8,
};

/**
 * Columns are what full red, green and blue are in the profile connection space: XYZ under D50,
 * white Y = 1.
 */
export function colorants({ primaries, white }: RgbSpace): Matrix {
  const [red, green, blue] = primaries.map(xyzOfChromaticity) as [Triple, Triple, Triple];
  const unscaled: Matrix = [
    [red[0], green[0], blue[0]],
    [red[1], green[1], blue[1]],
    [red[2], green[2], blue[2]],
  ];
  const from = xyzOfChromaticity(white);
  const scale = multiply(inverse(unscaled), from);
  const scaled = unscaled.map((row) => row.map((value, column) => value * (scale[column] ?? 0))) as unknown as Matrix;
  const adapt = bradford(from, D50);
  const columns = [0, 1, 2].map((column) =>
    multiply(adapt, [scaled[0][column] ?? 0, scaled[1][column] ?? 0, scaled[2][column] ?? 0]),
  ) as [Triple, Triple, Triple];
  return [0, 1, 2].map((row) => columns.map((column) => column[row] ?? 0)) as unknown as Matrix;
}

/** A display profile of three colorants and one exponent. */
export function rgbProfile(space: RgbSpace): Buffer {
  const matrix = colorants(space);
  const xyz = [0, 1, 2].map((column) => xyzTag(matrix.map((row) => row[column] ?? 0)));
  const curve = curveTag(space.gamma);
  return profile('mntr', 'RGB ', space.name, [
    ['rXYZ', xyz[0]],
    ['gXYZ', xyz[1]],
    ['bXYZ', xyz[2]],
    ['rTRC', curve],
    ['gTRC', curve],
    ['bTRC', curve],
  ]);
}

/** A grey profile of one exponent. */
export function greyProfile(gamma: number): Buffer {
  return profile('mntr', 'GRAY', `Grey gamma ${gamma}`, [['kTRC', curveTag(gamma)]]);
}

/**
 * A printer profile with the L*a*b* values of the 16 overprints of solid inks: a lut16 table of two
 * grid points per channel (ICC.1:2001-04, 6.5.9). In `solid(index)` bit 0 is black, 1 yellow, 2
 * magenta, 3 cyan.
 */
export function cmykProfile(solid: (index: number) => Triple): Buffer {
  const words: number[] = [2, 2];
  for (let channel = 0; channel < 4; channel++) words.push(0, 65_535);
  for (let index = 0; index < 16; index++) {
    const [lightness, a, b] = solid(index);
    words.push(Math.round((lightness / 100) * 0xff00), Math.round((a + 128) * 256), Math.round((b + 128) * 256));
  }
  for (let channel = 0; channel < 3; channel++) words.push(0, 65_535);
  const head = Buffer.alloc(48);
  head.write('mft2', 'latin1');
  head.set([4, 3, 2], 8);
  [1, 0, 0, 0, 1, 0, 0, 0, 1].forEach((value, index) => head.writeInt32BE(value * 65_536, 12 + 4 * index));
  const table = Buffer.alloc(2 * words.length);
  words.forEach((word, index) => table.writeUInt16BE(word, 2 * index));
  const lut = Buffer.concat([head, table]);
  return profile('prtr', 'CMYK', 'Sixteen solids', [['A2B0', lut]], 'Lab ');
}

function profile(
  kind: string,
  space: string,
  name: string,
  tags: readonly [string, Buffer | undefined][],
  connection = 'XYZ ',
): Buffer {
  const all: [string, Buffer][] = [
    ['desc', descriptionTag(name)],
    ['cprt', Buffer.from('text\0\0\0\0No rights reserved\0', 'latin1')],
    ['wtpt', xyzTag(D50)],
    ...tags.map(([tag, data]): [string, Buffer] => [tag, data ?? Buffer.alloc(0)]),
  ];
  const table = Buffer.alloc(4 + 12 * all.length);
  table.writeUInt32BE(all.length);
  const parts: Buffer[] = [];
  let at = 128 + table.length;
  for (const [index, [tag, data]] of all.entries()) {
    table.write(tag, 4 + 12 * index, 'latin1');
    table.writeUInt32BE(at, 8 + 12 * index);
    table.writeUInt32BE(data.length, 12 + 12 * index);
    const padded = Buffer.concat([data, Buffer.alloc((4 - (data.length % 4)) % 4)]);
    parts.push(padded);
    at += padded.length;
  }
  const header = Buffer.alloc(128);
  header.writeUInt32BE(at);
  header.writeUInt32BE(0x0240_0000, 8);
  header.write(`${kind}${space}${connection}`, 12, 'latin1');
  header.writeUInt16BE(2000, 24);
  header.writeUInt16BE(1, 26);
  header.writeUInt16BE(1, 28);
  header.write('acsp', 36, 'latin1');
  xyzTag(D50).copy(header, 68, 8);
  return Buffer.concat([header, table, ...parts]);
}

/** s15Fixed16Number, three of them. */
function xyzTag(values: readonly number[]): Buffer {
  const tag = Buffer.alloc(20);
  tag.write('XYZ ', 'latin1');
  values.forEach((value, index) => tag.writeInt32BE(Math.round(value * 65_536), 8 + 4 * index));
  return tag;
}

/** A curve of one entry is an exponent, as u8Fixed8Number. */
function curveTag(gamma: number): Buffer {
  const tag = Buffer.alloc(14);
  tag.write('curv', 'latin1');
  tag.writeUInt32BE(1, 8);
  tag.writeUInt16BE(Math.round(gamma * 256), 12);
  return tag;
}

function descriptionTag(name: string): Buffer {
  const tag = Buffer.alloc(12 + name.length + 1 + 4 + 4 + 2 + 1 + 67);
  tag.write('desc', 'latin1');
  tag.writeUInt32BE(name.length + 1, 8);
  tag.write(name, 12, 'latin1');
  return tag;
}

/**
 * Masters whose colours are converted: lattices of samples under profiles made from published
 * numbers.
 */
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import sharp from 'sharp';
import type { Triple } from '../support/colorimetry.ts';
import { adobeRgb, cmykProfile, displayP3, greyProfile, proPhoto, rgbProfile } from '../support/icc.ts';
import { photometric, pngWithProfile, sampledTiff, words } from '../support/profiled.ts';
import { colourspaceOf } from './masters.ts';

export type ColourModel = 'grey' | 'rgb' | 'cmyk' | 'lab';

export interface ColourMaster {
  /** The published file is called `<name>.tif`. */
  readonly name: string;
  readonly extension: 'tif' | 'png' | 'jpg';
  readonly model: ColourModel;
  readonly bitDepth: 8 | 16;
  readonly hasProfile: boolean;
  /** Largest allowed difference from the other conversion. */
  readonly tolerance: ColourDifference;
}

/** CIEDE2000 over all pixels. */
export interface ColourDifference {
  readonly mean: number;
  readonly worst: number;
}

/**
 * A step of 8 bits is up to 0.7 ΔE in the darkest colours; few samples are rounded in the other
 * direction.
 */
const eightBits: ColourDifference = { mean: 0.1, worst: 1 };
const sixteenBits: ColourDifference = { mean: 0.02, worst: 0.1 };
/** Rounding, at most one step. A step of green alone is one ΔE in dark browns and blues. */
const inks: ColourDifference = { mean: 0.05, worst: 1.5 };
/**
 * Little CMS 2.18 and later keeps the tint of a press black (change log: "Fix black point detection
 * when using darker colorant"); earlier versions, such as Debian's, treat it as neutral. The
 * difference grows with darkness, so only light tints are compared.
 */
const tintedBlack: ColourDifference = { mean: 0.6, worst: 2.5 };
/**
 * Little CMS before 2.18 loses precision when it converts from 16-bit L*a*b* (change log), most at
 * the edge of the sRGB gamut. Floating-point arithmetic agrees with the published file, not with
 * Debian's version: `tests/imaging/colour.test.ts` has the strict test.
 */
const coarseLab: ColourDifference = { mean: 0.6, worst: 4 };

interface Made extends ColourMaster {
  readonly encode: () => Buffer | Promise<Buffer>;
}

const channels = { grey: 1, rgb: 3, cmyk: 4, lab: 3 } as const;
const interpretation = {
  grey: photometric.blackIsZero,
  rgb: photometric.rgb,
  cmyk: photometric.cmyk,
  lab: photometric.lab,
} as const;

interface Lattice {
  readonly model: ColourModel;
  readonly bitDepth: 8 | 16;
  /**
   * Range of the samples, as fractions of the maximum; 0 to 1 by default.
   */
  readonly from?: number;
  readonly to?: number;
}

function tiff(name: string, shape: Lattice, tolerance: ColourDifference, profile?: Uint8Array): Made {
  const { model, bitDepth } = shape;
  const encode = (): Buffer => {
    const samples = lattice(shape);
    return sampledTiff({
      ...sizeOf(samples, model),
      photometric: interpretation[model],
      samplesPerPixel: channels[model],
      bits: bitDepth,
      data: bitDepth === 8 ? Uint8Array.from(samples) : words(samples),
      rowsPerStrip: 16,
      ...(profile ? { profile } : {}),
    });
  };
  const hasProfile = profile !== undefined;
  return { name: `${name}-${bitDepth}`, extension: 'tif', model, bitDepth, hasProfile, tolerance, encode };
}

function png(name: string, bitDepth: 8 | 16, tolerance: ColourDifference, profile: Uint8Array): Made {
  const encode = async (): Promise<Buffer> => {
    const samples = lattice({ model: 'rgb', bitDepth });
    const data = bitDepth === 8 ? Uint8Array.from(samples) : Uint16Array.from(samples);
    const picture = sharp(data, { raw: { ...sizeOf(samples, 'rgb'), channels: 3 } });
    return pngWithProfile(await picture.toColourspace(colourspaceOf(3, bitDepth)).png().toBuffer(), profile);
  };
  return {
    name: `${name}-${bitDepth}-png`,
    extension: 'png',
    model: 'rgb',
    bitDepth,
    hasProfile: true,
    tolerance,
    encode,
  };
}

/** Light colours as a CMYK JPEG, inverted as Adobe writes it, with the CMYK profile of libvips. */
const adobeJpeg: Made = {
  name: 'cmyk-press-8-jpeg',
  extension: 'jpg',
  model: 'cmyk',
  bitDepth: 8,
  hasProfile: true,
  tolerance: tintedBlack,
  encode: () => {
    const samples = Uint8Array.from(lattice({ model: 'rgb', bitDepth: 8, from: 0.6 }));
    const picture = sharp(samples, { raw: { ...sizeOf(samples, 'rgb'), channels: 3 } });
    return picture.toColourspace('cmyk').withIccProfile('cmyk').jpeg({ quality: 100 }).toBuffer();
  },
};

/**
 * Approximate L*a*b* of solid overprints on coated paper, by inks: bit 0 is black, 1 yellow, 2
 * magenta, 3 cyan. All four together are neutral.
 */
function solid(index: number): Triple {
  const solids: readonly Triple[] = [
    [16, 0, 0],
    [89, -5, 93],
    [48, 74, -3],
    [55, -37, -50],
  ];
  const used = solids.filter((_, ink) => (index >> ink) & 1);
  if (used.length === 0) return [100, 0, 0];
  if (used.length === 4) return [10, 0, 0];
  const mean = (at: number): number => used.reduce((sum, ink) => sum + (ink[at] ?? 0), 0) / used.length;
  return [Math.max(10, mean(0) / used.length), mean(1) * 0.8, mean(2) * 0.8];
}

const all: readonly Made[] = [
  ...([8, 16] as const).flatMap((bitDepth) => {
    const exact = bitDepth === 8 ? eightBits : sixteenBits;
    const rgb = { model: 'rgb', bitDepth } as const;
    return [
      tiff('adobe-rgb', rgb, exact, rgbProfile(adobeRgb)),
      tiff('display-p3', rgb, exact, rgbProfile(displayP3)),
      png('display-p3', bitDepth, exact, rgbProfile(displayP3)),
      tiff('prophoto', rgb, exact, rgbProfile(proPhoto)),
      tiff('grey-gamma-1.8', { model: 'grey', bitDepth }, exact, greyProfile(1.8)),
      tiff('cmyk-solids', { model: 'cmyk', bitDepth }, inks, cmykProfile(solid)),
      tiff('cmyk-bare', { model: 'cmyk', bitDepth, to: 0.25 }, tintedBlack),
      tiff('lab', { model: 'lab', bitDepth }, coarseLab),
    ];
  }),
  adobeJpeg,
];

/** Writes every master into the folder. */
export async function writeColourMasters(folder: string): Promise<ColourMaster[]> {
  for (const master of all) await writeFile(colourFileOf(folder, master), await master.encode());
  return [...all];
}

export function colourFileOf(folder: string, { name, extension }: ColourMaster): string {
  return path.join(folder, `${name}.${extension}`);
}

/**
 * Every combination of evenly spaced samples; for grey every 8-bit value, and 16-bit values
 * between.
 */
function lattice({ model, bitDepth, from = 0, to = 1 }: Lattice): number[] {
  const count = { grey: bitDepth === 8 ? 256 : 4096, rgb: 32, cmyk: 16, lab: 32 }[model];
  const share = (step: number): number => from + (step / (count - 1)) * (to - from);
  const values = Array.from({ length: count }, (_, step) => Math.round(share(step) * (2 ** bitDepth - 1)));
  let tuples: number[][] = [[]];
  for (let channel = 0; channel < channels[model]; channel++) {
    tuples = tuples.flatMap((tuple) => values.map((value) => [...tuple, value]));
  }
  return tuples.flat();
}

/** In rows of 256 pixels. */
function sizeOf(samples: ArrayLike<number>, model: ColourModel): { width: number; height: number } {
  return { width: 256, height: samples.length / channels[model] / 256 };
}

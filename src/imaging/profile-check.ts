import type { SourceImage } from '../pyramid/source-image.ts';
import { layoutTiff, joinHeader } from '../tiff/layout.ts';
import { pyramidFields } from '../tiff/pyramid-fields.ts';
import { Compression, Photometric } from '../tiff/tags.ts';
import { colourspaceOf } from './encode.ts';
import { sharp } from './sharp.ts';
import { SRGB } from './standard-profiles.ts';

export type ProfileKind = SourceImage['profile'];
export type ProfiledModel = 'grey' | 'rgb' | 'cmyk';

const models: Readonly<Record<string, ProfiledModel>> = { GRAY: 'grey', 'RGB ': 'rgb', CMYK: 'cmyk' };

/** The colour model that an ICC profile is for, by its header (ICC.1:2022, 7.2); undefined for others, and for what is none. */
export function profiledModel(profile: Uint8Array): ProfiledModel | undefined {
  const text = String.fromCharCode(...profile.subarray(0, 128));
  return text.slice(36, 40) === 'acsp' ? models[text.slice(16, 20)] : undefined;
}

/**
 * What a profile means for pixels of this model. One that libvips cannot read it passes over without a word: grey and RGB of
 * 8 bits then count as sRGB, and RGB of 16 bits as Display P3. So RGB is converted in both depths and must come out the
 * same; grey that comes out as it went in is sRGB's either way.
 */
export async function profileKind(profile: Uint8Array | undefined, model: ProfiledModel): Promise<ProfileKind> {
  if (!profile || profiledModel(profile) !== model) return 'none';
  // Where a CMYK profile cannot be read, libvips' own takes over, as it should.
  if (model === 'cmyk') return 'other';
  const colours = model === 'grey' ? greys : lattice;
  const deep = (await converted(profile, colours, 16)).map((sample) => sample / 257);
  if (model === 'grey') {
    const change = largestChange(
      colours.flatMap(([sample = 0]) => [sample, sample, sample]),
      deep,
    );
    return change <= ALIKE ? 'srgb' : 'other';
  }
  const shallow = await converted(profile, colours, 8);
  if (meanChange(shallow, deep) > ROUNDED) return 'none';
  return largestChange(colours.flat(), shallow) <= ALIKE ? 'srgb' : 'other';
}

/** Profiles of sRGB differ from each other by roundings. Steps of 8 bits. */
const ALIKE = 1;
/** Between 8 and 16 bits, on average; between sRGB and Display P3 it is several. Steps of 8 bits. */
const ROUNDED = 1;

function largestChange(from: readonly number[], into: readonly number[]): number {
  return from.reduce((largest, sample, at) => Math.max(largest, Math.abs(sample - (into[at] ?? 0))), 0);
}

function meanChange(from: readonly number[], into: readonly number[]): number {
  return from.reduce((sum, sample, at) => sum + Math.abs(sample - (into[at] ?? 0)), 0) / from.length;
}

/** Of the tile that is converted. Pixels. */
const SIDE = 16;
const samples = Array.from({ length: SIDE * SIDE }, (_, index) => index);
const greys: readonly (readonly number[])[] = samples.map((value) => [value]);
/** Six steps of each colour; what is left of the tile is black. */
const lattice: readonly (readonly number[])[] = samples.map((index) =>
  index < 216 ? [51 * Math.floor(index / 36), 51 * (Math.floor(index / 6) % 6), 51 * (index % 6)] : [0, 0, 0],
);

/** A tile of colours of 8 bits, in samples of `bits`, by the profile to sRGB. */
async function converted(
  profile: Uint8Array,
  colours: readonly (readonly number[])[],
  bits: 8 | 16,
): Promise<number[]> {
  const bands = colours[0]?.length ?? 0;
  const all = (value: number): number[] => Array.from({ length: bands }, () => value);
  const encoding = {
    compression: Compression.none,
    photometric: bands === 1 ? Photometric.blackIsZero : Photometric.rgb,
    bitsPerSample: all(bits),
    sampleFormat: all(1),
    extraSamples: [],
  };
  const tile = Buffer.from(colours.flat().flatMap((sample) => (bits === 8 ? sample : [sample, sample])));
  const layout = layoutTiff({
    tileSize: SIDE,
    levels: [
      {
        width: SIDE,
        height: SIDE,
        tilesAcross: 1,
        tilesDown: 1,
        fields: pyramidFields(0, encoding, { iccProfile: Buffer.from(profile).toString('base64') }),
      },
    ],
    bundles: [{ runs: [{ level: 0, column: 0, row: 0, across: 1, down: 1, byteCounts: [tile.length] }] }],
  });
  const data = await sharp(Buffer.concat([joinHeader(layout), tile]), { ignoreIcc: true })
    .toColourspace(colourspaceOf(bands, bits))
    .withIccProfile(SRGB)
    .raw({ depth: bits === 8 ? 'uchar' : 'ushort' })
    .toBuffer();
  return Array.from(bits === 8 ? data : new Uint16Array(Uint8Array.from(data).buffer));
}

import { createHash } from 'node:crypto';
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

/**
 * The colour model in the header of an ICC profile (ICC.1:2022, section 7.2); undefined for other
 * models and for bytes that are not a profile.
 */
function profiledModel(profile: Uint8Array): ProfiledModel | undefined {
  const text = String.fromCharCode(...profile.subarray(0, 128));
  return text.slice(36, 40) === 'acsp' ? models[text.slice(16, 20)] : undefined;
}

/**
 * Number of profiles whose kind is cached. A collection uses few profiles, and the check takes 10
 * to 40 ms while reading a header takes 1 ms.
 */
const REMEMBERED_PROFILES = 64;
const remembered = new Map<string, Promise<ProfileKind>>();

/**
 * The kind of a profile for pixels of this model: `none` if libvips ignores it, `srgb` if
 * conversion to sRGB makes no visible difference, otherwise `other`. The result is cached by the
 * digest of the profile.
 */
export async function profileKind(profile: Uint8Array | undefined, model: ProfiledModel): Promise<ProfileKind> {
  if (!profile || profiledModel(profile) !== model) return 'none';
  // libvips replaces an unreadable CMYK profile by its own, which is the desired result.
  if (model === 'cmyk') return 'other';
  const key = createHash('sha256').update(profile).digest('base64');
  const known = remembered.get(key) ?? checkProfile(profile, model);
  remembered.delete(key);
  remembered.set(key, known);
  known.catch(() => remembered.delete(key));
  for (const oldest of remembered.keys()) {
    if (remembered.size <= REMEMBERED_PROFILES) break;
    remembered.delete(oldest);
  }
  return known;
}

/**
 * libvips silently ignores a profile that it cannot read: grey and 8-bit RGB then count as sRGB,
 * 16-bit RGB as Display P3. So RGB is converted at both depths, and the results must agree. Grey
 * that conversion leaves unchanged has the tone curve of sRGB whether its profile was read or not.
 */
async function checkProfile(profile: Uint8Array, model: 'grey' | 'rgb'): Promise<ProfileKind> {
  if (model === 'grey') {
    const expected = greys.flatMap(([sample = 0]) => [sample, sample, sample]);
    return largestDifference(expected, await convertAt16(profile, greys)) <= SRGB_TOLERANCE ? 'srgb' : 'other';
  }
  const [deep, shallow] = await Promise.all([convertAt16(profile, lattice), convert(profile, lattice, 8)]);
  if (meanDifference(shallow, deep) > DEPTH_TOLERANCE) return 'none';
  return largestDifference(lattice.flat(), shallow) <= SRGB_TOLERANCE ? 'srgb' : 'other';
}

/** Largest difference between two profiles of sRGB, due to rounding. 8-bit steps. */
const SRGB_TOLERANCE = 1;
/**
 * Mean difference between both depths due to rounding; sRGB and Display P3 differ by several steps.
 * 8-bit steps.
 */
const DEPTH_TOLERANCE = 1;

function largestDifference(from: readonly number[], into: readonly number[]): number {
  return from.reduce((largest, sample, at) => Math.max(largest, Math.abs(sample - (into[at] ?? 0))), 0);
}

function meanDifference(from: readonly number[], into: readonly number[]): number {
  return from.reduce((sum, sample, at) => sum + Math.abs(sample - (into[at] ?? 0)), 0) / from.length;
}

/** Side of the tile of test colours. Pixels. */
const SIDE = 16;
const samples = Array.from({ length: SIDE * SIDE }, (_, index) => index);
const greys: readonly (readonly number[])[] = samples.map((value) => [value]);
/** Six steps of each of the three colours; the rest of the tile is black. */
const lattice: readonly (readonly number[])[] = samples.map((index) =>
  index < 216 ? [51 * Math.floor(index / 36), 51 * (Math.floor(index / 6) % 6), 51 * (index % 6)] : [0, 0, 0],
);

/** `convert` at 16 bits a sample, in steps of 8 bits. */
async function convertAt16(profile: Uint8Array, colours: readonly (readonly number[])[]): Promise<number[]> {
  return (await convert(profile, colours, 16)).map((sample) => sample / 257);
}

/** Converts a tile of 8-bit colours, stored in samples of `bits` bits, from the profile to sRGB. */
async function convert(profile: Uint8Array, colours: readonly (readonly number[])[], bits: 8 | 16): Promise<number[]> {
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

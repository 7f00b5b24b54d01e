/**
 * Checks colours with another build of Little CMS: every pixel of level 0 against the conversion of
 * the whole master by Debian's libvips, as CIEDE2000.
 */
import { mkdir, readFile, rm } from 'node:fs/promises';
import path from 'node:path';
import { deltaE2000, labOfSrgb, type Triple } from '../support/colorimetry.ts';
import { type ColourDifference, type ColourMaster, colourFileOf } from './colour-masters.ts';
import { outputOf } from './programs.ts';

export interface ColourFolders {
  /** The folder of masters. */
  readonly masters: string;
  /** The folder of published files. */
  readonly published: string;
  readonly scratch: string;
}

export interface ColourResult {
  readonly master: ColourMaster;
  /** Undefined if the images could not be compared. */
  readonly difference?: ColourDifference;
  readonly complaint?: string;
}

/**
 * One result per master; `concurrency` masters are checked concurrently, each in its own folder in
 * `scratch`.
 */
export async function checkColours(
  masters: readonly ColourMaster[],
  folders: ColourFolders,
  concurrency: number,
): Promise<ColourResult[]> {
  const results: ColourResult[] = [];
  const waiting = masters.entries();
  const work = async (): Promise<void> => {
    for (const [index, master] of waiting) {
      const scratch = path.join(folders.scratch, master.name);
      await mkdir(scratch, { recursive: true });
      results[index] = await checkColour(master, { ...folders, scratch });
      await rm(scratch, { recursive: true });
    }
  };
  await Promise.all(Array.from({ length: concurrency }, work));
  return results;
}

/** Never rejects; errors become the complaint. */
async function checkColour(master: ColourMaster, folders: ColourFolders): Promise<ColourResult> {
  try {
    const expected = await convertedByVips(master, folders);
    const actual = await samplesOf(path.join(folders.published, `${master.name}.tif`), master, folders.scratch);
    const difference = compare(actual, expected);
    const { mean, worst } = master.tolerance;
    const isNear = difference.mean <= mean && difference.worst <= worst;
    return {
      master,
      difference,
      ...(isNear ? {} : { complaint: `Expected at most ${mean} on average and ${worst} at worst` }),
    };
  } catch (error) {
    return { master, complaint: error instanceof Error ? error.message : String(error) };
  }
}

/** Interleaved. */
interface Samples {
  readonly bands: number;
  readonly full: number;
  readonly data: Uint8Array | Uint16Array;
}

/** CMYK is published in 8 bits. */
function publishedDepth({ model, bitDepth }: ColourMaster): 8 | 16 {
  return model === 'cmyk' ? 8 : bitDepth;
}

/**
 * Converts from the profile of the master to sRGB in one step; L*a*b* is the profile connection
 * space itself. Debian's sRGB profile is of version 2, for which Little CMS applies black point
 * compensation only on request; for version 4 it always does.
 */
async function convertedByVips(master: ColourMaster, { masters, scratch }: ColourFolders): Promise<Samples> {
  const file = colourFileOf(masters, master);
  const target = path.join(scratch, 'converted.v');
  const options = ['--intent', 'perceptual', '--black-point-compensation', '--depth', String(publishedDepth(master))];
  const profile = master.hasProfile ? ['--embedded'] : ['--input-profile', 'cmyk'];
  await outputOf(
    'vips',
    master.model === 'lab'
      ? ['icc_export', file, target, '--output-profile', 'srgb', ...options]
      : ['icc_transform', file, target, 'srgb', ...profile, ...options],
  );
  return await samplesOf(target, master, scratch);
}

async function samplesOf(file: string, master: ColourMaster, scratch: string): Promise<Samples> {
  const bands = Number(await outputOf('vipsheader', ['-f', 'bands', file]));
  const raw = path.join(scratch, 'samples.raw');
  await outputOf('vips', ['rawsave', file, raw]);
  const bytes = await readFile(raw);
  await rm(raw);
  const depth = publishedDepth(master);
  const data = depth === 8 ? bytes : new Uint16Array(bytes.buffer, bytes.byteOffset, bytes.length / 2);
  return { bands, full: 2 ** depth - 1, data };
}

/** Compares one grey band with three equal bands. Throws when the sizes differ. */
function compare(actual: Samples, expected: Samples): ColourDifference {
  const pixels = expected.data.length / expected.bands;
  if (actual.data.length !== pixels * actual.bands) {
    throw new Error(`${actual.data.length / actual.bands} pixels, not ${pixels}`);
  }
  let [sum, worst] = [0, 0];
  for (let pixel = 0; pixel < pixels; pixel++) {
    const [a, b] = [colourOf(actual, pixel), colourOf(expected, pixel)];
    if (a.every((value, band) => value === b[band])) continue;
    const difference = deltaE2000(labOfSrgb(a), labOfSrgb(b));
    sum += difference;
    worst = Math.max(worst, difference);
  }
  return { mean: sum / pixels, worst };
}

/** sRGB from 0 to 1. */
function colourOf({ bands, full, data }: Samples, pixel: number): Triple {
  const at = pixel * bands;
  const sample = (band: number): number => (data[at + Math.min(band, bands - 1)] ?? 0) / full;
  return [sample(0), sample(1), sample(2)];
}

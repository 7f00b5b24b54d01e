/**
 * Compares every pixel of every level with the master as libvips reads it, for files that are too
 * large to decode as a whole.
 */
import { readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { Case } from './readers.ts';
import { fileOf } from './masters.ts';
import { outputOf } from './programs.ts';
import { levelSizes, type Size } from './recipes.ts';

const BANDS = 3;
/**
 * Rows of the master in memory: a multiple of the tile height and of a row of the smallest level.
 */
const ROWS = 2048;

interface Raster extends Size {
  readonly data: Buffer;
}

/** Compares lossless levels, band by band, with the master halved once per level. */
export async function checkLosslessLevels({ master, masters, file, expectedOutput, scratch }: Case): Promise<string[]> {
  const levels = levelSizes(master, expectedOutput.tileSize);
  const found: string[] = [];
  for (let top = 0; top < master.height; top += ROWS) {
    const rows = Math.min(ROWS, master.height - top);
    const source = fileOf(masters, master);
    let expected = await cropByVips(source, scratch, { top, width: master.width, height: rows });
    for (const level of levels.keys()) {
      if (level > 0) expected = halve(expected);
      const { width, height } = expected;
      if (height === 0) break;
      const actual = await cropByVips(`${file}[page=${level}]`, scratch, { top: top >> level, width, height });
      if (!actual.data.equals(expected.data)) found.push(`level ${level}: rows from ${top >> level} on differ`);
    }
  }
  return found;
}

/**
 * Compares JPEG levels with the JPEG that Debian's libvips writes of the master's pixels, halved
 * once per level.
 */
export async function checkJpegLevels({ master, masters, file, expectedOutput, scratch }: Case): Promise<string[]> {
  const found: string[] = [];
  let level = await cropByVips(fileOf(masters, master), scratch, {
    top: 0,
    width: master.width,
    height: master.height,
  });
  for (const [index, { width, height }] of levelSizes(master, expectedOutput.tileSize).entries()) {
    if (index > 0) level = halve(level);
    const encoded = await encodedByVips(level, scratch, expectedOutput);
    const expected = await cropByVips(encoded, scratch, { top: 0, width, height });
    const actual = await cropByVips(`${file}[page=${index}]`, scratch, { top: 0, width, height });
    if (!actual.data.equals(expected.data)) found.push(`level ${index} differs`);
    await rm(encoded);
  }
  return found;
}

async function cropByVips(
  file: string,
  scratch: string,
  { top, width, height }: Size & { readonly top: number },
): Promise<Raster> {
  const target = path.join(scratch, 'crop.raw');
  await outputOf('vips', ['crop', file, target, ...[0, top, width, height].map(String)]);
  const data = await readFile(target);
  await rm(target);
  return { width, height, data };
}

async function encodedByVips(
  { width, height, data }: Raster,
  scratch: string,
  { tileSize, quality = 0 }: Case['expectedOutput'],
): Promise<string> {
  const [raw, loaded, named, target] = ['level.raw', 'level.v', 'named.v', 'level.tif'].map((name) =>
    path.join(scratch, name),
  ) as [string, string, string, string];
  await writeFile(raw, data);
  await outputOf('vips', ['rawload', raw, loaded, String(width), String(height), String(BANDS)]);
  await outputOf('vips', ['copy', loaded, named, '--interpretation', 'srgb']);
  const tiles = ['--tile', '--tile-width', String(tileSize), '--tile-height', String(tileSize)];
  await outputOf('vips', ['tiffsave', named, target, ...tiles, '--compression', 'jpeg', '--Q', String(quality)]);
  for (const name of [raw, loaded, named]) await rm(name);
  return target;
}

/** Rounded means of 2 × 2 pixels; an odd last row or column is dropped. */
function halve({ width, height, data }: Raster): Raster {
  const half = { width: width >> 1, height: height >> 1 };
  const into = Buffer.allocUnsafe(half.width * half.height * BANDS);
  const row = width * BANDS;
  for (let y = 0, at = 0; y < half.height; y++) {
    for (let x = 0, from = 2 * y * row; x < half.width; x++, from += 2 * BANDS) {
      for (let i = from; i < from + BANDS; i++, at++) {
        const above = (data[i] ?? 0) + (data[i + BANDS] ?? 0);
        into[at] = (above + (data[i + row] ?? 0) + (data[i + row + BANDS] ?? 0) + 2) >> 2;
      }
    }
  }
  return { ...half, data: into };
}

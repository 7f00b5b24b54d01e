/**
 * Real images from other projects: each is published with the pixels of an independent reader, or
 * rejected by its code.
 */
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { fromArrayBuffer } from 'geotiff';
import sharp from 'sharp';
import { srgbOfXyz, xyzOfLab } from '../support/colorimetry.ts';
import { corpusOutcomes } from '../support/corpus-outcomes.ts';
import { identifyBytes } from '../support/decode-master.ts';
import { type Pipeline, startPipeline } from '../support/pipeline.ts';
import { decodeLevels, type Level } from '../support/pixels.ts';

/** Files that no reader of the tests decodes, and a file with the same picture. */
const samePicture: Readonly<Record<string, string>> = { 'pillow/hopper_lzma.tif': 'pillow/hopper.tif' };

const folder = process.env['CORPUS_DIR'] ?? '../shared/corpus';

/**
 * Lossless, in the colours of the master. Small tiles: libvips opens no file whose tiles are four
 * times as wide and high as its image.
 */
const recipe = `name: keep\nversion: 1\ndescription: test\ntileSize: 256\nencoding: { compression: deflate }
colour: keep\ndepth: keep\nbackground: '#ffffff'\nunspecifiedSamples: alpha\n`;

let recipes: string;
let pipeline: Pipeline;
beforeAll(async () => {
  recipes = await mkdtemp(path.join(os.tmpdir(), 'stepwell-recipes-'));
  await writeFile(path.join(recipes, 'keep.yml'), recipe);
  pipeline = await startPipeline((store) => store, { recipesDirectory: recipes });
});
afterAll(async () => {
  await pipeline.stop();
  await rm(recipes, { recursive: true, force: true });
});

async function corpusFiles(): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => []);
  return entries
    .filter((entry) => entry.isFile() && !/\.(?:md|txt)$/iu.test(entry.name))
    .map((entry) => path.relative(folder, path.join(entry.parentPath, entry.name)).split(path.sep).join('/'))
    .sort();
}

interface Row {
  readonly file: string;
  readonly outcome: string;
  readonly detail: string;
}

async function outcomeOf(file: string, index: number): Promise<Row> {
  const bytes = await readFile(path.join(folder, file));
  try {
    if (await isGiant(bytes)) return { file, outcome: 'IDENTIFIED', detail: 'too many pixels to render here' };
    const { bucket, key } = await pipeline.run(`${index}/${file}`, bytes, { recipe: 'keep' });
    const [full] = await decodeLevels(Buffer.from(await pipeline.store.read({ bucket, key })));
    if (!full) throw new Error('Expected at least one level');
    const same = samePicture[file];
    const readable = same === undefined ? bytes : await readFile(path.join(folder, same));
    const { reader, difference } = await compare(await currentJpeg(readable), full);
    const size = `${full.width} × ${full.height} × ${full.channels}`;
    return {
      file,
      outcome: difference <= 1 ? 'PUBLISHED' : 'WRONG',
      detail: `${size}; ${reader}: off by ${difference}`,
    };
  } catch (error) {
    const { name, code, message } = error as { name: string; code?: string; message: string };
    return { file, outcome: name === 'RejectedImageError' && code ? code : 'FAILED', detail: message.slice(0, 70) };
  }
}

/** Whether the image has too many pixels to be rendered in a test. */
async function isGiant(bytes: Buffer): Promise<boolean> {
  const { image } = await identifyBytes(bytes);
  return image.width * image.height > 50e6;
}

/**
 * The JPEG of an old-style JPEG TIFF of one strip, which no reader of the tests decodes; other files
 * as they are.
 */
async function currentJpeg(bytes: Buffer): Promise<Buffer> {
  const directory = (await tiffImage(bytes))?.fileDirectory;
  if (directory?.getValue('Compression') !== 6) return bytes;
  const [offset = 0] = (await directory.loadValue('StripOffsets')) ?? [];
  const [length = 0] = (await directory.loadValue('StripByteCounts')) ?? [];
  return bytes.subarray(offset, offset + length);
}

/** The first image of a TIFF; undefined for other formats. */
async function tiffImage(bytes: Buffer) {
  const isTiff = ['II', 'MM'].includes(bytes.toString('latin1', 0, 2));
  return isTiff ? (await fromArrayBuffer(Uint8Array.from(bytes).buffer)).getImage(0) : undefined;
}

/**
 * The largest difference of a sample from sharp's own decoding, or from geotiff's where sharp
 * cannot decode the file.
 */
async function compare(bytes: Buffer, full: Level): Promise<{ reader: string; difference: number }> {
  const isDeep = full.pixels.length === 2 * full.width * full.height * full.channels;
  const colourspace = isDeep ? (full.channels === 1 ? 'grey16' : 'rgb16') : full.channels === 1 ? 'b-w' : 'srgb';
  const options = { limitInputPixels: false, page: 0, failOn: 'error' } as const;
  const { space } = await sharp(bytes, options)
    .metadata()
    .catch(() => ({ space: 'lab' }));
  const viaSharp =
    space.startsWith('lab') || (await isMapped(bytes))
      ? undefined
      : await sharp(bytes, { ...options, ignoreIcc: space !== 'cmyk' })
          .autoOrient()
          .flatten({ background: '#ffffff' })
          .toColourspace(colourspace)
          .raw({ depth: isDeep ? 'ushort' : 'uchar' })
          .toBuffer()
          .catch(() => undefined);
  if (viaSharp)
    return {
      reader: 'sharp',
      difference: largestDifference(samplesOf(full.pixels, isDeep), samplesOf(viaSharp, isDeep)),
    };
  return {
    reader: 'geotiff',
    difference: largestDifference(samplesOf(full.pixels, isDeep), await readByGeotiff(bytes)),
  };
}

async function readByGeotiff(bytes: Buffer): Promise<ArrayLike<number>> {
  const image = await (await fromArrayBuffer(Uint8Array.from(bytes).buffer)).getImage(0);
  const samples = (await image.readRasters({ interleave: true })) as ArrayLike<number>;
  const bands = image.getSamplesPerPixel();
  const bits = image.getBitsPerSample();
  const full = 2 ** bits - 1;
  if (await isMapped(bytes)) return stretched(samples);
  const isLab = image.fileDirectory.getValue('PhotometricInterpretation') === 8;
  if (isLab) return labToSrgb(samples, bits);
  if (bits === 12) return Array.from(samples, (sample) => (sample << 4) | (sample >> 8));
  if (bands !== 4) return samples;
  // The alpha in the corpus is associated: colour + white · (1 − α).
  return Array.from({ length: (samples.length / 4) * 3 }, (_, at) => {
    const pixel = Math.floor(at / 3) * 4;
    return (samples[pixel + (at % 3)] ?? 0) + full - (samples[pixel + 3] ?? 0);
  });
}

/** Whether the samples are published stretched from their own range to 16 bits. */
async function isMapped(bytes: Buffer): Promise<boolean> {
  const image = await tiffImage(bytes).catch(() => undefined);
  return image !== undefined && (image.getSampleFormat() !== 1 || image.getBitsPerSample() > 16);
}

function stretched(samples: ArrayLike<number>): ArrayLike<number> {
  const values = Array.from(samples);
  const [least, greatest] = [Math.min(...values), Math.max(...values)];
  return values.map((value) => Math.round(((value - least) / (greatest - least)) * 65_535));
}

function labToSrgb(samples: ArrayLike<number>, bits: number): number[] {
  const [full, wrap] = [2 ** bits - 1, 2 ** bits];
  const signed = (value: number): number => ((value >= wrap / 2 ? value - wrap : value) * 256) / wrap;
  return Array.from({ length: samples.length / 3 }, (_, pixel) => {
    const [l = 0, a = 0, b = 0] = [0, 1, 2].map((band) => samples[pixel * 3 + band] ?? 0);
    return srgbOfXyz(xyzOfLab([(l / full) * 100, signed(a), signed(b)])).map((value) => Math.round(value * full));
  }).flat();
}

function samplesOf(bytes: Buffer, isDeep: boolean): ArrayLike<number> {
  return isDeep ? new Uint16Array(Uint8Array.from(bytes).buffer) : bytes;
}

/** The largest difference of a sample, in 8-bit steps; Infinity when the lengths differ. */
function largestDifference(actual: ArrayLike<number>, expected: ArrayLike<number>): number {
  if (actual.length !== expected.length) return Infinity;
  const step = actual instanceof Uint16Array ? 257 : 1;
  let largest = 0;
  for (let at = 0; at < actual.length; at++) {
    largest = Math.max(largest, Math.abs((actual[at] ?? 0) - (expected[at] ?? 0)));
  }
  return Math.round((100 * largest) / step) / 100;
}

test('the table of expected outcomes has these counts', () => {
  const counts = new Map<string, number>();
  for (const outcome of Object.values(corpusOutcomes)) counts.set(outcome, (counts.get(outcome) ?? 0) + 1);
  expect(Object.fromEntries(counts)).toEqual({
    PUBLISHED: 69,
    IDENTIFIED: 1,
    UNSUPPORTED_PIXELS: 1,
    MULTI_PAGE: 2,
    TRUNCATED: 9,
    CORRUPT_HEADER: 1,
    CORRUPT_PIXELS: 1,
  });
});

test('every file is published with the pixels of an independent reader, or rejected, as the table says', async () => {
  const rows: Row[] = [];
  for (const [index, file] of (await corpusFiles()).entries()) rows.push(await outcomeOf(file, index));
  const table = rows.map(({ file, outcome, detail }) => `${outcome.padEnd(19)} ${file.padEnd(70)} ${detail}\n`);
  process.stdout.write(table.join(''));
  const known = rows.filter(({ file }) => file in corpusOutcomes);
  expect(Object.fromEntries(known.map(({ file, outcome }) => [file, outcome]))).toEqual(
    Object.fromEntries(known.map(({ file }) => [file, corpusOutcomes[file]])),
  );
  // Files that are not in the table must be rejected or published too, without a failure or a wrong
  // pixel.
  expect(rows.filter(({ outcome }) => outcome === 'WRONG' || outcome === 'FAILED')).toEqual([]);
});

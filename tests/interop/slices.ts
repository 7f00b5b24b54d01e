/**
 * Checks slices with third-party decoders: for an image in every layout, several rectangles must
 * equal crops of the whole image as libvips decodes it. libvips does not read tiles of separate
 * planes, JPEG tiles with alpha, Zstandard and samples of 10 to 14 bits, which GDAL first converts to
 * an uncompressed TIFF with interleaved samples. JPEG slices
 * must be equal too: tiles are decoded whole, and chroma upsampling does not cross tile edges.
 */
import { readFile, rm } from 'node:fs/promises';
import path from 'node:path';
import sharp from 'sharp';
import { Arena } from '../../src/imaging/arena.ts';
import { identifyTiff } from '../../src/formats/tiff/header.ts';
import { memoryLimits } from '../../src/limits.ts';
import { rasterBytes } from '../../src/imaging/raster.ts';
import { pixelsOfSlices } from '../../src/imaging/source-pixels.ts';
import { conversionOf } from '../../src/pyramid/conversion.ts';
import { memoryReader } from '../../src/bytes/range-reader.ts';
import { run } from './programs.ts';
import { type Layout, layouts, type Picture, pictures } from './slice-layouts.ts';

const width = 331;
const height = 277;
/** Rectangles of each layout. */
const RECTANGLES = 5;

export interface SliceResult {
  readonly layout: Layout;
  readonly complaint?: string;
}

/** One result per layout; `concurrency` layouts are checked concurrently. */
export async function checkSlices(scratch: string, concurrency: number): Promise<SliceResult[]> {
  for (const picture of Object.keys(pictures) as Picture[]) await writePicture(picture, scratch);
  const results: SliceResult[] = [];
  const waiting = layouts.entries();
  const work = async (): Promise<void> => {
    for (const [index, layout] of waiting) {
      const file = path.join(scratch, `layout-${index}.tif`);
      const complaint = await complaintAbout(layout, index, file, scratch);
      results[index] = { layout, ...(complaint === undefined ? {} : { complaint }) };
      await rm(file, { force: true });
    }
  };
  await Promise.all(Array.from({ length: concurrency }, work));
  return results;
}

async function complaintAbout(
  layout: Layout,
  index: number,
  file: string,
  scratch: string,
): Promise<string | undefined> {
  try {
    const [before, after] = layout.args;
    await must(layout.program, [...before, fileOf(layout.picture, scratch), file, ...after]);
    const whole = await decodeWhole(layout, file);
    return await compare(await readFile(file), whole, index);
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

async function must(program: string, args: readonly string[]): Promise<void> {
  const { failure } = await run(program, args);
  if (failure !== undefined) throw new Error(failure);
}

/** The whole image as third-party programs decode it: interleaved, alpha flattened on white. */
async function decodeWhole({ picture, widened }: Layout, file: string): Promise<Buffer> {
  const { bands, bitDepth } = pictures[picture];
  const temporary = ['chunky.tif', 'flat.v', 'raw'].map((extension) => `${file}.${extension}`);
  const [chunky = '', flat = '', raw = ''] = temporary;
  let from = file;
  try {
    const header = await run('tiffinfo', ['-0', file]);
    const isTiled = header.stdout.includes('Tile Width');
    const isJpegWithAlpha = header.stdout.includes('Compression Scheme: JPEG') && bands % 2 === 0;
    const isDecodedByGdal = widened !== undefined || header.stdout.includes('Compression Scheme: ZSTD');
    if (isDecodedByGdal || (isTiled && (isJpegWithAlpha || header.stdout.includes('separate image planes')))) {
      const whole = widened === undefined ? [] : ['-co', 'NBITS=16'];
      await must('gdal_translate', ['-q', '-co', 'INTERLEAVE=PIXEL', ...whole, from, chunky]);
      from = chunky;
    }
    if (bands % 2 === 0) {
      const white = String(2 ** bitDepth - 1);
      await must('vips', ['flatten', from, flat, '--background', white, '--max-alpha', String(2 ** bitDepth - 1)]);
      from = flat;
    }
    await must('vips', ['rawsave', from, raw]);
    const samples = await readFile(raw);
    return widened === undefined ? samples : widen(samples, widened);
  } finally {
    for (const name of [...temporary, `${chunky}.aux.xml`]) await rm(name, { force: true });
  }
}

/** Repeats the bits of samples of `bits` bits, which are stored in 16. */
function widen(samples: Buffer, bits: number): Buffer {
  for (let at = 0; at < samples.length; at += 2) {
    const repeated = samples.readUInt16LE(at).toString(2).padStart(bits, '0').repeat(2);
    samples.writeUInt16LE(parseInt(repeated.slice(0, 16), 2), at);
  }
  return samples;
}

/** Returns undefined when every rectangle equals its crop of the whole image. */
async function compare(tiff: Buffer, whole: Buffer, seed: number): Promise<string | undefined> {
  const { image } = await identifyTiff(memoryReader(tiff), { unspecifiedSamples: 'ignore' });
  const { bands, bitDepth } = image;
  const pixel = bands * (bitDepth / 8);
  if (whole.length !== width * height * pixel) return `${whole.length} bytes of pixels, not ${width * height * pixel}`;
  const readInto = (target: Uint8Array, offset: number): Promise<void> => {
    target.set(tiff.subarray(offset, offset + target.length));
    return Promise.resolve();
  };
  const conversion = conversionOf({
    image,
    recipe: { colour: 'keep', encoding: { compression: 'deflate', level: 6 } },
  });
  const options = {
    background: '#ffffff',
    bitDepth,
    bands,
    timeoutSeconds: 60,
    memoryBudget: memoryLimits.standard.rendering,
    conversion,
  };
  const pixels = await pixelsOfSlices({ ...memoryReader(tiff), readInto }, image, options);
  for (const { left, top, right, bottom } of rectangles(seed)) {
    const arena = new Arena();
    const raster = rasterBytes(await pixels.raster({ left, top, right, bottom }, arena));
    const row = (right - left) * pixel;
    let wrong = 0;
    for (let y = top; y < bottom; y++) {
      const expected = whole.subarray((y * width + left) * pixel, (y * width + right) * pixel);
      if (!expected.equals(raster.subarray((y - top) * row, (y - top + 1) * row))) wrong++;
    }
    arena.release();
    if (wrong > 0) return `${wrong} of ${bottom - top} rows differ in ${left}, ${top} to ${right}, ${bottom}`;
  }
  return undefined;
}

/**
 * Rectangles from a linear congruential generator, the same for the same seed. The last is a band
 * of full width, as blocks of masters in strips are.
 */
function rectangles(seed: number): { left: number; top: number; right: number; bottom: number }[] {
  let state = Math.imul(seed + 1, 2_654_435_761);
  const below = (limit: number): number => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) | 0;
    return Math.floor(((state >>> 0) / 2 ** 32) * limit);
  };
  return Array.from({ length: RECTANGLES }, (_, index) => {
    const [left, top] = [below(width), below(height)];
    const [right, bottom] = [left + 1 + below(width - left), top + 1 + below(height - top)];
    return index === RECTANGLES - 1 ? { left: 0, top, right: width, bottom } : { left, top, right, bottom };
  });
}

function fileOf(picture: Picture, folder: string): string {
  return path.join(folder, `${picture}.tif`);
}

/** Gradients and noise; every row and every band is different. */
async function writePicture(picture: Picture, folder: string): Promise<void> {
  const { bands, bitDepth } = pictures[picture];
  const samples = bitDepth === 16 ? new Uint16Array(width * height * bands) : new Uint8Array(width * height * bands);
  const most = bitDepth === 16 ? 65_535 : 255;
  let grain = 1;
  for (let at = 0; at < samples.length; at++) {
    grain = (Math.imul(grain, 1_664_525) + 1_013_904_223) | 0;
    const [x, y, band] = [Math.floor(at / bands) % width, Math.floor(at / bands / width), at % bands];
    const light = 0.4 + 0.2 * Math.sin(x / 31 + band) + 0.2 * Math.cos(y / (17 + 3 * band)) + (grain >>> 26) / 640;
    samples[at] = Math.round(light * most);
  }
  await sharp(samples, { raw: { width, height, channels: bands } })
    .toColourspace(bitDepth === 16 ? (bands <= 2 ? 'grey16' : 'rgb16') : bands <= 2 ? 'b-w' : 'srgb')
    .tiff({ compression: 'none', ...(bitDepth === 1 ? { bitdepth: 1 } : {}) })
    .toFile(fileOf(picture, folder));
}

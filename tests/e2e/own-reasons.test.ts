import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { FileConversion } from '../../src/formats/convert-file.ts';
import { identify, recognise } from '../../src/formats/identify.ts';
import { Arena } from '../../src/imaging/arena.ts';
import { memoryReader } from '../../src/bytes/range-reader.ts';
import { type PixelOptions, pixelsOfFile, pixelsOfSlices } from '../../src/imaging/source-pixels.ts';
import { forEachParallel } from '../../src/parallel.ts';
import { uprightSize } from '../../src/pyramid/source-image.ts';
import { brokenFiles } from '../support/broken-files.ts';

const LONG = 120_000;
const options: PixelOptions = {
  background: '#ffffff',
  bitDepth: 8,
  bands: 3,
  conversion: 'none',
  timeoutSeconds: LONG / 1000,
  reducedTo: undefined,
  memoryBudget: 2 ** 30,
};

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'stepwell-reasons-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

/** Identifies and decodes a file as the steps do. */
async function decodeWhole(file: string, bytes: Uint8Array, target: string): Promise<void> {
  const reader = memoryReader(bytes);
  const { kind, format } = await recognise(reader);
  if (kind === 'converted') {
    const conversion = new FileConversion(
      { format, file, fileBytes: bytes.length, options: { dpi: 72, background: '#ffffff' } },
      { budget: 2 ** 32, remainingMs: () => LONG },
    );
    await conversion.writeTiff(await conversion.probe(), target);
    return;
  }
  const { image } = await identify(reader, format, { unspecifiedSamples: 'ignore' });
  const into = {
    ...reader,
    readInto(part: Uint8Array, offset: number): Promise<void> {
      part.set(bytes.subarray(offset, offset + part.length));
      return Promise.resolve();
    },
  };
  const own = { ...options, bands: image.bands };
  const pixels = image.chunks ? await pixelsOfSlices(into, image, own) : pixelsOfFile(file, image, own);
  const { width, height } = uprightSize(image);
  const arena = new Arena();
  try {
    await pixels.raster({ left: 0, top: 0, right: width, bottom: height }, arena);
  } finally {
    arena.release();
  }
}

test('200 broken files are rejected for the same reasons eight at once as one by one', async () => {
  const files = await brokenFiles(200);
  for (const [name, bytes] of files) await writeFile(path.join(folder, name), bytes);
  const reasons = async (stride: number, atOnce: number): Promise<Map<string, string>> => {
    const found = new Map<string, string>();
    // Every run has other neighbours; the strides have no divisor in common with 200.
    const shuffled = files.map((_, index) => files[(index * stride) % files.length]);
    await forEachParallel(shuffled, atOnce, async (entry) => {
      const [name = '', bytes = new Uint8Array()] = entry ?? [];
      const outcome = decodeWhole(path.join(folder, name), bytes, path.join(folder, `${name}.converted`));
      const reason = await outcome.then(
        () => 'decoded',
        (error: unknown) => (error instanceof Error ? `${error.name}: ${error.message}` : String(error)),
      );
      found.set(name, reason);
    });
    return new Map([...found].sort());
  };
  const alone = await reasons(1, 1);
  const rejected = [...alone.values()].filter((reason) => reason !== 'decoded');
  expect(rejected.length).toBeGreaterThan(100);
  expect(rejected.filter((reason) => !/^RejectedImageError: [A-Z_]+: \S/u.test(reason))).toEqual([]);
  for (const stride of [3, 7, 11, 13, 17]) expect(await reasons(stride, 8)).toEqual(alone);
});

import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import sharp from 'sharp';
import { assertReadable, decode, memoryNeed } from '../../src/formats/convert.ts';
import { type DecodingLimits, FileConversion } from '../../src/formats/convert-file.ts';
import type { ConvertibleFormat } from '../../src/pyramid/source-image.ts';
import { pdf } from '../support/pdf-fixtures.ts';
import { bmp } from '../support/bmp-fixtures.ts';

const options = { dpi: 72, background: '#ffffff' };
const LONG = 60_000;
const GENEROUS: DecodingLimits = { budget: 6_000 * 2 ** 20, remainingMs: () => LONG };

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'stepwell-decoding-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

async function conversionOf(
  format: ConvertibleFormat,
  bytes: Uint8Array,
  limits: Partial<DecodingLimits> = {},
): Promise<FileConversion> {
  const file = path.join(folder, `master.${format}`);
  await writeFile(file, bytes);
  return new FileConversion({ format, file, fileBytes: bytes.length, options }, { ...GENEROUS, ...limits });
}

async function converted(conversion: FileConversion): Promise<void> {
  await conversion.writeTiff(await conversion.probe(), target());
}

const target = (): string => path.join(folder, 'converted.tif');

/** Fills the whole page of 3,000 × 3,000 pixels; a hundred fills take about a second. */
const fills = (count: number): Uint8Array =>
  pdf({ pages: [{ width: 3_000, height: 3_000, content: '0 0 3000 3000 re f\n'.repeat(count) }] });

describe('a decoder in a process of its own', () => {
  test('writes the pixels of the master as a TIFF', async () => {
    const master = pdf({ pages: [{ width: 600, height: 520, content: '1 0 0 rg 0 0 300 520 re f' }] });
    const conversion = await conversionOf('pdf', master);
    const shape = await conversion.probe();
    expect(shape).toEqual({ width: 600, height: 520, bands: 3, alpha: false, bitDepth: 8 });
    await conversion.writeTiff(shape, target());
    const { data, info } = await sharp(await readFile(target()))
      .raw()
      .toBuffer({ resolveWithObject: true });
    expect(info).toMatchObject({ width: 600, height: 520, channels: 3 });
    expect([...data.subarray(0, 3), ...data.subarray(-3)]).toEqual([255, 0, 0, 255, 255, 255]);
  });

  test('rejects a master as it would in the same process', async () => {
    const cut = await conversionOf('pdf', pdf({ pages: [{ width: 9, height: 9, content: '' }] }).subarray(0, 300));
    await expect(cut.probe()).rejects.toMatchObject({
      name: 'RejectedImageError',
      code: 'TRUNCATED',
      message: 'TRUNCATED: the PDF ends without its end marker',
    });
  });

  test('is ended at its time limit, and the master is rejected as OVER_BUDGET', async () => {
    const conversion = await conversionOf('pdf', fills(20_000), { decodingTime: 2_000 });
    await expect(converted(conversion)).rejects.toMatchObject({
      code: 'OVER_BUDGET',
      message: 'OVER_BUDGET: decoding this PDF takes more than 2 s',
    });
  });

  test('is ended at the deadline of the function, and the master is not rejected', async () => {
    const conversion = await conversionOf('pdf', fills(20_000), { remainingMs: () => 2_000 });
    await expect(converted(conversion)).rejects.toMatchObject({ name: 'DeadlineExceededError' });
  });

  test('leaves the calling process responsive', async () => {
    const conversion = await conversionOf('pdf', fills(60));
    const shape = await conversion.probe();
    let turns = 0;
    const timer = setInterval(() => turns++, 10);
    await conversion.writeTiff(shape, target());
    clearInterval(timer);
    // A decoder in this process would leave none.
    expect(turns).toBeGreaterThanOrEqual(3);
  });

  test('is given more memory when the page needs more than is estimated', async () => {
    const page = { width: 3_000, height: 3_000 };
    // Every group has a bitmap of the size of the page.
    const forms = Array.from({ length: 9 }, (_, index) => (index < 8 ? `/F${index + 1} Do` : '0 0 3000 3000 re f'));
    const master = pdf({
      pages: [{ ...page, content: '/Half gs /F0 Do' }],
      forms: forms.map((content) => `/Half gs ${content}`),
    });
    const shape = { ...page, bands: 3, alpha: false, bitDepth: 8 } as const;
    const { heap } = memoryNeed('pdf', shape, master.length);
    await expect(decode('pdf', master, { ...options, heap })).rejects.toThrow('OVER_BUDGET');
    await (await conversionOf('pdf', master)).writeTiff(shape, target());
    expect((await stat(target())).size).toBeGreaterThan(0);
  });
});

describe('a file that no decoder can hold', () => {
  test('is rejected by its size before it is read', () => {
    expect(() => {
      assertReadable('heic', 2_000 * 2 ** 20, GENEROUS.budget);
    }).toThrow('OVER_BUDGET: a HEIC of 2000 MiB needs');
    // PDFium reads parts of a file.
    expect(() => {
      assertReadable('pdf', 2_000 * 2 ** 20, GENEROUS.budget);
    }).not.toThrow();
    expect(() => {
      assertReadable('bmp', 2_000 * 2 ** 20, GENEROUS.budget);
    }).not.toThrow();
  });
});

test('a BMP of rows that are missing is rejected with the reason of its reader', async () => {
  const whole = bmp({
    width: 20,
    height: 20,
    bitsPerPixel: 24,
    rows: Array.from({ length: 20 }, () => new Array<number>(20).fill(0)),
  });
  const conversion = await conversionOf('bmp', whole.subarray(0, whole.length - 100));
  await expect(conversion.probe()).rejects.toThrow(/^TRUNCATED: its rows end at byte/u);
});

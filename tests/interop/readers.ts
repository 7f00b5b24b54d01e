/**
 * Third-party readers, each with a check of one published file. A check returns complaints; none
 * means passed.
 */
import { readFile, rm } from 'node:fs/promises';
import path from 'node:path';
import { z } from 'zod';
import { checkServed } from './iipimage.ts';
import { fileOf, type Master } from './masters.ts';
import { cogValidator, complaintOf, python, run } from './programs.ts';
import { encodedLevel, levelSizes, type ExpectedOutput, publishedDepth, singlePass, type Size } from './recipes.ts';

export interface Case {
  readonly master: Master;
  readonly expectedOutput: ExpectedOutput;
  /** The published file. */
  readonly file: string;
  /** The folder of masters. */
  readonly masters: string;
  /** Temporary folder of this case. */
  readonly scratch: string;
}

export interface Reader {
  readonly name: string;
  readonly check: (subject: Case) => Promise<string[]>;
}

export const readers: readonly Reader[] = [
  { name: 'tiffinfo', check: checkDirectories },
  {
    name: 'tiffcp',
    check: ({ file, scratch }) => complaintsWriting('tiffcp', ['-m', '0', '-c', 'none', file], scratch, 'copy.tif'),
  },
  {
    name: 'tiff2rgba',
    check: ({ file, scratch }) => complaintsWriting('tiff2rgba', ['-M', '0', '-c', 'none', file], scratch, 'rgba.tif'),
  },
  { name: 'vipsheader', check: checkHeader },
  { name: 'vips=sharp', check: checkPixels },
  { name: 'gdalinfo', check: checkOverviews },
  { name: 'gdal=vips', check: checkOverviewPixels },
  { name: 'COG', check: checkCloudOptimized },
  { name: 'IIPImage', check: checkServed },
];

function sizesOf({ master, expectedOutput }: Case): Size[] {
  return levelSizes(master, expectedOutput.tileSize);
}

function differences(what: string, actual: Record<string, unknown>, expected: Record<string, unknown>): string[] {
  return Object.entries(expected)
    .filter(([name, value]) => JSON.stringify(actual[name]) !== JSON.stringify(value))
    .map(([name, value]) => `${what}: ${name} is ${JSON.stringify(actual[name])}, not ${JSON.stringify(value)}`);
}

async function complaints(program: string, args: readonly string[]): Promise<string[]> {
  const complaint = complaintOf(program, await run(program, args));
  return complaint === undefined ? [] : [complaint];
}

async function complaintsWriting(
  program: string,
  args: readonly string[],
  scratch: string,
  output: string,
): Promise<string[]> {
  const target = path.join(scratch, output);
  const found = await complaints(program, [...args, target]);
  await rm(target, { force: true });
  return found;
}

/** libtiff's view of every directory. */
async function checkDirectories(subject: Case): Promise<string[]> {
  const ran = await run('tiffinfo', [subject.file]);
  const complaint = complaintOf('tiffinfo', ran);
  if (complaint !== undefined) return [complaint];
  const directories = ran.stdout.split(/^=== TIFF directory \d+ ===$/mu).slice(1);
  const sizes = sizesOf(subject);
  if (directories.length !== sizes.length) return [`${directories.length} directories, not ${sizes.length}`];
  return directories.flatMap((text, index) =>
    differences(`directory ${index}`, directoryFields(text), expectedDirectory(subject, sizes[index], index)),
  );
}

function directoryFields(text: string): Record<string, string | undefined> {
  const field = (pattern: RegExp): string | undefined => pattern.exec(text)?.[1]?.trim();
  return {
    width: field(/Image Width: (\d+)/u),
    height: field(/Image Length: (\d+)/u),
    tileWidth: field(/Tile Width: (\d+)/u),
    tileHeight: field(/Tile Length: (\d+)/u),
    compression: field(/Compression Scheme: (.+)/u),
    photometric: field(/Photometric Interpretation: (.+)/u),
    subfileType: field(/Subfile Type: .*\((\d+) = /u),
    bits: field(/Bits\/Sample: (\d+)/u),
    samples: field(/Samples\/Pixel: (\d+)/u),
    orientation: field(/Orientation: (.+)/u),
    planes: field(/Planar Configuration: (.+)/u),
  };
}

function expectedDirectory(
  { master, expectedOutput }: Case,
  size: Size | undefined,
  index: number,
): Record<string, string> {
  const jpeg = expectedOutput.compression === 'jpeg';
  return {
    width: String(size?.width),
    height: String(size?.height),
    tileWidth: String(expectedOutput.tileSize),
    tileHeight: String(expectedOutput.tileSize),
    compression: jpeg ? 'JPEG' : 'AdobeDeflate',
    photometric: master.bands === 1 ? 'min-is-black' : jpeg ? 'YCbCr' : 'RGB color',
    subfileType: index === 0 ? '0' : '1',
    bits: String(publishedDepth(master, expectedOutput)),
    samples: String(master.bands),
    orientation: 'row 0 top, col 0 lhs',
    planes: 'single image plane',
  };
}

/** libvips' view of the first page. */
async function checkHeader(subject: Case): Promise<string[]> {
  const ran = await run('vipsheader', ['-a', subject.file]);
  const complaint = complaintOf('vipsheader', ran);
  if (complaint !== undefined) return [complaint];
  const lines = ran.stdout.split('\n').map((line) => line.split(': ', 2));
  const fields = Object.fromEntries(lines.map(([name = '', value]) => [name, value]));
  const { master, expectedOutput } = subject;
  const levels = sizesOf(subject).length;
  return differences('vipsheader', fields, {
    width: String(master.width),
    height: String(master.height),
    bands: String(master.bands),
    format: publishedDepth(master, expectedOutput) === 16 ? 'ushort' : 'uchar',
    // libvips reports no page fields for a file of one page.
    ...(levels > 1 ? { 'n-pages': String(levels) } : {}),
  });
}

/** The samples of a page as libvips decodes them. Rejects with the error output of vips. */
async function vipsPixels(file: string, page: number, scratch: string): Promise<Buffer> {
  const target = path.join(scratch, `vips-${path.basename(file)}-${page}.raw`);
  const complaint = complaintOf('vips', await run('vips', ['rawsave', `${file}[page=${page}]`, target]));
  if (complaint !== undefined) throw new Error(`page ${page}: ${complaint}`);
  try {
    return await readFile(target);
  } finally {
    await rm(target, { force: true });
  }
}

/**
 * Compares every page with sharp's single pass over the whole master, or under JPEG with a level of
 * that pass encoded by itself; libvips decodes both.
 */
async function checkPixels(subject: Case): Promise<string[]> {
  const { master, expectedOutput, file, scratch } = subject;
  const reference = path.join(scratch, 'single-pass.tif');
  await singlePass(fileOf(subject.masters, master), master, expectedOutput, reference);
  const header = await run('vipsheader', ['-a', reference]);
  const referencePages = Number(/^n-pages: (\d+)$/mu.exec(header.stdout)?.[1] ?? 1);
  const sizes = sizesOf(subject);
  const found: string[] = [];
  let above: Buffer | undefined;
  for (const [page, size] of sizes.entries()) {
    const pixels = await vipsPixels(file, page, scratch);
    // libvips ends its pyramid before a side would be 0; further levels are computed here as means
    // of two pixels.
    const expected =
      page < referencePages ? await expectedPixels(subject, reference, page, size) : halvedLine(above, subject);
    if (expected && !expected.equals(pixels)) {
      found.push(`level ${page} (${size.width} × ${size.height}): ${countDifferent(pixels, expected)}`);
    }
    above = pixels;
  }
  await rm(reference, { force: true });
  return found;
}

/** The samples of a level of the single pass, encoded and decoded again if the recipe has JPEG. */
async function expectedPixels(
  { expectedOutput, master, scratch }: Case,
  pyramid: string,
  page: number,
  size: Size,
): Promise<Buffer> {
  if (expectedOutput.compression !== 'jpeg') return vipsPixels(pyramid, page, scratch);
  const target = path.join(scratch, 'encoded-level.tif');
  const extended = await encodedLevel(pyramid, page, size, expectedOutput, target);
  const pixels = await vipsPixels(target, 0, scratch);
  await rm(target, { force: true });
  const [row, stride] = [size.width * master.bands, extended.width * master.bands];
  return Buffer.concat(Array.from({ length: size.height }, (_, y) => pixels.subarray(y * stride, y * stride + row)));
}

/**
 * The next level of an image one pixel wide or high; undefined for lossy encodings, where it cannot
 * be computed from the decoded pixels.
 */
function halvedLine(line: Buffer | undefined, { master, expectedOutput }: Case): Buffer | undefined {
  if (!line || expectedOutput.compression === 'jpeg' || publishedDepth(master, expectedOutput) === 16) return undefined;
  const { bands } = master;
  const pixels = Math.max(1, Math.floor(line.length / bands / 2));
  return Buffer.from(
    Array.from({ length: pixels * bands }, (_, index) => {
      const at = Math.floor(index / bands) * 2 * bands + (index % bands);
      return (2 * (line[at] ?? 0) + 2 * (line[at + bands] ?? 0) + 2) >> 2;
    }),
  );
}

function countDifferent(actual: Buffer, expected: Buffer): string {
  if (actual.length !== expected.length) return `${actual.length} bytes of pixels, not ${expected.length}`;
  let different = 0;
  for (let index = 0; index < actual.length; index++) if (actual[index] !== expected[index]) different++;
  return `${different} of ${actual.length} bytes of pixels differ`;
}

const GdalInfo = z.object({
  size: z.tuple([z.number(), z.number()]),
  bands: z.array(
    z.object({
      type: z.string(),
      block: z.tuple([z.number(), z.number()]),
      overviews: z.array(z.object({ size: z.tuple([z.number(), z.number()]) })).default([]),
    }),
  ),
});

/** GDAL's view: the levels above 0 are overviews of every band. */
async function checkOverviews(subject: Case): Promise<string[]> {
  const ran = await run('gdalinfo', ['-json', subject.file]);
  const complaint = complaintOf('gdalinfo', ran);
  if (complaint !== undefined) return [complaint];
  const { size, bands } = GdalInfo.parse(JSON.parse(ran.stdout));
  const { master, expectedOutput } = subject;
  const [full, ...overviews] = sizesOf(subject).map(({ width, height }) => [width, height]);
  const type = publishedDepth(master, expectedOutput) === 16 ? 'UInt16' : 'Byte';
  const expectedBand = { type, block: [expectedOutput.tileSize, expectedOutput.tileSize] };
  return [
    ...differences('gdalinfo', { size, bands: bands.length }, { size: full, bands: master.bands }),
    ...bands.flatMap((band, index) =>
      differences(
        `band ${index + 1}`,
        { ...band, overviews: band.overviews.map((overview) => overview.size) },
        { ...expectedBand, overviews },
      ),
    ),
  ];
}

/**
 * Compares every level as GDAL reads it with the page as libvips reads it, bit for bit; JPEG too,
 * because both use libjpeg-turbo.
 */
async function checkOverviewPixels(subject: Case): Promise<string[]> {
  const found: string[] = [];
  const levels = sizesOf(subject).length;
  for (let level = 0; level < levels; level++) {
    const target = path.join(subject.scratch, 'gdal.raw');
    const overview = level === 0 ? 'NONE' : String(level - 1);
    const format = ['-q', '-of', 'ENVI', '-co', 'INTERLEAVE=BIP', '--config', 'GDAL_PAM_ENABLED', 'NO'];
    const ran = await run('gdal_translate', [...format, '-ovr', overview, subject.file, target]);
    const complaint = complaintOf('gdal_translate', ran);
    if (complaint !== undefined) return [...found, `level ${level}: ${complaint}`];
    const [gdal, vips] = await Promise.all([readFile(target), vipsPixels(subject.file, level, subject.scratch)]);
    // GDAL's raw files have at least two bytes, even for one grey pixel.
    const pixels = vips.length === 1 ? gdal.subarray(0, 1) : gdal;
    if (!pixels.equals(vips)) found.push(`level ${level}: ${countDifferent(pixels, vips)}`);
    await rm(target, { force: true });
  }
  return found;
}

/**
 * The validator advises overviews for images above 512 pixels, also where one larger tile contains
 * the whole image.
 */
const adviceOnSize = `The following warnings were found:
 - The file is greater than 512xH or Wx512, it is recommended to include internal overviews`;

/** GDAL's validator with its full check of all offsets. It prints warnings on stdout. */
async function checkCloudOptimized({ file, master, expectedOutput }: Case): Promise<string[]> {
  const ran = await run(python, ['-m', cogValidator, '--full-check=yes', file]);
  const complaint = complaintOf('the COG validator', ran);
  if (complaint !== undefined) return [`${complaint} ${ran.stdout.trim()}`];
  const isOneTile = Math.max(master.width, master.height) <= expectedOutput.tileSize;
  const output = ran.stdout.replaceAll(file, '').replace(isOneTile ? adviceOnSize : file, '');
  return /warning|error/iu.test(output) ? [ran.stdout.trim()] : [];
}

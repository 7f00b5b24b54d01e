/** TIFFs of old-style JPEG: their pixels are those of the JPEG that they were written from. */
import { beforeAll, describe, expect, test } from '@jest/globals';
import sharp from 'sharp';
import { decodeMaster, identifyBytes } from '../support/decode-master.ts';
import { jpegWithRestarts, oldJpegTiff, partsOf } from '../support/old-jpeg.ts';
import { pictureOf } from '../support/pixels.ts';
import { long, short } from '../support/tiff-bytes.ts';

const [width, height] = [203, 150];

/** The samples of a JPEG, by sharp. */
function samplesOfJpeg(jpeg: Buffer): Promise<Buffer> {
  return sharp(jpeg).raw().toBuffer();
}

async function expectSamples(master: Uint8Array, expected: Buffer): Promise<void> {
  expect(Buffer.from((await decodeMaster(master)).samples).equals(expected)).toBe(true);
}

async function restarted(quality: number, channels: 1 | 3 = 3): Promise<{ jpeg: Buffer; rows: number }> {
  const options = { compression: 'jpeg', quality, tileHeight: 16 } as const;
  const tiff = await pictureOf(width, height, channels).tiff(options).toBuffer();
  const jpeg = jpegWithRestarts(tiff);
  return { jpeg, rows: Math.ceil(height / partsOf(jpeg).strips.length / 16) * 16 };
}

let whole: Buffer;
let expected: Buffer;
beforeAll(async () => {
  whole = await pictureOf(width, height).jpeg({ quality: 80, optimiseCoding: false }).toBuffer();
  expected = await samplesOfJpeg(whole);
});

describe('old-style JPEG becomes the pixels of its JPEG', () => {
  test.each(['whole', 'split', 'tables'] as const)('in one strip: %s', async (form) => {
    const master = oldJpegTiff(whole, { form });
    await expectSamples(master, expected);
    expect((await identifyBytes(master)).image).toMatchObject({ width, height, bands: 3, bitDepth: 8, alpha: false });
  });

  test.each([
    ['split', 95],
    ['split', 70],
    ['tables', 70],
  ] as const)('in several strips: %s, of quality %i', async (form, quality) => {
    const { jpeg, rows } = await restarted(quality);
    expect(partsOf(jpeg).strips.length).toBeGreaterThan(8);
    await expectSamples(oldJpegTiff(jpeg, { form, rowsPerStrip: rows }), await samplesOfJpeg(jpeg));
  });

  test.each(['whole', 'split', 'tables'] as const)('of grey, and big-endian: %s', async (form) => {
    const { jpeg, rows } = await restarted(80, 1);
    const options = { form, rowsPerStrip: form === 'whole' ? height : rows, littleEndian: false };
    const master = oldJpegTiff(jpeg, options);
    await expectSamples(master, await sharp(jpeg).toColourspace('b-w').raw().toBuffer());
    expect((await identifyBytes(master)).image.bands).toBe(1);
  });

  test.each<[string, Parameters<typeof oldJpegTiff>[1]]>([
    ['without a length of the JPEG', { form: 'whole', without: [514] }],
    ['without any length', { form: 'whole', without: [279, 514] }],
    ['without photometric interpretation and samples per pixel', { form: 'tables', without: [262, 277, 258] }],
    ['that calls itself RGB', { form: 'split', fields: [short(262, 2)] }],
    ['with one strip length of all rows', { form: 'whole', without: [278] }],
    ['whose place is not stated, in the strip', { form: 'whole', without: [513, 514] }],
  ])('%s', async (_, options) => {
    await expectSamples(oldJpegTiff(whole, options), expected);
  });

  test('with the fields that describe the picture', async () => {
    const fields = [
      short(274, 6),
      short(296, 2),
      { tag: 282, type: 5, values: [300, 1] },
      { tag: 283, type: 5, values: [300, 1] },
    ];
    const { image, description } = await identifyBytes(oldJpegTiff(whole, { form: 'tables', fields }));
    expect(image.orientation).toBe(6);
    expect(description.resolution).toEqual({ x: [300, 1], y: [300, 1], unit: 2 });
  });

  test('with the colours of Adobe RGB data, which are not transformed', async () => {
    const adobe = Buffer.from('\xff\xee\x00\x0eAdobe\x00\x64\x00\x00\x00\x00\x00', 'latin1');
    const plain = await pictureOf(width, height).jpeg({ chromaSubsampling: '4:4:4' }).toBuffer();
    const jpeg = Buffer.concat([plain.subarray(0, 2), adobe, plain.subarray(2)]);
    const untransformed = await samplesOfJpeg(jpeg);
    expect(untransformed.equals(await samplesOfJpeg(plain))).toBe(false);
    await expectSamples(oldJpegTiff(jpeg, { form: 'whole' }), untransformed);
  });
});

describe('old-style JPEG is refused', () => {
  test.each<[string, Parameters<typeof oldJpegTiff>[1], string]>([
    ['lossless', { form: 'tables', fields: [short(512, 14)] }, 'coded by process 14'],
    ['in tiles', { form: 'whole', fields: [short(322, 16), short(323, 16)] }, 'in tiles'],
    ['in separate planes', { form: 'split', fields: [short(284, 2)] }, 'in separate planes'],
    [
      'of another size than the image',
      { form: 'split', fields: [long(257, 99)] },
      'whose size is 203 × 150 pixels and not 203 × 99',
    ],
    ['without headers and tables', { form: 'tables', without: [520] }, 'neither headers nor tables'],
    ['too large for a JPEG', { form: 'split', fields: [long(256, 70_000)] }, 'whose size is 70000 × 150'],
  ])('%s', async (_, options, message) => {
    await expect(identifyBytes(oldJpegTiff(whole, options))).rejects.toMatchObject({
      code: 'UNSUPPORTED_PIXELS',
      message: expect.stringContaining(message),
    });
  });

  test('with strips that are not whole rows of blocks', async () => {
    const { jpeg } = await restarted(70);
    await expect(identifyBytes(oldJpegTiff(jpeg, { form: 'tables', rowsPerStrip: 12 }))).rejects.toMatchObject({
      code: 'UNSUPPORTED_PIXELS',
      message: expect.stringContaining('in strips of 12 rows'),
    });
  });

  test('when the file ends before its strips or its tables do', async () => {
    const master = oldJpegTiff(whole, { form: 'split', fields: [long(279, 1e6)] });
    await expect(identifyBytes(master)).rejects.toMatchObject({ code: 'TRUNCATED' });
    const tables = oldJpegTiff(whole, { form: 'tables', fields: [long(519, 1e6, 1e6, 1e6)] });
    await expect(identifyBytes(tables)).rejects.toMatchObject({ code: 'TRUNCATED' });
  });

  test.each<[string, Parameters<typeof oldJpegTiff>[1]]>([
    [
      'tables at places that are no numbers',
      { form: 'tables', fields: [{ tag: 519, type: 12, values: [NaN, -8, 0.5] }] },
    ],
    ['four components', { form: 'tables', fields: [short(277, 4)] }],
    ['a headers segment without a length', { form: 'split' }],
  ])('with %s', async (_, options) => {
    const master = Buffer.from(oldJpegTiff(whole, options));
    // The length of the first segment after SOI, at the start of the data.
    if (options.form === 'split') master.writeUInt16BE(1, 8 + 4);
    await expect(identifyBytes(master)).rejects.toMatchObject({ name: 'RejectedImageError' });
  });

  test('when its data is damaged', async () => {
    const damaged = Buffer.from(whole);
    damaged.fill(0, damaged.length / 2, damaged.length - 2);
    await expect(decodeMaster(oldJpegTiff(damaged, { form: 'whole' }))).rejects.toMatchObject({
      code: 'CORRUPT_PIXELS',
    });
  });
});

import { crc32 } from 'node:zlib';
import { describe, expect, test } from '@jest/globals';
import sharp from 'sharp';
import { SourceImage } from '../../src/pyramid/source-image.ts';
import { identifyBytes, identifyMaster } from '../support/decode-master.ts';
import { picture, pictureOf } from '../support/pixels.ts';
import { greyFields, type HandField, handTiff, long, short, withFields } from '../support/tiff-bytes.ts';
import { processorMilliseconds } from '../support/processor-time.ts';

async function refusalOf(bytes: Uint8Array): Promise<string> {
  try {
    const { image } = await identifyBytes(bytes);
    return `accepted: ${JSON.stringify(image)}`;
  } catch (error) {
    expect((error as Error).name).toBe('RejectedImageError');
    return (error as Error).message;
  }
}

const latin = (text: string): Buffer => Buffer.from(text, 'latin1');

describe('identify describes accepted masters', () => {
  const rgb = pictureOf(70, 50);
  const grey = pictureOf(70, 50, 1);
  const common = {
    width: 70,
    height: 50,
    model: 'rgb',
    profile: 'none',
    bands: 3,
    alpha: false,
    bitDepth: 8,
    orientation: 1,
    progressive: false,
    chunks: null,
  };
  const strips = (height: number) => ({ chunks: { kind: 'strips', width: 70, height } });
  const tiles = { chunks: { kind: 'tiles', width: 32, height: 16 } };
  const tile = { tile: true, tileWidth: 32, tileHeight: 16 } as const;

  test.each<[string, () => Promise<Buffer>, Partial<SourceImage> | { chunks: unknown }]>([
    ['JPEG', () => rgb.clone().jpeg().toBuffer(), { format: 'jpeg' }],
    ['grey JPEG', () => grey.clone().jpeg().toBuffer(), { format: 'jpeg', model: 'grey', bands: 1 }],
    [
      'progressive JPEG',
      () => rgb.clone().jpeg({ progressive: true }).toBuffer(),
      { format: 'jpeg', progressive: true },
    ],
    [
      'JPEG on its side',
      () => rgb.clone().jpeg().withMetadata({ orientation: 8 }).toBuffer(),
      // sharp adds its own sRGB profile.
      { format: 'jpeg', orientation: 8, profile: 'srgb' },
    ],
    ['PNG', () => rgb.clone().png().toBuffer(), { format: 'png' }],
    ['interlaced PNG', () => rgb.clone().png({ progressive: true }).toBuffer(), { format: 'png', progressive: true }],
    ['PNG with alpha', () => pictureOf(70, 50, 4).png().toBuffer(), { format: 'png', alpha: true }],
    [
      'grey PNG with alpha',
      () => pictureOf(70, 50, 2).png().toBuffer(),
      { format: 'png', model: 'grey', bands: 1, alpha: true },
    ],
    [
      'PNG with a palette',
      () => rgb.clone().png({ palette: true, colours: 16, dither: 0 }).toBuffer(),
      { format: 'png', model: 'palette' },
    ],
    ['16-bit PNG', () => rgb.clone().toColourspace('rgb16').png().toBuffer(), { format: 'png', bitDepth: 16 }],
    [
      '16-bit grey PNG',
      () => grey.clone().toColourspace('grey16').png().toBuffer(),
      { format: 'png', model: 'grey', bands: 1, bitDepth: 16 },
    ],
    ['WebP', () => rgb.clone().webp().toBuffer(), { format: 'webp' }],
    [
      'lossless WebP with alpha',
      () => pictureOf(70, 50, 4).webp({ lossless: true }).toBuffer(),
      { format: 'webp', alpha: true },
    ],
    [
      'TIFF of one strip',
      () => rgb.clone().tiff({ compression: 'none' }).toBuffer(),
      { format: 'tiff', ...strips(50) },
    ],
    [
      'TIFF of LZW strips',
      () => rgb.clone().tiff({ compression: 'lzw' }).toBuffer(),
      { format: 'tiff', ...strips(50) },
    ],
    [
      'TIFF of packbits strips',
      () => grey.clone().tiff({ compression: 'packbits' }).toBuffer(),
      { format: 'tiff', model: 'grey', bands: 1, ...strips(50) },
    ],
    [
      'TIFF of JPEG tiles',
      () =>
        rgb
          .clone()
          .tiff({ compression: 'jpeg', ...tile })
          .toBuffer(),
      { format: 'tiff', ...tiles },
    ],
    [
      'TIFF of WebP tiles',
      () =>
        rgb
          .clone()
          .tiff({ compression: 'webp', ...tile })
          .toBuffer(),
      { format: 'tiff', ...tiles },
    ],
    [
      'BigTIFF',
      () =>
        rgb
          .clone()
          .tiff({ compression: 'deflate', bigtiff: true, ...tile })
          .toBuffer(),
      { format: 'tiff', ...tiles },
    ],
    [
      '16-bit TIFF',
      () =>
        rgb
          .clone()
          .toColourspace('rgb16')
          .tiff({ compression: 'deflate', ...tile })
          .toBuffer(),
      { format: 'tiff', bitDepth: 16, ...tiles },
    ],
    [
      'TIFF with alpha',
      () =>
        pictureOf(70, 50, 4)
          .tiff({ compression: 'deflate', ...tile })
          .toBuffer(),
      { format: 'tiff', alpha: true, ...tiles },
    ],
  ])('%s', async (_, make, image) => {
    const bytes = await make();
    const identified = (await identifyBytes(bytes)).image;
    expect(identified).toMatchObject({ ...common, ...image, fileSize: bytes.length });
    expect(SourceImage.parse(identified)).toEqual(identified);
  });

  test('and limits a strip with more rows than the image to the image', async () => {
    const bytes = handTiff({
      data: new Uint8Array(12),
      directories: [withFields(greyFields(4, 3, 8), long(278, 0xffff_ffff))],
    });
    expect((await identifyBytes(bytes)).image.chunks).toEqual({ kind: 'strips', width: 4, height: 3 });
  });

  test.each([true, false])(
    'TIFFs of the other byte order and of separate planes (little-endian: %s)',
    async (littleEndian) => {
      const planar = withFields(
        greyFields(4, 3, 8),
        short(258, 8, 8, 8),
        short(262, 2),
        short(277, 3),
        short(284, 2),
        short(273, 8, 20, 32),
        short(279, 12, 12, 12),
      );
      for (const bigTiff of [false, true]) {
        const bytes = handTiff({ littleEndian, bigTiff, data: new Uint8Array(44), directories: [planar] });
        expect((await identifyBytes(bytes)).image).toMatchObject({
          width: 4,
          height: 3,
          bands: 3,
          bitDepth: 8,
          fileSize: bytes.length,
        });
      }
    },
  );

  test.each([0, 9, 65_535])('and treats the invalid orientation %i as upright', async (orientation) => {
    const bytes = handTiff({
      data: new Uint8Array(12),
      directories: [withFields(greyFields(4, 3, 8), short(274, orientation))],
    });
    expect((await identifyBytes(bytes)).image.orientation).toBe(1);
  });

  test('with the resolution and the profile of the header', async () => {
    const tiff = await rgb.clone().withIccProfile('p3').tiff({ xres: 10, yres: 20, resolutionUnit: 'cm' }).toBuffer();
    const jpeg = await rgb.clone().withIccProfile('p3').withMetadata({ density: 240 }).jpeg().toBuffer();
    const { icc } = await sharp(tiff).metadata();
    const { description } = await identifyBytes(tiff);
    expect(description.iccProfile).toBe(icc?.toString('base64'));
    const [x, y] = [description.resolution?.x, description.resolution?.y].map(
      (value) => (value?.[0] ?? 0) / (value?.[1] ?? 1),
    );
    expect([x, y, description.resolution?.unit]).toEqual([100, 200, 3]);
    expect((await identifyBytes(jpeg)).description.resolution).toEqual({ x: [240, 1], y: [240, 1], unit: 2 });
    expect((await identifyBytes(await rgb.clone().tiff().toBuffer())).description.iccProfile).toBeUndefined();
  });
});

describe('identify refuses what is not a single image', () => {
  test('such as an object without bytes', async () => {
    expect(await refusalOf(new Uint8Array())).toMatch(/^EMPTY_OBJECT: /u);
  });

  test.each<[string, Buffer]>([
    ['JPEG', latin('\xff\xd8\xff<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>')],
    ['PNG', latin('\x89PNG\r\n\x1a\n<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>')],
    ['TIFF', latin('II*\x00<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>')],
    ['WebP', latin('RIFF\x10\x00\x00\x00WEBP<svg xmlns="http://www.w3.org/2000/svg"/>')],
  ])('a drawing behind the first bytes of a %s', async (_, bytes) => {
    expect(await refusalOf(bytes)).toMatch(/^(CORRUPT_HEADER|TRUNCATED): /u);
  });

  test('such as an animation', async () => {
    const frames = [1, 2, 3].map((seed) => pictureOf(40, 30, 3, seed).png().toBuffer());
    const webp = await sharp(await Promise.all(frames), { join: { animated: true } })
      .webp()
      .toBuffer();
    expect(await refusalOf(webp)).toBe('MULTI_PAGE: an animation of 3 frames');
  });
});

describe('identify refuses TIFF samples that cannot be converted', () => {
  const grey = greyFields(4, 4, 8);
  const rgb = withFields(grey, short(258, 8, 8, 8), short(262, 2), short(277, 3), long(279, 48));
  const cmyk = withFields(rgb, short(258, 8, 8, 8, 8), short(262, 5), short(277, 4), long(279, 64));

  test.each<[string, HandField[], string]>([
    ['a mask', withFields(grey, short(262, 4)), 'the colour model is a mask'],
    [
      'YCbCr of 16 bits',
      withFields(rgb, short(258, 16, 16, 16), short(262, 6)),
      'the colour model is YCbCr without JPEG',
    ],
    ['an unheard-of colour model', withFields(rgb, short(262, 32_845)), 'the colour model is number 32845'],
    ['64 bits', withFields(grey, short(258, 64)), 'samples of 64 bits'],
    ['12 bits of CMYK', withFields(cmyk, short(258, 12, 12, 12, 12)), 'cmyk samples of 12, 12, 12, 12 bits'],
    ['floating point of 24 bits', withFields(grey, short(258, 24), short(339, 3)), 'format 3'],
    ['signed samples of 64 bits', withFields(grey, short(258, 64), short(339, 2)), 'format 2'],
    ['complex samples', withFields(grey, short(339, 6)), 'format 6'],
    ['samples of different depth', withFields(rgb, short(258, 8, 8, 16)), 'samples of 8, 8, 16 bits'],
    ['a palette of 16 bits', withFields(grey, short(262, 3), short(258, 16)), 'palette samples of 16 bits'],
    ['a palette too short', withFields(grey, short(262, 3), short(320, 1, 2, 3)), 'a palette of 1 colours where 256'],
    [
      'a palette with alpha',
      withFields(grey, short(262, 3), short(277, 2), short(258, 8, 8), short(338, 2)),
      '2 samples a pixel',
    ],
    ['inks other than CMYK', withFields(cmyk, short(332, 2)), 'its inks are not CMYK'],
    ['L*a*b* with alpha', withFields(cmyk, short(262, 8), short(338, 2)), 'alpha beside lab samples'],
    [
      'a second sample of a palette',
      withFields(grey, short(262, 3), short(277, 2), short(258, 8, 8)),
      '2 samples a pixel',
    ],
    ['fewer bands than colours', withFields(rgb, short(277, 2), short(258, 8, 8)), '2 samples a pixel'],
    ['no samples', withFields(grey, short(277, 0)), '0 samples a pixel'],
    ['old-style JPEG', withFields(rgb, short(259, 6)), 'TIFF compression 6'],
    ['JPEG 2000', withFields(rgb, short(259, 34_712)), 'JPEG 2000 in TIFF (compression 34712)'],
    ['an unknown compression', withFields(rgb, short(259, 34_888)), 'TIFF compression 34888'],
  ])('%s', async (_, fields, message) => {
    const refusal = await refusalOf(handTiff({ data: new Uint8Array(64), directories: [fields] }));
    expect(refusal).toMatch(/^UNSUPPORTED_PIXELS: /u);
    expect(refusal).toContain(message);
  });
});

describe('the pages of a TIFF', () => {
  const page = (width: number, height: number, ...more: HandField[]): HandField[] =>
    withFields(greyFields(width, height, 8), ...more);
  const pages = (...directories: HandField[][]): Uint8Array => handTiff({ data: new Uint8Array(64 * 64), directories });

  test('are refused when the first is a preview of another', async () => {
    const preview = page(60, 41, long(254, 1));
    expect(await refusalOf(pages(preview, page(20, 20, long(254, 1))))).toMatch(/^MULTI_PAGE: page 1 is a preview/u);
    expect(await refusalOf(pages(withFields(preview, long(330, 8))))).toMatch(/^MULTI_PAGE: page 1 is a preview/u);
    expect(await refusalOf(pages(preview))).toMatch(/^accepted: /u);
  });

  test('are refused as a raw photograph when the first is the preview of a DNG', async () => {
    const version = { tag: 50_706, type: 1, values: [1, 4, 0, 0] };
    const preview = withFields(page(60, 41, long(254, 1)), long(330, 8), version);
    expect(await refusalOf(pages(preview))).toMatch(/^UNSUPPORTED_FORMAT: this is a raw photograph \(DNG\)/u);
  });

  test('are counted in the refusal when they are pictures of their own', async () => {
    const images = [1, 2, 3].map((seed) => pictureOf(40, 30, 3, seed).png().toBuffer());
    const tiff = await sharp(await Promise.all(images), { join: { animated: true } })
      .tiff()
      .toBuffer();
    expect(await refusalOf(tiff)).toMatch(/^MULTI_PAGE: 3 pages, and page 2 /u);
    expect(await refusalOf(pages(page(60, 40), page(30, 20), page(50, 40)))).toMatch(
      /^MULTI_PAGE: 3 pages, and page 3 /u,
    );
  });

  test.each<[string, HandField[][]]>([
    ['its halvings', [page(60, 41), page(30, 20), page(15, 10), page(7, 5)]],
    ['reduced images by their NewSubfileType', [page(60, 41), page(25, 17, long(254, 1))]],
    ['its mask', [page(60, 41), page(60, 41, long(254, 4))]],
  ])('are one picture when the others are %s', async (_, directories) => {
    expect((await identifyBytes(pages(...directories))).image).toMatchObject({ width: 60, height: 41 });
  });

  test('are one picture in a pyramid that libvips wrote', async () => {
    const tiff = await pictureOf(700, 500).tiff({ pyramid: true, tile: true, compression: 'jpeg' }).toBuffer();
    expect((await identifyBytes(tiff)).image).toMatchObject({ width: 700, height: 500, bands: 3 });
  });

  test('are not read to the end when there are a thousand', async () => {
    const directories = Array.from({ length: 1000 }, (_, index) => page(60 - (index % 3), 41));
    const milliseconds = await processorMilliseconds(async () => {
      expect(await refusalOf(pages(...directories))).toMatch(/^MULTI_PAGE: more than 256 pages/u);
    });
    expect(milliseconds).toBeLessThan(1000);
  });
});

describe('a header with false statements', () => {
  const grey = greyFields(4, 4, 8);

  test.each<[string, HandField[], RegExp]>([
    [
      'a strip past the end',
      withFields(grey, long(273, 4_000_000_000)),
      /^TRUNCATED: strip 0 ends at byte 4000000016/u,
    ],
    ['a strip longer than the file', withFields(grey, long(279, 4_000_000_000)), /^TRUNCATED: /u],
    ['a strip before the start', withFields(grey, { tag: 273, type: 9, values: [-100] }), /^CORRUPT_HEADER: /u],
    ['a strip of negative length', withFields(grey, { tag: 279, type: 9, values: [-100] }), /^CORRUPT_HEADER: /u],
    [
      'a strip whose offset is not a number',
      withFields(grey, { tag: 273, type: 11, values: [Number.NaN] }),
      /^CORRUPT_HEADER: /u,
    ],
    ['fewer strips than rows need', withFields(grey, long(278, 1)), /^CORRUPT_HEADER: Expected 4 strips/u],
    ['2^32 − 1 strips', withFields(grey, { tag: 273, type: 4, values: [8], count: 0xffff_ffff }), /^TRUNCATED: /u],
    ['no width', withFields(grey, long(256, 0)), /^CORRUPT_HEADER: /u],
    ['an infinite width', withFields(grey, { tag: 256, type: 11, values: [Infinity] }), /^CORRUPT_HEADER: /u],
    ['an infinite height', withFields(grey, { tag: 257, type: 5, values: [1, 0] }), /^CORRUPT_HEADER: /u],
    ['tiles of no width', withFields(grey, short(322, 0), short(323, 16)), /^CORRUPT_HEADER: /u],
    [
      'a trillion tiles',
      withFields(grey, long(256, 1e6), long(257, 1e6), short(322, 1), short(323, 1), long(324, 8), long(325, 1)),
      /^CORRUPT_HEADER: /u,
    ],
  ])('is refused without reading pixels: %s', async (_, fields, message) => {
    const milliseconds = await processorMilliseconds(async () => {
      expect(await refusalOf(handTiff({ data: new Uint8Array(64), directories: [fields] }))).toMatch(message);
    });
    expect(milliseconds).toBeLessThan(1000);
  });

  test('is refused for a circular chain of directories', async () => {
    expect(await refusalOf(handTiff({ directories: [grey, grey], lastPoints: { directory: 0 } }))).toMatch(
      /^CORRUPT_HEADER: .*twice/u,
    );
  });

  test('is described or refused without decoding for a PNG of a million by a million pixels', async () => {
    const ihdr = Buffer.alloc(17);
    ihdr.write('IHDR', 'latin1');
    ihdr.writeUInt32BE(1_000_000, 4);
    ihdr.writeUInt32BE(1_000_000, 8);
    ihdr.set([8, 2, 0, 0, 0], 12);
    const crc = Buffer.alloc(4);
    crc.writeUInt32BE(crc32(ihdr));
    const png = Buffer.concat([
      latin('\x89PNG\r\n\x1a\n\x00\x00\x00\x0d'),
      ihdr,
      crc,
      latin('\x00\x00\x00\x00IDAT\x35\xaf\x06\x1e'),
    ]);
    const milliseconds = await processorMilliseconds(async () => {
      expect(await refusalOf(png)).toMatch(/^(accepted: .*"width":1000000,|CORRUPT_HEADER: |TRUNCATED: )/u);
    });
    expect(milliseconds).toBeLessThan(1000);
  });
});

test('identify reads only a few pages of a master of ten gigabytes', async () => {
  const strips = 1000;
  const stripBytes = 10_000_000;
  const offsets = Array.from({ length: strips }, (_, strip) => 8_000_000 + strip * stripBytes);
  const head = handTiff({
    bigTiff: true,
    directories: [
      [
        long(256, 100_000),
        long(257, 100_000),
        short(258, 8),
        short(259, 1),
        short(262, 1),
        { tag: 273, type: 16, values: offsets },
        short(277, 1),
        long(278, 100),
        long(279, ...offsets.map(() => stripBytes)),
      ],
    ],
  });
  let total = 0;
  const { image } = await identifyMaster({
    size: 10_008_000_000,
    read(offset, length) {
      total += length;
      const bytes = new Uint8Array(length);
      if (offset < head.length) bytes.set(head.subarray(offset, offset + length));
      return Promise.resolve(bytes);
    },
  });
  expect(image).toMatchObject({ width: 100_000, height: 100_000, fileSize: 10_008_000_000 });
  expect(total).toBeLessThan(300_000);
});

test('identify finds a header after half a megabyte of profile and comments', async () => {
  const jpeg = await pictureOf(64, 48).jpeg().toBuffer();
  const comment = Buffer.concat([latin('\xff\xfe\xff\xff'), Buffer.alloc(65_533, 0x20)]);
  const bytes = Buffer.concat([jpeg.subarray(0, 2), ...Array.from({ length: 8 }, () => comment), jpeg.subarray(2)]);
  expect((await identifyBytes(bytes)).image).toMatchObject({
    format: 'jpeg',
    width: 64,
    height: 48,
    fileSize: bytes.length,
  });
});

test('the description of a master agrees with its decoded pixels', async () => {
  const raw = picture(33, 21, 3);
  const png = await sharp(raw, { raw: { width: 33, height: 21, channels: 3 } })
    .png()
    .toBuffer();
  const { image } = await identifyBytes(png);
  const { data, info } = await sharp(png).raw().toBuffer({ resolveWithObject: true });
  expect([image.width, image.height, image.bands]).toEqual([info.width, info.height, info.channels]);
  expect(data.equals(raw)).toBe(true);
});

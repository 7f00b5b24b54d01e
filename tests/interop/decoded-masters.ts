/**
 * Small masters of formats that the project decodes itself or by WebAssembly, and the programs that
 * decode them for comparison.
 */
import sharp from 'sharp';
import { avif, avifOf, av1Item, deepAvifOf } from '../support/avif-fixtures.ts';
import { bmp } from '../support/bmp-fixtures.ts';
import { codedColours, codedItem, extents, gridData, heic } from '../support/heic-fixtures.ts';
import { encodeHevc } from '../support/hevc-pcm.ts';
import { floatTiff } from '../support/deep-tiff.ts';
import { j2k, jp2, palette } from '../support/jp2-fixtures.ts';
import { jpegWithRestarts, oldJpegTiff } from '../support/old-jpeg.ts';
import { faxData, faxTiff, oldStyleLzw, packBits, strips, withHoles } from '../support/odd-tiffs.ts';
import { picture } from '../support/pixels.ts';
import { psd } from '../support/psd-fixtures.ts';
import { yccTiff } from '../support/ycc-tiff.ts';
import { imageMagick } from './programs.ts';

export interface DecodedMaster {
  readonly name: string;
  readonly extension: string;
  readonly make: () => Uint8Array | Promise<Uint8Array>;
  /** Program and arguments that decode `from` to `to`, whose extension is `target`. */
  readonly program: string;
  readonly args: (from: string, to: string) => string[];
  readonly target: 'png' | 'tif';
  /** Largest difference of a sample; 0 but where both sides round. */
  readonly tolerance?: number;
}

type Decoding = Pick<DecodedMaster, 'program' | 'args' | 'target'>;

const libavif: Decoding = { program: 'avifdec', args: (from, to) => [from, to], target: 'png' };
const deepLibavif: Decoding = { ...libavif, args: (from, to) => ['--depth', '16', from, to] };
const libheif: Decoding = { program: 'heif-convert', args: (from, to) => [from, to], target: 'png' };
const magick: Decoding = { program: imageMagick, args: (from, to) => [`${from}[0]`, to], target: 'png' };
const gdal: Decoding = { program: 'gdal_translate', args: (from, to) => ['-q', from, to], target: 'tif' };
const gdalColours: Decoding = { ...gdal, args: (from, to) => ['-q', '-expand', 'rgb', from, to] };
const openjpeg: Decoding = { program: 'opj_decompress', args: (from, to) => ['-i', from, '-o', to], target: 'png' };
const libtiff: Decoding = { program: 'tiffcp', args: (from, to) => ['-c', 'none', from, to], target: 'tif' };
const libtiffRgba: Decoding = { program: 'tiff2rgba', args: (from, to) => ['-c', 'none', from, to], target: 'tif' };

const size = { width: 96, height: 64 };
const pixels = size.width * size.height;
const rgb = picture(size.width, size.height, 3);
const grey = picture(size.width, size.height, 1);
const deep = (channels: number): Uint16Array =>
  Uint16Array.from({ length: pixels * channels }, (_, index) => (index * 7_919) % 65_536);
const planesOf = (samples: Uint8Array): Uint8Array[] =>
  [0, 1, 2].map((band) => samples.filter((_, at) => at % 3 === band));
const few = (at: number): number[] =>
  [
    [200, 10, 10],
    [10, 200, 10],
    [10, 10, 200],
    [9, 9, 9],
  ][at % 4] ?? [];
const indexes = Uint8Array.from({ length: pixels }, (_, at) => Math.floor(at / 5) % 4);

function hevcItem(bits: number, samples: ArrayLike<number>) {
  const band = (offset: number): number[] => Array.from({ length: pixels }, (_, at) => samples[3 * at + offset] ?? 0);
  const stream = encodeHevc({ ...size, chromaFormat: 3, bits, planes: [band(1), band(2), band(0)] });
  return codedItem(stream, size, codedColours(0));
}

const heifAndAvif: readonly DecodedMaster[] = [
  { name: 'avif-8', extension: 'avif', make: () => avifOf({ ...size, channels: 3, samples: rgb }), ...libavif },
  ...([10, 12] as const).map((bits): DecodedMaster => ({
    name: `avif-${bits}`,
    extension: 'avif',
    make: () => deepAvifOf({ ...size, channels: 3, samples: deep(3) }, bits),
    // avifdec scales to 16 bits, the project repeats the bits.
    tolerance: 1,
    ...deepLibavif,
  })),
  {
    name: 'avif-grid',
    extension: 'avif',
    make: async () => {
      const whole = { width: 2 * size.width, height: size.height };
      const halves = [rgb, picture(size.width, size.height, 3, 7)];
      const parts = await Promise.all(halves.map((samples) => av1Item({ ...size, channels: 3, samples })));
      const references = [{ type: 'dimg', to: [2, 3] }];
      const grid = { type: 'grid', data: gridData(1, 2, whole), properties: [extents(whole)], references };
      return avif([grid, ...parts.map((part) => ({ ...part, isHidden: true }))]);
    },
    ...libheif,
  },
  { name: 'heic-8', extension: 'heic', make: () => heic({ items: [hevcItem(8, rgb)] }), ...libheif },
  {
    name: 'heic-grid',
    extension: 'heic',
    make: () => {
      const whole = { width: size.width, height: 2 * size.height };
      const references = [{ type: 'dimg', to: [2, 3] }];
      const grid = { type: 'grid', data: gridData(2, 1, whole), properties: [extents(whole)], references };
      const halves = [rgb, rgb.map((value) => 255 - value)];
      return heic({ items: [grid, ...halves.map((samples) => ({ ...hevcItem(8, samples), isHidden: true }))] });
    },
    ...libheif,
  },
];

const raster: readonly DecodedMaster[] = [
  ...([0, 1] as const).map((coding): DecodedMaster => ({
    name: `psd-${coding}`,
    extension: 'psd',
    make: () => psd({ ...size, mode: 3, bits: 8, planes: planesOf(rgb), coding }),
    ...magick,
  })),
  {
    name: 'psb',
    extension: 'psb',
    make: () => psd({ ...size, mode: 3, bits: 8, planes: planesOf(rgb), coding: 1, version: 2 }),
    ...magick,
  },
  {
    name: 'psd-grey',
    extension: 'psd',
    make: () => psd({ ...size, mode: 1, bits: 8, planes: [grey] }),
    ...magick,
  },
  {
    name: 'psd-16',
    extension: 'psd',
    make: () => psd({ ...size, mode: 1, bits: 16, planes: [Buffer.from(deep(1).buffer).swap16()] }),
    ...magick,
  },
  {
    name: 'gif',
    extension: 'gif',
    make: () => {
      const samples = Uint8Array.from(indexes).reduce<number[]>((all, index) => all.concat(few(index)), []);
      return sharp(Uint8Array.from(samples), { raw: { ...size, channels: 3 } })
        .gif()
        .toBuffer();
    },
    ...gdalColours,
  },
  {
    name: 'bmp-24',
    extension: 'bmp',
    make: () => {
      const row = (y: number): number[] =>
        Array.from(
          { length: size.width * 3 },
          (_, at) => rgb[(y * size.width + Math.floor(at / 3)) * 3 + 2 - (at % 3)] ?? 0,
        );
      return bmp({ ...size, bitsPerPixel: 24, rows: Array.from({ length: size.height }, (_, y) => row(y)) });
    },
    ...gdal,
  },
  {
    name: 'bmp-runs',
    extension: 'bmp',
    make: () => {
      const rows = Array.from({ length: size.height }, (_, y) => [60, y % 4, 36, (y + 1) % 4, 0, 0]);
      return bmp({ ...size, bitsPerPixel: 8, compression: 1, palette: [0, 1, 2, 3].map(few), rows });
    },
    ...magick,
  },
  {
    name: 'jp2-12',
    extension: 'jp2',
    make: async () => {
      const samples = deep(1).map((value) => value >> 4);
      return jp2(await j2k({ ...size, bits: [12], samples }), { ...size, components: 1, colour: 17 });
    },
    // opj_decompress writes 12 bits as 16, shifted.
    tolerance: 15,
    ...openjpeg,
  },
  {
    name: 'jp2-palette',
    extension: 'jp2',
    make: async () => {
      const codes = await j2k({ ...size, bits: [8], samples: indexes });
      return jp2(codes, { ...size, components: 1, colour: 16, boxes: palette(...[0, 1, 2, 3].map(few)) });
    },
    ...openjpeg,
  },
];

const rowsOfStrips = Array.from({ length: 4 }, (_, strip) =>
  grey.subarray(strip * 16 * size.width, (strip + 1) * 16 * size.width),
);
const heights = Float32Array.from({ length: pixels }, (_, at) => Math.sin(at / 50) * 40 + (at % 97) / 3);
/** Grey, because libtiff repeats the chroma of old-style JPEG, which libjpeg interpolates. */
const greyJpeg = async (): Promise<Buffer> =>
  jpegWithRestarts(
    await sharp(grey, { raw: { ...size, channels: 1 } })
      .tiff({ compression: 'jpeg', tileHeight: 16 })
      .toBuffer(),
  );
const inStrips = { ...size, rows: 16 };
const fax = { width: 75, height: 64 };
const runs = Array.from({ length: fax.height }, (_, y) => [3 + (y % 8), 64, 8 - (y % 8)]);

const tiffs: readonly DecodedMaster[] = [
  {
    name: 'ycc-half-chroma',
    extension: 'tif',
    make: () =>
      yccTiff({ ...size, across: 2, down: 2, rows: 16, sample: (x, y, band) => (x * (2 + band) + y * 2) % 256 }),
    // Both sides round the conversion to RGB.
    tolerance: 1,
    ...libtiffRgba,
  },
  {
    name: 'ycc-planes',
    extension: 'tif',
    make: () =>
      yccTiff({
        ...{ ...size, across: 1, down: 1, rows: 16, planar: true, deflate: true },
        sample: (x, y, band) => (x * (2 + band) + y * 2) % 256,
      }),
    tolerance: 1,
    ...libtiffRgba,
  },
  {
    name: 'old-jpeg-tables',
    extension: 'tif',
    make: async () => oldJpegTiff(await greyJpeg(), { form: 'tables', rowsPerStrip: 16 }),
    ...libtiffRgba,
  },
  {
    name: 'old-jpeg-split',
    extension: 'tif',
    make: async () => oldJpegTiff(await greyJpeg(), { form: 'split', rowsPerStrip: 16 }),
    ...libtiffRgba,
  },
  {
    name: 'floating-point',
    extension: 'tif',
    make: () => floatTiff(heights, { ...size, rows: 16 }),
    // GDAL rounds half up.
    tolerance: 1,
    program: 'gdal_translate',
    args: (from, to) => {
      const range = [Math.min(...heights), Math.max(...heights), 0, 65_535].map(String);
      return ['-q', '-ot', 'UInt16', '-scale', ...range, from, to];
    },
    target: 'tif',
  },
  {
    name: 'old-lzw',
    extension: 'tif',
    make: () => strips({ ...inStrips, compression: 5, chunks: rowsOfStrips.map((rows) => oldStyleLzw(rows)) }),
    ...libtiff,
  },
  {
    name: 'packbits-surplus',
    extension: 'tif',
    make: () => strips({ ...inStrips, compression: 32_773, chunks: rowsOfStrips.map((rows) => packBits(rows, 7)) }),
    ...libtiff,
  },
  {
    name: 'fax-short-rows',
    extension: 'tif',
    make: () => faxTiff(fax, [faxData(runs.map((row, y) => (y % 2 === 0 ? row.slice(0, 2) : row)))]),
    ...libtiff,
  },
  {
    name: 'sparse',
    extension: 'tif',
    make: async () => {
      const tiled = sharp(rgb, { raw: { ...size, channels: 3 } }).tiff({
        ...{ compression: 'deflate', tile: true, tileWidth: 32, tileHeight: 32 },
      });
      return withHoles(await tiled.toBuffer(), [1, 4]);
    },
    ...gdal,
  },
];

export const decodedMasters: readonly DecodedMaster[] = [...heifAndAvif, ...raster, ...tiffs];

/** Layouts of accepted master TIFFs that libtiff, libvips and GDAL write. */

/** The images, as `bands` × `bitDepth`; an even number of bands includes alpha. */
export const pictures = {
  grey: { bands: 1, bitDepth: 8 },
  'grey-alpha': { bands: 2, bitDepth: 8 },
  rgb: { bands: 3, bitDepth: 8 },
  rgba: { bands: 4, bitDepth: 8 },
  'grey-16': { bands: 1, bitDepth: 16 },
  'rgb-16': { bands: 3, bitDepth: 16 },
  'rgba-16': { bands: 4, bitDepth: 16 },
  bilevel: { bands: 1, bitDepth: 1 },
} as const;
export type Picture = keyof typeof pictures;

export interface Layout {
  readonly name: string;
  readonly picture: Picture;
  readonly program: 'tiffcp' | 'vips' | 'gdal_translate';
  /** The files of the picture and of the layout are inserted between these. */
  readonly args: readonly [before: readonly string[], after: readonly string[]];
  /** Bits of a stored sample that is widened to 16. */
  readonly widened?: number;
}

const cuts = [
  ['-s', '-r', '16'],
  ['-s', '-r', '4000'],
  ['-t', '-w', '64', '-l', '48'],
] as const;

/**
 * Used in rotation, so that each is combined with every compression without eight files for every
 * layout.
 */
const variants: readonly (readonly string[])[] = [['-L'], ['-B'], ['-8', '-L'], ['-8', '-B'], ['-f', 'lsb2msb']];

function tiffcp(picture: Picture, ...options: readonly string[]): Layout {
  return { name: `tiffcp ${options.join(' ')}`, picture, program: 'tiffcp', args: [options, []] };
}

function samples(): Layout[] {
  const layouts: Layout[] = [];
  const add = (picture: Picture, ...options: string[]): void => {
    layouts.push(tiffcp(picture, ...options, ...(variants[layouts.length % variants.length] ?? [])));
  };
  for (const [picture, { bands, bitDepth }] of Object.entries(pictures) as [Picture, (typeof pictures)[Picture]][]) {
    if (bitDepth === 1) continue;
    const lossless = ['none', 'lzw', 'lzw:2', 'zip', 'zip:2', 'packbits'];
    const jpeg = bitDepth === 16 || bands % 2 === 0 ? [] : bands === 1 ? ['jpeg'] : ['jpeg:r:90'];
    // tiffcp separates planes of 8-bit samples only, and cannot subsample them.
    const planes = bands > 1 && bitDepth === 8 ? ['contig', 'separate'] : ['contig'];
    for (const arrangement of planes) {
      for (const compression of [...lossless, ...jpeg]) {
        for (const cut of cuts) add(picture, '-p', arrangement, '-c', compression, ...cut);
      }
    }
  }
  for (const cut of cuts) add('rgb', '-c', 'jpeg:50', ...cut);
  for (const picture of ['grey', 'rgb', 'rgb-16'] as const) {
    for (const order of ['-L', '-B']) {
      layouts.push(tiffcp(picture, '-c', 'none', '-s', '-r', '16', '-f', 'lsb2msb', order));
    }
  }
  return layouts;
}

function bilevel(): Layout[] {
  const layouts: Layout[] = [];
  const compressions = ['none', 'lzw', 'zip', 'packbits', 'g3', 'g3:1d', 'g3:2d', 'g3:fill', 'g3:2d:fill', 'g4'];
  for (const compression of compressions) {
    for (const cut of cuts) {
      for (const order of ['msb2lsb', 'lsb2msb']) {
        const bytes = variants[layouts.length % 4] ?? [];
        layouts.push(tiffcp('bilevel', '-c', compression, ...cut, '-f', order, ...bytes));
      }
    }
  }
  for (const compression of ['CCITTRLE', 'CCITTFAX3', 'CCITTFAX4', 'NONE', 'LZW']) {
    for (const photometric of ['MINISWHITE', 'MINISBLACK']) {
      const options = { NBITS: '1', COMPRESS: compression, PHOTOMETRIC: photometric };
      layouts.push(gdal('bilevel', { ...options, BLOCKYSIZE: '16' }), gdal('bilevel', { ...options, ...inTiles }));
    }
  }
  return layouts;
}

const inTiles = { TILED: 'YES', BLOCKXSIZE: '64', BLOCKYSIZE: '48' };

function gdal(picture: Picture, creation: Readonly<Record<string, string>>): Layout {
  const options = Object.entries(creation).flatMap(([name, value]) => ['-co', `${name}=${value}`]);
  const values = Object.entries(creation).map(([name, value]) => `${name}=${value}`);
  return {
    name: `gdal_translate ${values.join(' ')}`,
    picture,
    program: 'gdal_translate',
    args: [['-q', ...scaled(creation, pictures[picture].bitDepth), ...options], []],
    ...(Number(creation['NBITS']) > 8 ? { widened: Number(creation['NBITS']) } : {}),
  };
}

/** GDAL clips values that do not fit. */
function scaled({ NBITS = '1' }: Readonly<Record<string, string>>, bitDepth: number): string[] {
  return NBITS === '1' ? [] : ['-scale', '0', String(2 ** bitDepth - 1), '0', String(2 ** Number(NBITS) - 1)];
}

function ofGdal(): Layout[] {
  const planes = (['grey-alpha', 'rgb', 'rgba', 'rgb-16', 'rgba-16'] as const).flatMap((picture) => [
    gdal(picture, { INTERLEAVE: 'BAND', ...inTiles }),
    gdal(picture, { INTERLEAVE: 'BAND', ...inTiles, COMPRESS: 'LZW', PREDICTOR: '2', ENDIANNESS: 'BIG' }),
    gdal(picture, { INTERLEAVE: 'BAND', ...inTiles, COMPRESS: 'DEFLATE', BIGTIFF: 'YES' }),
    gdal(picture, { INTERLEAVE: 'BAND', ...inTiles, COMPRESS: 'PACKBITS', ENDIANNESS: 'BIG', BIGTIFF: 'YES' }),
    gdal(picture, { INTERLEAVE: 'BAND', BLOCKYSIZE: '16', COMPRESS: 'PACKBITS' }),
    gdal(picture, { INTERLEAVE: 'BAND', BLOCKYSIZE: '16', COMPRESS: 'DEFLATE', PREDICTOR: '2', ENDIANNESS: 'BIG' }),
  ]);
  const few = (['2', '4'] as const).flatMap((bits) => [
    gdal('grey', { NBITS: bits, BLOCKYSIZE: '16' }),
    gdal('grey', { NBITS: bits, COMPRESS: 'DEFLATE', ...inTiles }),
    gdal('grey', { NBITS: bits, COMPRESS: 'LZW', ...inTiles, ENDIANNESS: 'BIG', BIGTIFF: 'YES' }),
    gdal('grey', { NBITS: bits, COMPRESS: 'PACKBITS', BLOCKYSIZE: '7' }),
  ]);
  const more = (['10', '12', '14'] as const).flatMap((bits) => [
    gdal('grey-16', { NBITS: bits, BLOCKYSIZE: '16' }),
    gdal('grey-16', { NBITS: bits, BLOCKYSIZE: '4000', ENDIANNESS: 'BIG' }),
    gdal('rgb-16', { NBITS: bits, COMPRESS: 'DEFLATE', ...inTiles, ENDIANNESS: 'BIG' }),
    gdal('rgb-16', { NBITS: bits, COMPRESS: 'LZW', INTERLEAVE: 'BAND', ...inTiles }),
    gdal('grey-16', { NBITS: bits, COMPRESS: 'PACKBITS', BLOCKYSIZE: '7', BIGTIFF: 'YES' }),
  ]);
  const zstandard = (['grey', 'rgb', 'rgba', 'rgb-16', 'rgba-16'] as const).flatMap((picture) => [
    gdal(picture, { COMPRESS: 'ZSTD', ...inTiles }),
    gdal(picture, { COMPRESS: 'ZSTD', PREDICTOR: '2', BLOCKYSIZE: '16', ENDIANNESS: 'BIG' }),
    gdal(picture, { COMPRESS: 'ZSTD', PREDICTOR: '2', INTERLEAVE: 'BAND', ...inTiles }),
    gdal(picture, { COMPRESS: 'LZMA', ...inTiles }),
    gdal(picture, { COMPRESS: 'LZMA', PREDICTOR: '2', BLOCKYSIZE: '16', ENDIANNESS: 'BIG' }),
  ]);
  return [
    ...planes,
    ...few,
    ...more,
    ...zstandard,
    gdal('rgb', { COMPRESS: 'JPEG', PHOTOMETRIC: 'YCBCR', ...inTiles }),
    gdal('rgb', { COMPRESS: 'JPEG', PHOTOMETRIC: 'YCBCR', BLOCKYSIZE: '16' }),
    gdal('rgb', { COMPRESS: 'JPEG', PHOTOMETRIC: 'RGB', ...inTiles }),
    gdal('rgb', { COMPRESS: 'JPEG', PHOTOMETRIC: 'RGB', INTERLEAVE: 'BAND', ...inTiles }),
    gdal('rgba', { COMPRESS: 'JPEG', ...inTiles }),
    gdal('grey-alpha', { COMPRESS: 'JPEG', ...inTiles }),
    gdal('rgba', { COMPRESS: 'JPEG', BLOCKYSIZE: '16' }),
    gdal('rgb', { COMPRESS: 'WEBP', WEBP_LEVEL: '80', ...inTiles }),
    gdal('rgba', { COMPRESS: 'WEBP', WEBP_LOSSLESS: 'YES', ...inTiles }),
    gdal('grey', { PHOTOMETRIC: 'MINISWHITE', COMPRESS: 'LZW', ...inTiles }),
    gdal('grey-16', { COMPRESS: 'DEFLATE', PREDICTOR: '2', ENDIANNESS: 'BIG', ...inTiles }),
    gdal('rgb-16', { COMPRESS: 'LZW', PREDICTOR: '2', ENDIANNESS: 'BIG', BIGTIFF: 'YES', BLOCKYSIZE: '16' }),
  ];
}

function vips(picture: Picture, ...options: readonly string[]): Layout {
  return { name: `vips ${options.join(' ')}`, picture, program: 'vips', args: [['tiffsave'], options] };
}

function ofVips(): Layout[] {
  const tile = ['--tile', '--tile-width', '64', '--tile-height', '48'];
  return [
    vips('rgb', '--compression', 'jpeg', '--Q', '75', ...tile),
    vips('rgb', '--compression', 'jpeg', '--Q', '75'),
    vips('rgb', '--compression', 'jpeg', '--Q', '95', ...tile),
    vips('rgb', '--compression', 'jpeg', '--Q', '75', '--rgbjpeg', ...tile),
    vips('grey', '--compression', 'jpeg', '--Q', '75', ...tile),
    vips('rgb', '--compression', 'webp', '--Q', '75', ...tile),
    vips('rgb', '--compression', 'lzw', '--predictor', 'horizontal', '--bigtiff', ...tile),
    vips('rgb', '--compression', 'deflate', '--pyramid', ...tile),
    vips('grey', '--bitdepth', '1', '--compression', 'ccittfax4'),
    vips('grey', '--bitdepth', '1', '--compression', 'lzw', '--predictor', 'none', ...tile),
    vips('grey', '--bitdepth', '1', '--miniswhite', '--compression', 'packbits', ...tile),
    vips('grey', '--bitdepth', '2', '--compression', 'deflate', '--predictor', 'none', ...tile),
    vips('grey', '--bitdepth', '4', '--compression', 'none', '--miniswhite'),
    vips('grey', '--miniswhite', '--compression', 'none'),
  ];
}

/** All layouts, in a fixed order. */
export const layouts: readonly Layout[] = [...samples(), ...bilevel(), ...ofGdal(), ...ofVips()];

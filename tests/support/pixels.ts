/** Test pictures, and pyramids decoded independently: sharp alone, none of the project's code. */
import sharp, { type Sharp, type TiffOptions } from 'sharp';

export interface Level {
  readonly width: number;
  readonly height: number;
  readonly channels: number;
  readonly pixels: Buffer;
}

/** Every page of a TIFF, decoded. */
export async function decodeLevels(tiff: Uint8Array | string): Promise<Level[]> {
  const options = { limitInputPixels: false, ignoreIcc: true } as const;
  const { pages = 1, depth, channels } = await sharp(tiff, options).metadata();
  return Promise.all(
    Array.from({ length: pages }, async (_, page) => {
      const { data, info } = await sharp(tiff, { ...options, page })
        .toColourspace(depth === 'ushort' ? (channels === 1 ? 'grey16' : 'rgb16') : channels === 1 ? 'b-w' : 'srgb')
        .raw({ depth: depth === 'ushort' ? 'ushort' : 'uchar' })
        .toBuffer({ resolveWithObject: true });
      return { width: info.width, height: info.height, channels: info.channels, pixels: data };
    }),
  );
}

/** How tiles are encoded, as sharp names it. */
export interface TileOptions {
  readonly tileSize: number;
  readonly compression: 'jpeg' | 'deflate' | 'lzw' | 'webp';
  readonly quality?: number;
}

/** The options of sharp for a TIFF of such tiles. */
export function tiffOf({ tileSize, ...encoding }: TileOptions): TiffOptions {
  return { tile: true, tileWidth: tileSize, tileHeight: tileSize, ...encoding };
}

/**
 * The expected levels of a picture, from one pass of libvips. Under a lossy encoding every level of
 * that pass is encoded by itself, extended by its own edge to whole tiles.
 */
export async function pyramidOf(picture: Sharp, options: TileOptions): Promise<Level[]> {
  const isLossy = options.compression === 'jpeg' || options.compression === 'webp';
  const onePass = isLossy ? { ...tiffOf(options), compression: 'none' as const } : tiffOf(options);
  const levels = await decodeLevels(await picture.tiff({ ...onePass, pyramid: true }).toBuffer());
  return isLossy ? Promise.all(levels.map((level) => decodedTiles(level, options))) : levels;
}

/** A level as the tiles of a TIFF, which libvips extends by repeating the last column and row. */
export function extendedTiff(level: Level, options: TileOptions): Promise<Buffer> {
  const { width, height } = level;
  const [right, bottom] = [width, height].map(
    (side) => (options.tileSize - (side % options.tileSize)) % options.tileSize,
  );
  return levelPipeline(level)
    .extend({ right: right ?? 0, bottom: bottom ?? 0, extendWith: 'copy' })
    .tiff(tiffOf(options))
    .toBuffer();
}

async function decodedTiles(level: Level, options: TileOptions): Promise<Level> {
  const [extended] = await decodeLevels(await extendedTiff(level, options));
  if (!extended) throw new RangeError('Expected a level');
  const { width, height } = level;
  const pixels = await levelPipeline(extended).extract({ left: 0, top: 0, width, height }).raw().toBuffer();
  return { width, height, channels: extended.channels, pixels };
}

/** A pipeline whose input is a level of 8 bits. */
function levelPipeline({ width, height, channels, pixels }: Level): Sharp {
  const raw = { width, height, channels: channels as 1 | 3 };
  return sharp(pixels, { raw, limitInputPixels: false }).toColourspace(channels === 1 ? 'b-w' : 'srgb');
}

/** The expected levels of a master, upright and on white; see `pyramidOf`. */
export function singlePass(
  master: Uint8Array,
  options: TileOptions & { readonly colourspace: string },
): Promise<Level[]> {
  const { colourspace, ...tiles } = options;
  const whole = sharp(master, { limitInputPixels: false, ignoreIcc: true })
    .autoOrient()
    .flatten({ background: '#ffffff' })
    .toColourspace(colourspace);
  return pyramidOf(whole, tiles);
}

/**
 * Photograph-like pixels: smooth gradients, edges and grain; the same for the same size and seed.
 */
export function picture(width: number, height: number, channels: number, seed = 1): Buffer {
  const pixels = new Uint8ClampedArray(width * height * channels);
  const across = Array.from(
    { length: width * channels },
    (_, i) => 90 * Math.sin((i / channels + 37 * (i % channels)) / 71),
  );
  let state = seed;
  for (let y = 0, at = 0; y < height; y++) {
    const down = 100 + 60 * Math.cos(y / 53);
    for (let x = 0; x < width; x++) {
      state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
      const light = down + (state >>> 28) + (((x >> 6) ^ (y >> 5)) & 1) * 40;
      for (let channel = 0; channel < channels; channel++, at++) {
        pixels[at] = light + (across[x * channels + channel] ?? 0);
      }
    }
  }
  return Buffer.from(pixels.buffer);
}

/** A picture as a sharp pipeline, to be encoded into the master that a test needs. */
export function pictureOf(width: number, height: number, channels: 1 | 2 | 3 | 4 = 3, seed = 1): Sharp {
  return sharp(picture(width, height, channels, seed), { raw: { width, height, channels } }).toColourspace(
    channels <= 2 ? 'b-w' : 'srgb',
  );
}

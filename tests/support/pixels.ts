/** Test pictures, and pyramids decoded independently: sharp alone, none of the project's code. */
import sharp, { type Sharp } from 'sharp';

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

/** The levels of the pyramid that libvips makes of the whole image in one pass. */
export async function singlePass(
  master: Uint8Array,
  options: {
    tileSize: number;
    compression: 'jpeg' | 'deflate' | 'lzw' | 'webp';
    quality?: number;
    colourspace: string;
  },
): Promise<Level[]> {
  const { tileSize, colourspace, ...encoding } = options;
  const whole = await sharp(master, { limitInputPixels: false, ignoreIcc: true })
    .autoOrient()
    .flatten({ background: '#ffffff' })
    .toColourspace(colourspace)
    .tiff({ pyramid: true, tile: true, tileWidth: tileSize, tileHeight: tileSize, ...encoding })
    .toBuffer();
  return decodeLevels(whole);
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

/** Expected output of the shipped recipes, stated independently of the recipe files. */
import sharp from 'sharp';
import { colourspaceOf, type Master } from './masters.ts';

export interface ExpectedOutput {
  readonly recipe: string;
  readonly tileSize: number;
  readonly compression: 'jpeg' | 'deflate';
  readonly quality?: number;
}

export const expectedOutputs: readonly ExpectedOutput[] = [
  { recipe: 'default', tileSize: 512, compression: 'jpeg', quality: 85 },
  { recipe: 'iiif', tileSize: 256, compression: 'jpeg', quality: 80 },
  { recipe: 'large-tiles', tileSize: 1024, compression: 'jpeg', quality: 89 },
  { recipe: 'archival', tileSize: 512, compression: 'deflate' },
];

/**
 * The expected output for one master. Tiles are at most twice its longer side, rounded up to 256:
 * libvips refuses larger ones.
 */
export function expectedOutputOf(expectedOutput: ExpectedOutput, { width, height }: Size): ExpectedOutput {
  const openable = Math.ceil((2 * Math.max(width, height)) / 256) * 256;
  return { ...expectedOutput, tileSize: Math.min(expectedOutput.tileSize, openable) };
}

/** Bits a sample in the published file: JPEG holds 8. */
export function publishedDepth(master: Master, { compression }: ExpectedOutput): 8 | 16 {
  return compression === 'jpeg' ? 8 : master.bitDepth;
}

export interface Size {
  readonly width: number;
  readonly height: number;
}

/**
 * The sizes of all levels: halved and rounded down, at least one pixel, until both sides fit in one
 * tile.
 */
export function levelSizes({ width, height }: Size, tileSize: number): Size[] {
  const sizes: Size[] = [];
  for (let n = 0; sizes.length === 0 || Math.max(width, height) >> (n - 1) > tileSize; n++) {
    sizes.push({ width: Math.max(1, width >> n), height: Math.max(1, height >> n) });
  }
  return sizes;
}

/** Writes the pyramid that sharp makes in one pass over the whole master, without loss. */
export async function singlePass(
  source: string,
  master: Master,
  expectedOutput: ExpectedOutput,
  target: string,
): Promise<void> {
  const { tileSize } = expectedOutput;
  await sharp(source, { limitInputPixels: false })
    .autoOrient()
    .toColourspace(colourspaceOf(master.bands, publishedDepth(master, expectedOutput)))
    .tiff({ pyramid: true, tile: true, tileWidth: tileSize, tileHeight: tileSize, compression: 'deflate' })
    .toFile(target);
}

/**
 * Writes one level of that pyramid as JPEG tiles. The level is extended by its own last column and
 * row to whole tiles; the file is as large as the extended level.
 */
export async function encodedLevel(
  pyramid: string,
  page: number,
  { width, height }: Size,
  { tileSize, quality }: ExpectedOutput,
  target: string,
): Promise<Size> {
  const [right, bottom] = [(-width % tileSize) + tileSize, (-height % tileSize) + tileSize].map((n) => n % tileSize);
  const level = sharp(pyramid, { page, limitInputPixels: false });
  const { channels } = await level.metadata();
  await level
    .toColourspace(channels === 1 ? 'b-w' : 'srgb')
    .extend({ right: right ?? 0, bottom: bottom ?? 0, extendWith: 'copy' })
    .tiff({
      tile: true,
      tileWidth: tileSize,
      tileHeight: tileSize,
      compression: 'jpeg',
      ...(quality ? { quality } : {}),
    })
    .toFile(target);
  return { width: width + (right ?? 0), height: height + (bottom ?? 0) };
}

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

/** Writes the pyramid that sharp makes in one pass over the whole master. */
export async function singlePass(
  source: string,
  master: Master,
  expectedOutput: ExpectedOutput,
  target: string,
): Promise<void> {
  const { tileSize, compression, quality } = expectedOutput;
  await sharp(source, { limitInputPixels: false })
    .autoOrient()
    .toColourspace(colourspaceOf(master.bands, publishedDepth(master, expectedOutput)))
    .tiff({
      pyramid: true,
      tile: true,
      tileWidth: tileSize,
      tileHeight: tileSize,
      compression,
      ...(quality === undefined ? {} : { quality }),
    })
    .toFile(target);
}

import type { TiffOptions } from 'sharp';
import type { Recipe } from '../pyramid/recipe.ts';
import { type EncodedTiles, takeTiles } from '../tiff/encoded-tiles.ts';
import type { Raster } from './raster.ts';
import { sharp } from './sharp.ts';

/** What sharp is told to write TIFF tiles as this recipe says. Also what a single pass over the whole image would be told. */
export function tiffOptions(recipe: Pick<Recipe, 'tileSize' | 'encoding'>): TiffOptions {
  const { tileSize, encoding } = recipe;
  return {
    tile: true,
    tileWidth: tileSize,
    tileHeight: tileSize,
    compression: encoding.compression,
    ...('quality' in encoding ? { quality: encoding.quality } : {}),
  };
}

/** sharp's names for the colour spaces that are written as they are: one band or three, 8 or 16 bits. */
export function colourspaceOf(bands: number, bitDepth: number): string {
  if (bitDepth === 16) return bands === 1 ? 'grey16' : 'rgb16';
  return bands === 1 ? 'b-w' : 'srgb';
}

/** Encodes one level's raster (or a block's part of it) into tiles, row by row; edge tiles are padded by libvips. */
export async function encodeTiles(
  raster: Raster,
  recipe: Pick<Recipe, 'tileSize' | 'encoding'>,
): Promise<EncodedTiles> {
  const { width, height, bands, data } = raster;
  const file = await sharp(data, {
    raw: { width, height, channels: bands === 1 ? 1 : 3 },
    limitInputPixels: width * height,
  })
    .toColourspace(colourspaceOf(bands, data instanceof Uint8Array ? 8 : 16))
    .tiff(tiffOptions(recipe))
    .toBuffer();
  return takeTiles(file);
}

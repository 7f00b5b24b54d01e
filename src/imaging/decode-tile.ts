import { MalformedTiffError } from '../errors.ts';
import { layoutTiff } from '../tiff/layout.ts';
import { pyramidFields, type TileEncoding } from '../tiff/pyramid-fields.ts';
import { Compression } from '../tiff/tags.ts';
import { colourspaceOf } from './encode.ts';
import { type Raster, rasterFromBytes } from './raster.ts';
import { sharp } from './sharp.ts';

/** Decodes one encoded tile by itself. Throws what the decoder throws when the tile is broken. */
export async function decodeTile(tile: Uint8Array, tileSize: number, encoding: TileEncoding): Promise<Raster> {
  // A decoder fills up what is missing of a JPEG without a word; but every whole one ends in this marker.
  const isJpeg = encoding.compression === Compression.jpeg;
  if (isJpeg && !(tile.at(-2) === 0xff && tile.at(-1) === 0xd9)) throw new MalformedTiffError('a JPEG without its end');
  const { head } = layoutTiff({
    tileSize,
    levels: [
      { width: tileSize, height: tileSize, tilesAcross: 1, tilesDown: 1, fields: pyramidFields(0, encoding, {}) },
    ],
    segments: [{ runs: [{ level: 0, column: 0, row: 0, across: 1, down: 1, byteCounts: [tile.length] }] }],
  });
  const bitDepth = encoding.bitsPerSample[0] === 16 ? 16 : 8;
  const { data, info } = await sharp(Buffer.concat([head, tile]), { failOn: 'warning', ignoreIcc: true })
    .toColourspace(colourspaceOf(encoding.bitsPerSample.length, bitDepth))
    .raw({ depth: bitDepth === 16 ? 'ushort' : 'uchar' })
    .toBuffer({ resolveWithObject: true });
  return rasterFromBytes({ width: tileSize, height: tileSize, bands: info.channels, bitDepth }, data);
}

import { promisify } from 'node:util';
import { inflate, type ZlibOptions } from 'node:zlib';
import { MalformedTiffError } from '../errors.ts';
import { pyramidFields, type TileEncoding } from '../tiff/pyramid-fields.ts';
import { Compression } from '../tiff/tags.ts';
import { layoutTileFile } from '../tiff/tile-file.ts';
import type { Arena } from './arena.ts';
import { colourspaceOf } from './encode.ts';
import { type Raster, rasterFromBytes } from './raster.ts';
import { sharp } from './sharp.ts';

const decompress = promisify<Uint8Array, ZlibOptions, Buffer>(inflate);

/**
 * Decodes tiles into one raster, in memory of the arena, each tile below the previous one. Throws
 * MalformedTiffError for a JPEG tile without its end marker and for a deflate tile whose Adler-32
 * checksum is wrong, because the decoders do not report these; other errors of the decoder pass
 * through.
 */
export async function decodeTiles(
  tiles: readonly Uint8Array[],
  tileSize: number,
  encoding: TileEncoding,
  arena: Arena,
): Promise<Raster> {
  // libjpeg pads a truncated JPEG without reporting an error.
  const isJpeg = encoding.compression === Compression.jpeg;
  if (isJpeg && !tiles.every(hasJpegEnd)) throw new MalformedTiffError('Expected an end marker in every JPEG tile');
  // libtiff stops after the last row of a tile and does not verify the checksum after it.
  if (encoding.compression === Compression.deflate) await Promise.all(tiles.map(assertIntactDeflate));
  const shape = { width: tileSize, height: tileSize * tiles.length };
  const file = layoutTileFile(
    { tileSize, across: 1, down: tiles.length },
    tiles.map(({ length }) => length),
    pyramidFields(0, encoding, {}),
    (bytes) => arena.take(bytes),
  );
  let at = file.tilesAt;
  for (const tile of tiles) {
    file.bytes.set(tile, at);
    at += tile.length;
  }
  const bitDepth = encoding.bitsPerSample[0] === 16 ? 16 : 8;
  const { data, info } = await sharp(file.bytes, {
    failOn: 'warning',
    ignoreIcc: true,
  })
    .toColourspace(colourspaceOf(encoding.bitsPerSample.length, bitDepth))
    .raw({ depth: bitDepth === 16 ? 'ushort' : 'uchar' })
    .toBuffer({ resolveWithObject: true });
  return rasterFromBytes({ ...shape, bands: info.channels, bitDepth }, arena.adopt(data));
}

function hasJpegEnd(tile: Uint8Array): boolean {
  return tile.at(-2) === 0xff && tile.at(-1) === 0xd9;
}

/**
 * Throws MalformedTiffError unless the zlib stream (RFC 1950) is complete and matches its Adler-32
 * checksum.
 */
async function assertIntactDeflate(tile: Uint8Array): Promise<void> {
  try {
    await decompress(tile, {});
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new MalformedTiffError(`Expected an intact zlib stream in every tile: ${reason}`, { cause: error });
  }
}

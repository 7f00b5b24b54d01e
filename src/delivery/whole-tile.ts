/** Tiles of the file as whole pictures, without decoding. */
import type { DerivativeFormat } from '../imaging/derivative.ts';
import type { PublishedHeader, PublishedPyramid, TilePosition } from '../published/published-pyramid.ts';
import { Compression } from '../tiff/tags.ts';
import { startsJpeg, wholeJpegStart } from '../tiff/whole-jpeg.ts';

/** Longest profile that is sent with every tile. Bytes. */
const MAX_TILE_PROFILE = 2 ** 16;

/** The format in which whole tiles of the file can be sent. */
export function tileFormat({ encoding: { compression } }: PublishedHeader): DerivativeFormat {
  return compression === Compression.webp ? 'webp' : 'jpg';
}

/**
 * Reads a tile as a picture of the format; undefined where its encoding is another one, or its
 * profile too long to be sent with every tile.
 */
export function readWholeTile(
  image: PublishedPyramid,
  position: TilePosition,
  format: DerivativeFormat,
): Promise<Uint8Array | undefined> {
  const { encoding, profile } = image.header;
  if (format === 'jpg' && encoding.compression === Compression.jpeg) return readJpeg(image, position);
  if (format === 'webp' && encoding.compression === Compression.webp && profile !== 'other') {
    return readPlain(image, position);
  }
  return Promise.resolve(undefined);
}

async function readPlain(image: PublishedPyramid, position: TilePosition): Promise<Uint8Array> {
  const bytes = Buffer.allocUnsafe(image.tileBytes(position));
  await image.readTile(position, bytes);
  return bytes;
}

async function readJpeg(image: PublishedPyramid, position: TilePosition): Promise<Uint8Array | undefined> {
  const start = startOf(image.header);
  if (!start) return undefined;
  // The tile is read over the end of its start, which then replaces the SOI marker of the tile.
  const tileAt = start.length - 2;
  const bytes = Buffer.allocUnsafe(tileAt + image.tileBytes(position));
  const tile = bytes.subarray(tileAt);
  await image.readTile(position, tile);
  if (!startsJpeg(tile)) return undefined;
  bytes.set(start);
  return bytes;
}

const starts = new WeakMap<PublishedHeader, { readonly bytes: Uint8Array | undefined }>();

function startOf(header: PublishedHeader): Uint8Array | undefined {
  const known = starts.get(header);
  if (known) return known.bytes;
  const { encoding, profile, iccProfile } = header;
  const needed = profile === 'other' ? iccProfile : undefined;
  const isShort = (needed?.length ?? 0) <= MAX_TILE_PROFILE;
  const bytes = isShort ? wholeJpegStart(encoding, needed) : undefined;
  starts.set(header, { bytes });
  return bytes;
}

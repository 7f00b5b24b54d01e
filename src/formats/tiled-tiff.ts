/**
 * Writes decoded pixels as a TIFF that blocks can be sliced from: tiles, deflate, horizontal
 * differencing. Lossless.
 */
import { type FileHandle, open } from 'node:fs/promises';
import { promisify } from 'node:util';
import { deflate } from 'node:zlib';
import { CLASSIC_TIFF_BYTES } from '../limits.ts';
import { usableProfile } from '../metadata/icc.ts';
import { headerBytes, layoutTiff, joinHeader } from '../tiff/layout.ts';
import { type Description, pyramidFields } from '../tiff/pyramid-fields.ts';
import { Compression, Photometric } from '../tiff/tags.ts';
import { writeAt } from '../bytes/write-at.ts';
import { asRational } from './resolution.ts';
import { type DecodedImage, type PixelDensity, samplesPerPixel } from './decoded-image.ts';

/** Side of a tile, a multiple of 16. Pixels. */
const TILE_SIZE = 512;
/** Predictor (TIFF 6.0, section 14). */
const HORIZONTAL_DIFFERENCING = 2;
/** ExtraSamples: alpha by which the colours are not multiplied (TIFF 6.0, section 18). */
const UNASSOCIATED_ALPHA = 2;
/** The file is temporary and read once, so speed matters more than size. */
const DEFLATE_LEVEL = 1;
/** Tiles compressed concurrently: zlib uses the four threads of libuv. */
const TILES_AT_ONCE = 4;

const deflated = promisify(deflate) as (bytes: Uint8Array, options: { level: number }) => Promise<Buffer>;

/**
 * Writes an image as a single-directory TIFF, profile and resolution included; alpha stays
 * straight. A file that may reach 4 GiB is a BigTIFF. Needs memory for a few tiles besides the
 * image.
 */
export async function writeTiledTiff(file: string, image: DecodedImage): Promise<void> {
  const tilesAcross = Math.ceil(image.width / TILE_SIZE);
  const tilesDown = Math.ceil(image.height / TILE_SIZE);
  const tiles = tilesAcross * tilesDown;
  const tileBytes = TILE_SIZE ** 2 * samplesPerPixel(image) * (image.bitDepth / 8);
  // Deflate adds at most 5 bytes to 16 KiB (RFC 1951, section 3.2.4); the rest is for the table.
  const bigTiff = tiles * (tileBytes * 1.001 + 64) + 2 ** 20 >= CLASSIC_TIFF_BYTES;
  const { width, height } = image;
  const level = { width, height, tilesAcross, tilesDown, fields: fieldsOf(image) };
  const header = { tileSize: TILE_SIZE, levels: [level] };
  const handle = await open(file, 'w');
  try {
    const byteCounts = await writeTiles(handle, headerBytes(header, bigTiff), image, { tiles, tilesAcross });
    const run = { level: 0, column: 0, row: 0, across: tilesAcross, down: tilesDown, byteCounts };
    const layout = layoutTiff({ ...header, bundles: [{ runs: [run] }], bigTiff });
    await writeAt(handle, joinHeader(layout), 0);
  } finally {
    await handle.close();
  }
}

async function writeTiles(
  handle: FileHandle,
  start: number,
  image: DecodedImage,
  { tiles, tilesAcross }: { tiles: number; tilesAcross: number },
): Promise<Uint32Array> {
  const byteCounts = new Uint32Array(tiles);
  let position = start;
  for (let first = 0; first < tiles; first += TILES_AT_ONCE) {
    const indexes = Array.from({ length: Math.min(TILES_AT_ONCE, tiles - first) }, (_, index) => first + index);
    const encoded = await Promise.all(
      indexes.map((tile) =>
        deflated(differencedTile(image, tile % tilesAcross, Math.floor(tile / tilesAcross)), { level: DEFLATE_LEVEL }),
      ),
    );
    for (const [index, bytes] of encoded.entries()) {
      await writeAt(handle, bytes, position);
      byteCounts[first + index] = bytes.length;
      position += bytes.length;
    }
  }
  return byteCounts;
}

/**
 * The differences of the samples of one tile from their left neighbours; zero beyond the edge of
 * the image.
 */
function differencedTile(image: DecodedImage, column: number, row: number): Uint8Array {
  const { data, width, height, bitDepth } = image;
  const samples = samplesPerPixel(image);
  const left = column * TILE_SIZE;
  const top = row * TILE_SIZE;
  const right = Math.min(width, left + TILE_SIZE);
  const bottom = Math.min(height, top + TILE_SIZE);
  const count = TILE_SIZE ** 2 * samples;
  const tile = bitDepth === 8 ? new Uint8Array(count) : new Uint16Array(count);
  for (let y = top; y < bottom; y++) {
    const rowStart = (y * width + left) * samples;
    const rowEnd = (y * width + right) * samples;
    let target = (y - top) * TILE_SIZE * samples;
    for (let at = rowStart; at < rowEnd; at++) {
      const before = at - samples < rowStart ? 0 : (data[at - samples] ?? 0);
      tile[target++] = (data[at] ?? 0) - before;
    }
  }
  return new Uint8Array(tile.buffer);
}

const photometrics = { 1: Photometric.blackIsZero, 3: Photometric.rgb, 4: Photometric.cmyk } as const;

function fieldsOf(image: DecodedImage): ReturnType<typeof pyramidFields> {
  const samples = samplesPerPixel(image);
  const encoding = {
    compression: Compression.deflate,
    photometric: image.isLab ? Photometric.cieLab : photometrics[image.bands],
    bitsPerSample: Array.from({ length: samples }, () => image.bitDepth),
    sampleFormat: Array.from({ length: samples }, () => 1),
    extraSamples: image.alpha ? [UNASSOCIATED_ALPHA] : [],
    predictor: HORIZONTAL_DIFFERENCING,
  };
  return pyramidFields(0, encoding, descriptionOf(image));
}

function descriptionOf({ iccProfile, resolution }: DecodedImage): Description {
  const profile = usableProfile(iccProfile);
  return {
    ...(profile ? { iccProfile: Buffer.from(profile).toString('base64') } : {}),
    ...(resolution ? { resolution: asRationals(resolution) } : {}),
  };
}

function asRationals({ x, y, unit }: PixelDensity): NonNullable<Description['resolution']> {
  return { x: asRational(x), y: asRational(y), unit: unit === 'inch' ? 2 : 3 };
}

/** Reads the tiles of a region and decodes them. */
import type { Arena } from '../imaging/arena.ts';
import { decodeRegion, type RegionPicture } from '../imaging/region.ts';
import type { Raster } from '../imaging/raster.ts';
import type { Size } from '../pyramid/levels.ts';
import { pyramidFields } from '../tiff/pyramid-fields.ts';
import { layoutTileFile } from '../tiff/tile-file.ts';
import type { PublishedPyramid, PublishedLevel } from './published-pyramid.ts';
import { planRegion, type Region, type RegionPlan } from './region-plan.ts';

export interface ReadRegionOptions {
  readonly signal?: AbortSignal | undefined;
  /** Decoding is aborted after this many seconds. */
  readonly timeoutSeconds: number;
}

/**
 * The region in the given size, decoded: 8 or 16 bits a sample, in the colours of the file. It is
 * made from the smallest level that suffices, of which only the tiles are read that the region
 * touches. Pixels are in memory of the arena.
 */
export async function readRegion(
  image: PublishedPyramid,
  region: Region,
  size: Size,
  options: ReadRegionOptions,
  arena: Arena,
): Promise<Raster> {
  const picture = await readRegionPicture(image, planRegion(image.header, region, size), options, arena);
  return decodeRegion(picture, size, options, arena);
}

/** Reads the tiles of a planned region into a small TIFF, in memory of the arena. */
export async function readRegionPicture(
  image: PublishedPyramid,
  { level, rect, repeat, tiles }: RegionPlan<PublishedLevel>,
  { signal }: Pick<ReadRegionOptions, 'signal'>,
  arena: Arena,
): Promise<RegionPicture> {
  const { encoding, iccProfile, profile, tileSize } = image.header;
  const description = profile === 'other' && iccProfile ? { iccProfile: toBase64(iccProfile) } : {};
  const file = layoutTileFile(
    { tileSize, ...tiles },
    image.byteCounts(level, tiles),
    pyramidFields(0, encoding, description),
    (bytes) => arena.take(bytes),
  );
  await image.readTiles(level, tiles, file.bytes.subarray(file.tilesAt), { signal });
  return {
    file: file.bytes,
    crop: {
      left: rect.left - tiles.column * tileSize,
      top: rect.top - tiles.row * tileSize,
      right: rect.right - tiles.column * tileSize,
      bottom: rect.bottom - tiles.row * tileSize,
    },
    repeat,
    samples: image.samples,
    bitDepth: image.bitDepth,
    hasProfile: description.iccProfile !== undefined,
  };
}

function toBase64(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64');
}

/**
 * A slice of a master whose tiles hold one sample of each pixel (PlanarConfiguration 2). libvips reads such strips but no
 * such tiles, so the slice has a form that it reads: a picture of one sample, in which the planes stand one below the
 * other. The tiles and their order are the master's own; a plane's last row of tiles is whole, except in the last plane.
 *
 * Decoded, the planes are interleaved behind a second head, which says what the master says of its pixels.
 */
import { MalformedTiffError } from '../errors.ts';
import type { DirectoryInfo } from './directory-info.ts';
import type { Directory, TiffFile } from './read.ts';
import { type Place, type RawField, type StoredRect, sliceFields, withNumber, writeHead } from './slice-head.ts';
import { Compression, Photometric, Tag } from './tags.ts';

/** What it takes to turn the decoded slice into the picture. */
export interface PlaneStack {
  readonly planes: number;
  /** Rows of the stack from the top of one plane to the top of the next. */
  readonly rowsApart: number;
  readonly bitDepth: 8 | 16;
  /** Byte order of the samples that follow `head`. */
  readonly littleEndian: boolean;
  /** Header and directory of an uncompressed TIFF: the samples follow, rows from the top, interleaved, no padding. */
  readonly head: Uint8Array;
}

/** Fields by which a tile is decoded; the others speak of all samples of a pixel. */
const kept: ReadonlySet<number> = new Set([
  Tag.Compression,
  Tag.FillOrder,
  Tag.Predictor,
  Tag.TileWidth,
  Tag.TileLength,
  Tag.JpegTables,
]);

/** Fields that go with the tiles and their compression. */
const ofTiles: ReadonlySet<number> = new Set([
  ...kept,
  Tag.TileOffsets,
  Tag.TileByteCounts,
  Tag.StripOffsets,
  Tag.StripByteCounts,
  Tag.RowsPerStrip,
]);

/** The master has a plane a sample, cut into tiles. */
export function isInPlanesOfTiles({ planar, chunks }: Pick<DirectoryInfo, 'planar' | 'chunks'>): boolean {
  return planar && chunks.kind === 'tiles';
}

/** The fields of a slice that holds the planes of `rect` one below the other; `places` are their tiles, in that order. */
export async function stackFields(
  file: TiffFile,
  directory: Directory,
  info: DirectoryInfo,
  rect: StoredRect,
  places: readonly Place[],
): Promise<readonly RawField[]> {
  const { planes, rowsApart, bitDepth } = shapeOf(info, rect);
  const bottom = (planes - 1) * rowsApart + rect.bottom - rect.top;
  const ofATile = new Map([...directory].filter(([tag]) => kept.has(tag)));
  const fields = await sliceFields(
    file,
    ofATile,
    { left: rect.left, right: rect.right, top: 0, bottom },
    places.length,
  );
  const grey = { [Tag.BitsPerSample]: bitDepth, [Tag.PhotometricInterpretation]: Photometric.blackIsZero };
  return withNumbers(file, fields, grey);
}

/** How the decoded stack becomes the picture. Throws MalformedTiffError when samples are not of 8 or 16 bits. */
export async function describeStack(
  file: TiffFile,
  directory: Directory,
  info: DirectoryInfo,
  rect: StoredRect,
): Promise<PlaneStack> {
  const shape = shapeOf(info, rect);
  const [width, height] = [rect.right - rect.left, rect.bottom - rect.top];
  const ofPixels = new Map([...directory].filter(([tag]) => !ofTiles.has(tag)));
  const fields = withNumbers(file, await sliceFields(file, ofPixels, rect, 1), {
    [Tag.Compression]: Compression.none,
    [Tag.PlanarConfiguration]: 1,
    [Tag.RowsPerStrip]: height,
  });
  const samples = { offset: 0, byteCount: width * height * shape.planes * (shape.bitDepth / 8) };
  return { ...shape, littleEndian: file.littleEndian, head: writeHead(file, fields, [samples]).bytes };
}

function shapeOf(
  { bitsPerSample, samplesPerPixel, chunks }: DirectoryInfo,
  rect: StoredRect,
): Pick<PlaneStack, 'planes' | 'rowsApart' | 'bitDepth'> {
  const [bitDepth] = bitsPerSample;
  if ((bitDepth !== 8 && bitDepth !== 16) || bitsPerSample.some((bits) => bits !== bitDepth)) {
    throw new MalformedTiffError(
      `Expected samples of 8 or of 16 bits for tiles of one plane each but received ${bitsPerSample.join(', ')}`,
    );
  }
  const rowsApart = Math.ceil((rect.bottom - rect.top) / chunks.height) * chunks.height;
  return { planes: samplesPerPixel, rowsApart, bitDepth };
}

function withNumbers(
  file: TiffFile,
  fields: readonly RawField[],
  numbers: Readonly<Record<number, number>>,
): readonly RawField[] {
  return Object.entries(numbers).reduce<readonly RawField[]>(
    (all, [tag, value]) => withNumber(file, all, Number(tag), value),
    fields,
  );
}

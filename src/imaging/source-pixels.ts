/** The pixels of a master by rectangle: from a slice of it, or from the whole of it. */
import { MalformedTiffError, RejectedImageError } from '../errors.ts';
import { forEachParallel } from '../parallel.ts';
import { type Rect, rectSize } from '../pyramid/blocks.ts';
import type { Conversion } from '../pyramid/conversion.ts';
import { toStored, toUpright } from '../pyramid/orientation.ts';
import type { Recipe } from '../pyramid/recipe.ts';
import { type SourceImage, uprightSize } from '../pyramid/source-image.ts';
import { describeDirectory, type DirectoryInfo } from '../tiff/directory-info.ts';
import type { EncodedTiles } from '../tiff/encoded-tiles.ts';
import { pagedReader, type RangeReader } from '../tiff/range-reader.ts';
import { readTiff } from '../tiff/read.ts';
import { planSlice, type Slice, type SliceRead } from '../tiff/slice.ts';
import { relabelAsRgb } from '../tiff/relabel.ts';
import { Compression, Photometric, Tag } from '../tiff/tags.ts';
import type { Arena } from './arena.ts';
import { decodeFailure, decodePipeline, decodeRect, type DecodeRequest, isOnePass, malformed } from './decode.ts';
import { encodePyramid, rasterPipeline } from './encode.ts';
import { interleavePlanes } from './interleave.ts';
import type { Raster } from './raster.ts';

export interface SourcePixels {
  /** Decodes a rectangle of the upright image into memory of the arena. */
  raster(rect: Rect, arena: Arena): Promise<Raster>;
  /**
   * Decodes the whole upright image and encodes all its levels in one pass of libvips, from the largest. Not there where
   * converting the colours takes more than one pass.
   */
  pyramid?(recipe: Pick<Recipe, 'tileSize' | 'encoding'>, arena: Arena): Promise<readonly EncodedTiles[]>;
}

export type PixelWishes = Pick<DecodeRequest, 'background' | 'bitDepth' | 'bands' | 'conversion' | 'timeoutSeconds'>;

/** Every rectangle is decoded from the file's start. */
export function pixelsOfFile(file: string, image: SourceImage, wishes: PixelWishes): SourcePixels {
  const request = (crop: Rect): DecodeRequest => ({ ...wishes, image, stored: image, crop });
  return {
    raster: (rect, arena) => decodeRect(file, request(rect), arena),
    ...(isOnePass({ ...wishes, image })
      ? { pyramid: (recipe, arena) => decodePyramid(file, request(wholeOf(image)), recipe, arena) }
      : {}),
  };
}

function wholeOf(image: SourceImage): Rect {
  const { width, height } = uprightSize(image);
  return { left: 0, top: 0, right: width, bottom: height };
}

async function decodePyramid(
  input: string | Uint8Array,
  request: DecodeRequest,
  recipe: Pick<Recipe, 'tileSize' | 'encoding'>,
  arena: Arena,
): Promise<readonly EncodedTiles[]> {
  try {
    return await encodePyramid(decodePipeline(input, request), recipe, arena);
  } catch (error) {
    throw decodeFailure(error);
  }
}

type SliceReader = RangeReader & Required<Pick<RangeReader, 'readInto'>>;

/** Of a TIFF, only the strips or tiles that cover a rectangle are read. Throws RejectedImageError when it is broken. */
export async function pixelsOfSlices(
  reader: SliceReader,
  image: SourceImage,
  wishes: PixelWishes,
): Promise<SourcePixels> {
  const file = await readTiff(pagedReader(reader), 1);
  const [whole] = file.directories;
  if (!whole) throw new RejectedImageError('CORRUPT_HEADER', 'the TIFF has no directory');
  const directory = new Map([...whole].filter(([tag]) => !isLeftOut(tag, wishes.conversion)));
  const info = await describeDirectory(file, directory);
  /** A slice in memory of the arena, and as a raster if it need not be decoded. */
  const read = async (rect: Rect, arena: Arena) => {
    const slice = await planSlice(file, directory, info, toStored(rect, image)).catch((error: unknown) => {
      throw error instanceof MalformedTiffError ? malformed(error) : error;
    });
    const bytes = await readPicture(reader, slice, wishes, arena);
    if (wishes.conversion === 'lab') relabelAsRgb(bytes);
    const upright = toUpright(slice.rect, image);
    const crop: Rect = {
      left: rect.left - upright.left,
      right: rect.right - upright.left,
      top: rect.top - upright.top,
      bottom: rect.bottom - upright.top,
    };
    const request: DecodeRequest = { ...wishes, image, stored: rectSize(slice.rect), crop };
    return { bytes, request, plain: plainRaster(slice, bytes, info, image, crop, wishes) };
  };
  return {
    async raster(rect, arena) {
      const { bytes, request, plain } = await read(rect, arena);
      return plain ?? decodeRect(bytes, request, arena);
    },
    ...(isOnePass({ ...wishes, image })
      ? {
          async pyramid(recipe, arena) {
            const { bytes, request, plain } = await read(wholeOf(image), arena);
            return plain
              ? encodePyramid(rasterPipeline(plain), recipe, arena)
              : decodePyramid(bytes, request, recipe, arena);
          },
        }
      : {}),
  };
}

/** A slice carries the profile only where it is applied; samples of L*a*b* are read as if they had no sign. */
function isLeftOut(tag: number, conversion: Conversion): boolean {
  if (tag === Tag.IccProfile) return conversion === 'none' || conversion === 'lab';
  return tag === Tag.SampleFormat && conversion === 'lab';
}

/** Reads of one slice at once, and the most that one of them takes. */
const READERS = 8;
const READ_BYTES = 16 * 2 ** 20;
/** Reads this near each other are one read; what lies between is thrown away. Bytes. */
const GAP_BYTES = 32 * 1024;

/** A TIFF of the slice's rectangle, in memory of the arena. */
async function readPicture(
  reader: SliceReader,
  slice: Slice,
  { timeoutSeconds }: PixelWishes,
  arena: Arena,
): Promise<Uint8Array> {
  const bytes = await readSlice(reader, slice, arena);
  if (!slice.stack) return bytes;
  return interleavePlanes(bytes, slice.stack, { ...rectSize(slice.rect), timeoutSeconds }, arena);
}

async function readSlice(reader: SliceReader, slice: Slice, arena: Arena): Promise<Uint8Array> {
  const bytes = arena.take(slice.size);
  bytes.set(slice.head);
  await forEachParallel(groupReads(slice.reads), READERS, async (group) => {
    const [first] = group;
    const last = group.at(-1);
    if (!first || !last) return;
    if (group.length === 1) {
      await reader.readInto(bytes.subarray(first.at, first.at + first.length), first.offset);
      return;
    }
    const together = arena.take(last.offset + last.length - first.offset);
    await reader.readInto(together, first.offset);
    for (const { offset, length, at } of group) {
      bytes.set(together.subarray(offset - first.offset, offset - first.offset + length), at);
    }
  });
  return bytes;
}

/** Long reads are cut, near ones are put together. */
function groupReads(reads: readonly SliceRead[]): SliceRead[][] {
  const pieces = reads.flatMap(({ offset, length, at }) =>
    Array.from({ length: Math.ceil(length / READ_BYTES) }, (_, index) => ({
      offset: offset + index * READ_BYTES,
      length: Math.min(READ_BYTES, length - index * READ_BYTES),
      at: at + index * READ_BYTES,
    })),
  );
  const groups: SliceRead[][] = [];
  for (const piece of pieces.sort((a, b) => a.offset - b.offset)) {
    const group = groups.at(-1);
    const [first] = group ?? [];
    const last = group?.at(-1);
    const end = last ? last.offset + last.length : 0;
    const isNear = piece.offset - end <= GAP_BYTES && piece.offset >= end;
    if (group && first && isNear && piece.offset + piece.length - first.offset <= READ_BYTES) group.push(piece);
    else groups.push([piece]);
  }
  return groups;
}

/** Uncompressed 8-bit rows of grey or RGB are pixels as they lie: nothing needs decoding. */
function plainRaster(
  slice: Slice,
  bytes: Uint8Array,
  info: DirectoryInfo,
  image: SourceImage,
  crop: Rect,
  { bitDepth, bands, conversion }: PixelWishes,
): Raster | undefined {
  const { width, height } = rectSize(slice.rect);
  const isPlain =
    conversion === 'none' &&
    info.compression === Compression.none &&
    info.segments.kind === 'strips' &&
    !info.planar &&
    info.fillOrder !== 2 &&
    (info.photometric === Photometric.blackIsZero || info.photometric === Photometric.rgb) &&
    info.bitsPerSample.every((bits) => bits === 8) &&
    bitDepth === 8 &&
    info.samplesPerPixel === bands &&
    image.bands === bands &&
    image.orientation === 1;
  const size = width * height * bands;
  const isFullWidth = crop.left === 0 && crop.right === width;
  if (!isPlain || !isFullWidth || slice.size - slice.head.length !== size) return undefined;
  const row = width * bands;
  const start = slice.head.length;
  const data = bytes.subarray(start + crop.top * row, start + crop.bottom * row);
  return { width, height: crop.bottom - crop.top, bands, data };
}

/** The pixels of a master by rectangle: from a slice of it, or from the whole of it. */
import { MalformedTiffError, RejectedImageError } from '../errors.ts';
import { MEMORY_BUDGET, SCRATCH_BUDGET } from '../limits.ts';
import { type Rect, rectSize } from '../pyramid/blocks.ts';
import type { Conversion } from '../pyramid/conversion.ts';
import { HELD_SLICE_BYTES } from '../pyramid/cost-figures.ts';
import type { Size } from '../pyramid/levels.ts';
import { convertsInOnePass } from '../pyramid/one-pass.ts';
import { toStored, toUpright } from '../pyramid/orientation.ts';
import type { Recipe } from '../recipe/recipe.ts';
import { type SourceImage, uprightSize } from '../pyramid/source-image.ts';
import { describeDirectory, type DirectoryInfo } from '../tiff/directory-info.ts';
import type { EncodedTiles } from '../tiff/encoded-tiles.ts';
import { pagedReader } from '../bytes/range-reader.ts';
import { readTiff } from '../tiff/read.ts';
import { planSlice, type Slice } from '../tiff/slice.ts';
import { relabelAsRgb } from '../tiff/relabel.ts';
import { Compression, Photometric, Tag } from '../tiff/tags.ts';
import type { Arena } from './arena.ts';
import { decodeFailure, decodePipeline, decodeRect, type DecodeRequest, malformed } from './decode.ts';
import { encodePyramid, rasterPipeline } from './encode.ts';
import { interleavePlanes } from './interleave.ts';
import type { Raster } from './raster.ts';
import { readSlice, type SliceReader, withSliceFile } from './read-slice.ts';

export interface SourcePixels {
  /** Decodes a rectangle of level 0 into memory of the arena: of the upright image, in the size wanted. */
  raster(rect: Rect, arena: Arena): Promise<Raster>;
  /**
   * Decodes the whole upright image, in the size wanted, and encodes all its levels in one pass of libvips, from the
   * largest. Not there where converting the colours takes more than one pass.
   */
  pyramid?(recipe: Pick<Recipe, 'tileSize' | 'encoding'>, arena: Arena): Promise<readonly EncodedTiles[]>;
}

export type PixelWishes = Pick<
  DecodeRequest,
  'background' | 'bitDepth' | 'bands' | 'conversion' | 'timeoutSeconds' | 'reducedTo'
>;

/** Every rectangle is decoded from the file's start. */
export function pixelsOfFile(file: string, image: SourceImage, wishes: PixelWishes): SourcePixels {
  const request = (crop: Rect): DecodeRequest => ({ ...wishes, image, stored: image, crop });
  return {
    raster: (rect, arena) => decodeRect(file, request(rect), arena),
    ...(convertsInOnePass({ ...wishes, image })
      ? {
          pyramid: (recipe, arena) =>
            decodePyramid(file, request(wholeOf(wishes.reducedTo ?? uprightSize(image))), recipe, arena),
        }
      : {}),
  };
}

function wholeOf({ width, height }: Size): Rect {
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

/**
 * Of a TIFF, only the strips or tiles that cover a rectangle are read; all of them, where the whole is reduced. Throws
 * RejectedImageError when it is broken.
 */
export async function pixelsOfSlices(
  reader: SliceReader,
  image: SourceImage,
  wishes: PixelWishes,
): Promise<SourcePixels> {
  const file = await readTiff(pagedReader(reader), 1);
  const [master] = file.directories;
  if (!master) throw new RejectedImageError('CORRUPT_HEADER', 'the TIFF has no directory');
  const directory = new Map([...master].filter(([tag]) => !isLeftOut(tag, wishes.conversion)));
  const info = await describeDirectory(file, directory);
  const { reducedTo } = wishes;
  const upright = wholeOf(uprightSize(image));
  const sliceOf = (rect: Rect): Promise<Slice> =>
    planSlice(file, directory, info, toStored(rect, image)).catch((error: unknown) => {
      throw error instanceof MalformedTiffError ? malformed(error) : error;
    });
  const reduce = async <Result>(rect: Rect, arena: Arena, use: UsePicture<Result>): Promise<Result> => {
    const slice = await sliceOf(upright);
    const request: DecodeRequest = { ...wishes, image, stored: rectSize(slice.rect), crop: rect };
    return withPicture(reader, slice, request, arena, (picture) => use(picture, request));
  };
  /** A slice in memory of the arena, and as a raster if it need not be decoded. */
  const read = async (rect: Rect, arena: Arena) => {
    const slice = await sliceOf(rect);
    const bytes = await readPicture(reader, slice, wishes, arena);
    const crop = within(rect, toUpright(slice.rect, image));
    const request: DecodeRequest = { ...wishes, image, stored: rectSize(slice.rect), crop };
    return { bytes, request, uncompressed: uncompressedRaster(slice, bytes, info, image, crop, wishes) };
  };
  return {
    async raster(rect, arena) {
      if (reducedTo) return reduce(rect, arena, (picture, request) => decodeRect(picture, request, arena));
      const { bytes, request, uncompressed } = await read(rect, arena);
      return uncompressed ?? decodeRect(bytes, request, arena);
    },
    ...(convertsInOnePass({ ...wishes, image })
      ? {
          async pyramid(recipe, arena) {
            if (reducedTo) {
              const whole = wholeOf(reducedTo);
              return reduce(whole, arena, (picture, request) => decodePyramid(picture, request, recipe, arena));
            }
            const { bytes, request, uncompressed } = await read(upright, arena);
            return uncompressed
              ? encodePyramid(rasterPipeline(uncompressed), recipe, arena)
              : decodePyramid(bytes, request, recipe, arena);
          },
        }
      : {}),
  };
}

function within(rect: Rect, { left, top }: Rect): Rect {
  return { left: rect.left - left, right: rect.right - left, top: rect.top - top, bottom: rect.bottom - top };
}

type UsePicture<Result> = (picture: string | Uint8Array, request: DecodeRequest) => Promise<Result>;

/** A slice carries the profile only where it is applied; samples of L*a*b* are read as if they had no sign. */
function isLeftOut(tag: number, conversion: Conversion): boolean {
  if (tag === Tag.IccProfile) return conversion === 'none' || conversion === 'lab';
  return tag === Tag.SampleFormat && conversion === 'lab';
}

/** A TIFF of the slice's rectangle, in memory of the arena. */
async function readPicture(
  reader: SliceReader,
  slice: Slice,
  { conversion, timeoutSeconds }: PixelWishes,
  arena: Arena,
): Promise<Uint8Array> {
  const bytes = await readSlice(reader, slice, arena);
  const picture = slice.stack
    ? await interleavePlanes(bytes, slice.stack, { ...rectSize(slice.rect), timeoutSeconds }, arena)
    : bytes;
  if (conversion === 'lab') relabelAsRgb(picture);
  return picture;
}

/** A TIFF of a slice that may be of a whole master: in a file while `use` runs, where it is too large for memory. */
async function withPicture<Result>(
  reader: SliceReader,
  slice: Slice,
  wishes: PixelWishes,
  arena: Arena,
  use: (picture: string | Uint8Array) => Promise<Result>,
): Promise<Result> {
  assertWithinBudget(slice);
  if (slice.stack || slice.size <= HELD_SLICE_BYTES) return use(await readPicture(reader, slice, wishes, arena));
  if (wishes.conversion === 'lab') relabelAsRgb(slice.header);
  return withSliceFile(reader, slice, use);
}

/** The header does not say that chunks share their bytes, nor that a plane has tiles of its own: planning cannot know. */
function assertWithinBudget({ rect, size, stack }: Slice): void {
  const { width, height } = rectSize(rect);
  // The slice, its planes decoded, and the picture that is made of them.
  const held = stack ? size + 2 * width * height * stack.planes * (stack.bitDepth / 8) : 0;
  if (held <= MEMORY_BUDGET && size <= SCRATCH_BUDGET) return;
  const form = stack ? ' in planes of tiles' : '';
  throw new RejectedImageError('OVER_BUDGET', `${width} × ${height} pixels${form} are too many to be reduced`);
}

/** Uncompressed 8-bit rows of grey or RGB are pixels as they lie: nothing needs decoding. */
function uncompressedRaster(
  slice: Slice,
  bytes: Uint8Array,
  info: DirectoryInfo,
  image: SourceImage,
  crop: Rect,
  { bitDepth, bands, conversion }: PixelWishes,
): Raster | undefined {
  const { width, height } = rectSize(slice.rect);
  const isUncompressed =
    conversion === 'none' &&
    info.compression === Compression.none &&
    info.chunks.kind === 'strips' &&
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
  if (!isUncompressed || !isFullWidth || slice.size - slice.header.length !== size) return undefined;
  const row = width * bands;
  const start = slice.header.length;
  const data = bytes.subarray(start + crop.top * row, start + crop.bottom * row);
  return { width, height: crop.bottom - crop.top, bands, data };
}

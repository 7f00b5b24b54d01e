/** Access to the pixels of a master by rectangle, from slices or from the whole file. */
import { MalformedTiffError, RejectedImageError } from '../errors.ts';
import { SCRATCH_BUDGET } from '../limits.ts';
import { type Rect, rectSize } from '../pyramid/blocks.ts';
import type { Conversion } from '../pyramid/conversion.ts';
import { HELD_SLICE_BYTES } from '../pyramid/cost-figures.ts';
import type { Size } from '../pyramid/levels.ts';
import { convertsInOnePass } from '../pyramid/one-pass.ts';
import { toStored, toUpright } from '../pyramid/orientation.ts';
import { type SourceImage, uprightSize } from '../pyramid/source-image.ts';
import { describeDirectory, type DirectoryInfo } from '../tiff/directory-info.ts';
import { pagedReader } from '../bytes/range-reader.ts';
import { withFirstDirectory } from '../tiff/first-directory.ts';
import { readTiff } from '../tiff/read.ts';
import { planSlice, type Slice } from '../tiff/slice.ts';
import { relabelAsRgb } from '../tiff/relabel.ts';
import { Compression, Photometric, Tag } from '../tiff/tags.ts';
import { Arena } from './arena.ts';
import { decodePipeline, decodeRect, type DecodeRequest, malformed } from './decode.ts';
import { withDecodedFile } from './decoded-file.ts';
import { interleavePlanes } from './interleave.ts';
import type { Raster } from './raster.ts';
import { readSlice, type SliceReader, withSliceFile } from './read-slice.ts';

export interface SourcePixels {
  /** Decodes a rectangle of level 0 (upright, reduced if requested) into memory of the arena. */
  raster(rect: Rect, arena: Arena): Promise<Raster>;
  /**
   * Calls `use` with the pixels of an image that is decoded only once, whatever rectangles are
   * read. Absent if `raster` decodes no more than the rectangle needs, and if the colour conversion
   * takes more than one pass.
   */
  decodedOnce?<Result>(use: (pixels: SourcePixels) => Promise<Result>): Promise<Result>;
}

export interface PixelOptions extends Pick<
  DecodeRequest,
  'background' | 'bitDepth' | 'bands' | 'conversion' | 'timeoutSeconds' | 'reducedTo'
> {
  /** Largest memory of the planes of a slice. Bytes. */
  readonly memoryBudget: number;
}

/** Pixels of a file that can only be decoded from its start. */
export function pixelsOfFile(file: string, image: SourceImage, options: PixelOptions): SourcePixels {
  const request = (crop: Rect): DecodeRequest => ({ ...options, image, stored: image, crop });
  return {
    raster: (rect, arena) => decodeRect(file, request(rect), arena),
    ...(convertsInOnePass({ ...options, image })
      ? { decodedOnce: (use) => decodeOnce(file, request(wholeOf(options.reducedTo ?? uprightSize(image))), use) }
      : {}),
  };
}

function wholeOf({ width, height }: Size): Rect {
  return { left: 0, top: 0, right: width, bottom: height };
}

async function decodeOnce<Result>(
  input: string | Uint8Array,
  request: DecodeRequest,
  use: (pixels: SourcePixels) => Promise<Result>,
): Promise<Result> {
  const { bands, bitDepth } = request;
  const shape = { ...rectSize(request.crop), bands, bitDepth };
  return withDecodedFile(decodePipeline(input, request), shape, (raster) => use({ raster }));
}

/**
 * Pixels of a TIFF, of which only the strips or tiles that cover a rectangle are read; a reduced
 * image reads all of them. Throws RejectedImageError for a malformed TIFF.
 */
export async function pixelsOfSlices(
  reader: SliceReader,
  image: SourceImage,
  options: PixelOptions,
): Promise<SourcePixels> {
  const header = pagedReader(reader);
  const { directory: at } = image;
  const file = await readTiff(at === undefined ? header : await withFirstDirectory(header, at), 1);
  const [master] = file.directories;
  if (!master) throw new RejectedImageError('CORRUPT_HEADER', 'the TIFF has no directory');
  const directory = new Map([...master].filter(([tag]) => !isOmitted(tag, image, options.conversion)));
  const info = await describeDirectory(file, directory);
  const { reducedTo } = options;
  const upright = wholeOf(uprightSize(image));
  const sliceOf = (rect: Rect): Promise<Slice> =>
    planSlice(file, directory, info, toStored(rect, image)).catch((error: unknown) => {
      throw error instanceof MalformedTiffError ? malformed(error) : error;
    });
  const reduce = async <Result>(rect: Rect, arena: Arena, use: UsePicture<Result>): Promise<Result> => {
    const slice = await sliceOf(upright);
    const request: DecodeRequest = { ...options, image, stored: rectSize(slice.rect), crop: rect };
    return withPicture(reader, slice, options, arena, (picture) => use(picture, request));
  };
  /**
   * Reads a slice into memory of the arena; `uncompressed` is its raster if it needs no decoding.
   */
  const read = async (rect: Rect, arena: Arena) => {
    const slice = await sliceOf(rect);
    assertHeld(slice, options);
    const bytes = await readPicture(reader, slice, options, arena);
    const crop = within(rect, toUpright(slice.rect, image));
    const request: DecodeRequest = { ...options, image, stored: rectSize(slice.rect), crop };
    return { bytes, request, uncompressed: uncompressedRaster(slice, bytes, info, image, crop, options) };
  };
  return {
    async raster(rect, arena) {
      if (reducedTo) return reduce(rect, arena, (picture, request) => decodeRect(picture, request, arena));
      const { bytes, request, uncompressed } = await read(rect, arena);
      return uncompressed ?? decodeRect(bytes, request, arena);
    },
    ...(reducedTo && convertsInOnePass({ ...options, image })
      ? {
          async decodedOnce(use) {
            const arena = new Arena();
            try {
              return await reduce(wholeOf(reducedTo), arena, (picture, request) => decodeOnce(picture, request, use));
            } finally {
              arena.release();
            }
          },
        }
      : {}),
  };
}

function within(rect: Rect, { left, top }: Rect): Rect {
  return { left: rect.left - left, right: rect.right - left, top: rect.top - top, bottom: rect.bottom - top };
}

type UsePicture<Result> = (picture: string | Uint8Array, request: DecodeRequest) => Promise<Result>;

/**
 * Whether a slice omits a tag of the master: the profile, unless it is applied, and the sign of
 * L*a*b* samples, which are read as unsigned.
 */
function isOmitted(tag: number, { profile }: Pick<SourceImage, 'profile'>, conversion: Conversion): boolean {
  if (tag === Tag.IccProfile) return profile === 'none' || conversion === 'none' || conversion === 'lab';
  return tag === Tag.SampleFormat && conversion === 'lab';
}

/** Returns a TIFF of the rectangle of the slice, in memory of the arena. */
async function readPicture(
  reader: SliceReader,
  slice: Slice,
  { conversion, timeoutSeconds }: PixelOptions,
  arena: Arena,
): Promise<Uint8Array> {
  const bytes = await readSlice(reader, slice, arena);
  const picture = slice.stack
    ? await interleavePlanes(bytes, slice.stack, { ...rectSize(slice.rect), timeoutSeconds }, arena)
    : bytes;
  if (conversion === 'lab') relabelAsRgb(picture);
  return picture;
}

/**
 * Calls `use` with a TIFF of the slice: in memory, or in a temporary file if the slice is too large
 * for memory.
 */
async function withPicture<Result>(
  reader: SliceReader,
  slice: Slice,
  options: PixelOptions,
  arena: Arena,
  use: (picture: string | Uint8Array) => Promise<Result>,
): Promise<Result> {
  assertWithinBudget(slice, options);
  if (slice.stack || slice.size <= HELD_SLICE_BYTES) return use(await readPicture(reader, slice, options, arena));
  if (options.conversion === 'lab') relabelAsRgb(slice.header);
  return withSliceFile(reader, slice, use);
}

/**
 * Throws RejectedImageError if the slice exceeds the budgets. Planning cannot detect this: the
 * header does not state that chunks share bytes or that planes are tiled separately.
 */
function assertWithinBudget({ rect, size, stack }: Slice, { memoryBudget }: PixelOptions): void {
  const { width, height } = rectSize(rect);
  // The slice, its decoded planes, and the interleaved image.
  const held = stack ? size + 2 * width * height * stack.planes * (stack.bitDepth / 8) : 0;
  if (held <= memoryBudget && size <= SCRATCH_BUDGET) return;
  const form = stack ? ' in planes of tiles' : '';
  throw new RejectedImageError('OVER_BUDGET', `${width} × ${height} pixels${form} are too many to be reduced`);
}

/**
 * Throws RejectedImageError if the slice does not fit in memory: the planner assumes that chunks do
 * not share their bytes.
 */
function assertHeld({ rect, size }: Slice, { memoryBudget }: PixelOptions): void {
  if (size <= memoryBudget) return;
  const { width, height } = rectSize(rect);
  throw new RejectedImageError('OVER_BUDGET', `${width} × ${height} pixels are stored in ${size} bytes`);
}

/**
 * The raster of uncompressed 8-bit rows of grey or RGB, which need no decoding; undefined for all
 * other slices.
 */
function uncompressedRaster(
  slice: Slice,
  bytes: Uint8Array,
  info: DirectoryInfo,
  image: SourceImage,
  crop: Rect,
  { bitDepth, bands, conversion }: PixelOptions,
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

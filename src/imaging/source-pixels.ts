/** Access to the pixels of a master by rectangle, from slices or from the whole file. */
import { MalformedTiffError, RejectedImageError } from '../errors.ts';
import { type Rect, rectSize } from '../pyramid/blocks.ts';
import type { Conversion } from '../pyramid/conversion.ts';
import type { Size } from '../pyramid/levels.ts';
import { convertsInOnePass } from '../pyramid/one-pass.ts';
import { toStored, toUpright } from '../pyramid/orientation.ts';
import { type SourceImage, uprightSize } from '../pyramid/source-image.ts';
import { describeDirectory, type DirectoryInfo } from '../tiff/directory-info.ts';
import { isUnpackable } from '../tiff/packed-chunks.ts';
import { planSlice, type Slice, type SliceForm } from '../tiff/slice.ts';
import { Compression, Photometric, Tag } from '../tiff/tags.ts';
import { decodeOnceAlone, decodeRectAlone } from './alone.ts';
import { Arena } from './arena.ts';
import { malformed } from './decode-errors.ts';
import type { DecodeRequest } from './pipelines.ts';
import type { Raster } from './raster.ts';
import type { SliceReader } from './read-slice.ts';
import { readPicture, withPicture } from './slice-picture.ts';
import { openSourceDirectory } from './source-directory.ts';

export interface SourcePixels {
  /** Decodes a rectangle of level 0 (upright, reduced if requested) into memory of the arena. */
  raster(rect: Rect, arena: Arena): Promise<Raster>;
  /**
   * Calls `use` with the pixels of an image that is decoded only once, whatever rectangles are
   * read. Absent if `raster` decodes no more than the rectangle needs, and if the colour conversion
   * takes more than one pass.
   */
  decodedOnce?<Result>(use: (pixels: SourcePixels) => Promise<Result>): Promise<Result>;
  /**
   * What was unusual about the pixels decoded so far and left none of them in doubt. Does not
   * depend on the rectangles that they were decoded in.
   */
  readonly warnings: ReadonlySet<string>;
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
    warnings: new Set(),
    raster: (rect, arena) => decodeRectAlone(file, request(rect), arena),
    ...(convertsInOnePass({ ...options, image })
      ? {
          decodedOnce: (use) =>
            decodeOnceAlone(file, request(wholeOf(options.reducedTo ?? uprightSize(image))), (raster) =>
              use({ raster, warnings: new Set() }),
            ),
        }
      : {}),
  };
}

function wholeOf({ width, height }: Size): Rect {
  return { left: 0, top: 0, right: width, bottom: height };
}

/**
 * Pixels of a TIFF, of which only the strips or tiles that cover a rectangle are read; a reduced
 * image reads all of them. Throws RejectedImageError for a malformed TIFF.
 */
export async function pixelsOfSlices(
  master: SliceReader,
  image: SourceImage,
  options: PixelOptions,
): Promise<SourcePixels> {
  const source = await openSliceSource(master, image, options);
  const { reader } = source;
  const { reducedTo } = options;
  const upright = wholeOf(uprightSize(image));
  const warnings = new Set<string>();
  const picture = { ...options, warnings };
  const requestOf = (slice: Slice, crop: Rect): DecodeRequest => {
    return { ...options, image, stored: rectSize(slice.rect), crop };
  };
  const reduce = <Result>(rect: Rect, arena: Arena, use: UsePicture<Result>): Promise<Result> =>
    source.withSlice(upright, (slice) =>
      withPicture(reader, slice, picture, arena, (input) => use(input, requestOf(slice, rect))),
    );
  /** `uncompressed` is the raster of a slice that needs no decoding. */
  const read = <Result>(rect: Rect, arena: Arena, use: UsePicture<Result>): Promise<Result> =>
    source.withSlice(rect, async (slice) => {
      assertHeld(slice, options);
      const bytes = await readPicture(reader, slice, picture, arena);
      const crop = within(rect, toUpright(slice.rect, image));
      return use(bytes, requestOf(slice, crop), uncompressedRaster(slice, bytes, source.info, image, crop, options));
    });
  return {
    warnings,
    async raster(rect, arena) {
      if (reducedTo) return reduce(rect, arena, (input, request) => decodeRectAlone(input, request, arena));
      return read(rect, arena, async (input, request, raw) => raw ?? decodeRectAlone(input, request, arena));
    },
    ...(reducedTo && convertsInOnePass({ ...options, image })
      ? {
          async decodedOnce(use) {
            const arena = new Arena();
            try {
              return await reduce(wholeOf(reducedTo), arena, (picture, request) =>
                decodeOnceAlone(picture, request, (raster) => use({ raster, warnings: new Set() })),
              );
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

type UsePicture<Result> = (picture: string | Uint8Array, request: DecodeRequest, raw?: Raster) => Promise<Result>;

interface SliceSource {
  /** Reads the bytes of slices. */
  readonly reader: SliceReader;
  readonly info: DirectoryInfo;
  /**
   * Calls `use` with the slice of an upright rectangle. When its pixels are refused, calls `use`
   * again with the slice whose chunks our own decoders decode, where there are such decoders.
   */
  withSlice<Result>(rect: Rect, use: (slice: Slice) => Promise<Result>): Promise<Result>;
}

async function openSliceSource(
  master: SliceReader,
  image: SourceImage,
  { conversion }: Pick<PixelOptions, 'conversion'>,
): Promise<SliceSource> {
  const { file, directory: stored, reader } = await openSourceDirectory(master, image).catch(rethrow);
  const directory = new Map([...stored].filter(([tag]) => !isOmitted(tag, image, conversion)));
  const info = withRange(await describeDirectory(file, directory), image);
  const sliceOf = (rect: Rect, form: SliceForm): Promise<Slice> =>
    planSlice(file, directory, info, toStored(rect, image), form).catch(rethrow);
  // Blocks of a master that needs our own decoders are mostly alike.
  let form: SliceForm = 'stored';
  return {
    reader,
    info,
    async withSlice(rect, use) {
      const slice = await sliceOf(rect, form);
      try {
        return await use(slice);
      } catch (error) {
        const isRefused = error instanceof RejectedImageError && error.code === 'CORRUPT_PIXELS';
        if (!isRefused || slice.packed || !isUnpackable(info.compression)) throw error;
      }
      const result = await use(await sliceOf(rect, 'unpacked'));
      form = 'unpacked';
      return result;
    },
  };
}

function rethrow(error: unknown): never {
  throw error instanceof MalformedTiffError ? malformed(error) : error;
}

/** The description with the range that was measured, so that all blocks have the same. */
function withRange(info: DirectoryInfo, { mappedRange }: SourceImage): DirectoryInfo {
  const { mapping } = info;
  if (mapping?.range !== 'unknown' || !mappedRange) return info;
  const { min, max } = mappedRange;
  return { ...info, mapping: { ...mapping, range: { min, max } } };
}

/**
 * Whether a slice omits a tag of the master: the profile, unless it is applied, and the sign of
 * L*a*b* samples, which are read as unsigned.
 */
function isOmitted(tag: number, { profile }: Pick<SourceImage, 'profile'>, conversion: Conversion): boolean {
  if (tag === Tag.IccProfile) return profile === 'none' || conversion === 'none' || conversion === 'lab';
  return tag === Tag.SampleFormat && conversion === 'lab';
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
    !slice.packed &&
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

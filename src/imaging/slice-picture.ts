/** The TIFF of a slice, in memory or in a temporary file, ready for libvips to decode. */
import { RejectedImageError } from '../errors.ts';
import { CLASSIC_TIFF_BYTES, SCRATCH_BUDGET } from '../limits.ts';
import { rectSize } from '../pyramid/blocks.ts';
import type { Conversion } from '../pyramid/conversion.ts';
import { HELD_SLICE_BYTES } from '../pyramid/cost-figures.ts';
import type { Slice } from '../tiff/slice.ts';
import { relabelAsRgb } from '../tiff/relabel.ts';
import { arrangeChunksAlone, interleavePlanesAlone } from './alone.ts';
import type { Arena } from './arena.ts';
import { readSlice, type SliceReader, withFilledFile, withSliceFile } from './read-slice.ts';
import { unpackIntoFile, unpackIntoMemory } from './unpack-slice.ts';

export interface PictureOptions {
  readonly conversion: Conversion;
  readonly timeoutSeconds: number;
  /** Largest memory of the planes or chunks of a slice. Bytes. */
  readonly memoryBudget: number;
  /** Receives what was unusual about the chunks and left no pixel in doubt. */
  readonly warnings: Set<string>;
}

/** Returns a TIFF of the rectangle of the slice, in memory of the arena. */
export async function readPicture(
  reader: SliceReader,
  slice: Slice,
  { conversion, timeoutSeconds, warnings }: PictureOptions,
  arena: Arena,
): Promise<Uint8Array> {
  const bytes = slice.packed
    ? await unpackIntoMemory(reader, { ...slice, packed: slice.packed }, warnings, arena)
    : await readSlice(reader, slice, arena);
  const options = { ...rectSize(slice.rect), timeoutSeconds };
  const picture = slice.stack
    ? await interleavePlanesAlone(bytes, slice.stack, options, arena)
    : slice.column
      ? await arrangeChunksAlone(bytes, slice.column, options, arena)
      : bytes;
  if (conversion === 'lab') relabelAsRgb(picture);
  return picture;
}

/**
 * Calls `use` with a TIFF of the slice: in memory, or in a temporary file if the slice is too large
 * for memory. Throws RejectedImageError if the slice exceeds the budgets.
 */
export async function withPicture<Result>(
  reader: SliceReader,
  slice: Slice,
  options: PictureOptions,
  arena: Arena,
  use: (picture: string | Uint8Array) => Promise<Result>,
): Promise<Result> {
  assertWithinBudget(slice, options);
  if (slice.stack || slice.column || slice.size <= HELD_SLICE_BYTES) {
    return use(await readPicture(reader, slice, options, arena));
  }
  if (options.conversion === 'lab') relabelAsRgb(slice.header);
  const { packed } = slice;
  if (!packed) return withSliceFile(reader, slice, use);
  return withFilledFile((handle) => unpackIntoFile(reader, { ...slice, packed }, options.warnings, handle), use);
}

/**
 * Planning cannot detect this: the header does not state that chunks share bytes, that planes are
 * tiled separately, or how many bytes chunks decode to.
 */
function assertWithinBudget({ rect, size, stack, column, packed }: Slice, { memoryBudget }: PictureOptions): void {
  const { width, height } = rectSize(rect);
  const pixels = width * height;
  // The slice, its decoded planes or chunks, and the picture made of them.
  const held = stack
    ? size + 2 * pixels * stack.planes * (stack.bitDepth / 8)
    : column
      ? size + column.width * column.height * 4 + pixels * column.pictureSamples
      : 0;
  const isTooLarge = packed !== undefined && size >= CLASSIC_TIFF_BYTES;
  if (held <= memoryBudget && size <= SCRATCH_BUDGET && !isTooLarge) return;
  const form = stack ? ' in planes of tiles' : '';
  throw new RejectedImageError('OVER_BUDGET', `${width} × ${height} pixels${form} are too many to be reduced`);
}

/**
 * libheif (LGPL-3.0) as WebAssembly, used as a separate package: none of it becomes part of this
 * program.
 */
import { RejectedImageError } from '../../errors.ts';
import { corrupt } from '../header-bytes.ts';
import { boundedWasm, type BoundedWasm, loadPackage, runDecoder } from '../wasm-decoder.ts';

interface Enumerator {
  readonly value: number;
}

interface HeifError {
  readonly code: Enumerator;
  readonly subcode: Enumerator;
  readonly message: string;
}

/**
 * Interleaved samples in the module's memory; samples of more than 8 bits take two bytes,
 * little-endian.
 */
interface Plane {
  readonly id: Enumerator;
  readonly width: number;
  readonly height: number;
  /** Bytes from the start of one row to the next. */
  readonly stride: number;
  readonly bits_per_pixel: number;
  readonly data: Uint8Array;
}

export interface HeifModule {
  readonly heif_colorspace: { readonly heif_colorspace_RGB: Enumerator };
  readonly heif_channel: { readonly heif_channel_interleaved: Enumerator };
  readonly heif_chroma: Readonly<Record<string, Enumerator>>;
  readonly heif_error_code: { readonly heif_error_Memory_allocation_error: Enumerator };
  readonly heif_suberror_code: Readonly<Record<string, Enumerator>>;
  heif_context_alloc(): unknown;
  heif_context_read_from_memory(context: unknown, bytes: Uint8Array): HeifError;
  heif_js_context_get_primary_image_handle(context: unknown): unknown;
  heif_js_decode_image2(
    handle: unknown,
    colourspace: Enumerator,
    chroma: Enumerator,
  ): { channels: Plane[] } | HeifError;
}

type Factory = (options: {
  instantiateWasm: BoundedWasm['instantiateWasm'];
  print: (line: string) => void;
  printErr: (line: string) => void;
}) => HeifModule;

/** The result of libheif: RGB or RGBA samples in padded rows. */
export type HeifPixels = Plane;

/** What the header of the file states about the decoded picture. */
export interface WantedPixels {
  /** Upright, in pixels. */
  readonly width: number;
  readonly height: number;
  /** Bits of a coded sample. */
  readonly bits: number;
  readonly alpha: boolean;
}

/**
 * Decodes the primary image with its crop, rotation and mirroring applied: RGB or RGBA, one byte a
 * sample when `bits` is 8, two when it is more. The samples stay valid while they are referenced,
 * because each call creates its own module. Throws RejectedImageError.
 */
export async function decodePrimaryImage(
  bytes: Uint8Array,
  wanted: WantedPixels,
  heap: number | undefined,
): Promise<HeifPixels> {
  const ignore = (): void => undefined;
  const wasm = await boundedWasm('libheif-js/libheif-wasm/libheif.wasm', heap);
  const createModule = loadPackage('libheif-js/libheif-wasm/libheif.js') as Factory;
  const module = createModule({ instantiateWasm: wasm.instantiateWasm, print: ignore, printErr: ignore });
  return runDecoder('libheif', wasm, () => decodeWithLibheif(module, bytes, wanted));
}

/** `decodePrimaryImage` with a module that is loaded. */
export function decodeWithLibheif(module: HeifModule, bytes: Uint8Array, wanted: WantedPixels): HeifPixels {
  const context = module.heif_context_alloc();
  const problem = module.heif_context_read_from_memory(context, bytes);
  if (problem.code.value !== 0) throw rejection(module, problem, 'CORRUPT_HEADER');
  const handle = module.heif_js_context_get_primary_image_handle(context);
  if (isError(handle)) throw rejection(module, handle, 'CORRUPT_HEADER');
  const alpha = wanted.alpha ? 'A' : '';
  const chroma = wanted.bits > 8 ? `RRGGBB${alpha}${alpha}_LE` : `RGB${alpha}`;
  const result = module.heif_js_decode_image2(
    handle,
    module.heif_colorspace.heif_colorspace_RGB,
    module.heif_chroma[`heif_chroma_interleaved_${chroma}`] ?? { value: -1 },
  );
  if (isError(result)) throw rejection(module, result, 'CORRUPT_PIXELS');
  // With alpha of more than 8 bits, libheif also returns a plane for alpha that it never writes.
  const interleaved = module.heif_channel.heif_channel_interleaved.value;
  return wholePlane(
    result.channels.find(({ id }) => id.value === interleaved),
    wanted,
  );
}

/** Throws RejectedImageError unless libheif returned every sample that was requested. */
function wholePlane(plane: Plane | undefined, { width, height, bits, alpha }: WantedPixels): Plane {
  if (!plane) throw new RejectedImageError('CORRUPT_PIXELS', 'libheif returned no pixels');
  if (plane.width !== width || plane.height !== height) {
    throw corrupt(`Expected ${width} × ${height}`, `${plane.width} × ${plane.height}`);
  }
  const row = width * (alpha ? 4 : 3) * (bits > 8 ? 2 : 1);
  const isWhole =
    plane.bits_per_pixel === bits && plane.stride >= row && plane.data.length >= plane.stride * (height - 1) + row;
  if (!isWhole) {
    throw new RejectedImageError('CORRUPT_PIXELS', `libheif returned ${plane.data.length} bytes of pixels`);
  }
  return plane;
}

function isError(result: unknown): result is HeifError {
  return typeof result === 'object' && result !== null && 'code' in result;
}

function rejection(
  module: HeifModule,
  { code, subcode, message }: HeifError,
  otherwise: 'CORRUPT_HEADER' | 'CORRUPT_PIXELS',
): RejectedImageError {
  const limit = module.heif_suberror_code['heif_suberror_Security_limit_exceeded'];
  const isMemory =
    subcode.value === limit?.value || code.value === module.heif_error_code.heif_error_Memory_allocation_error.value;
  return new RejectedImageError(isMemory ? 'OVER_BUDGET' : otherwise, `libheif: ${message}`);
}

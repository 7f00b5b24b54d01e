import { latin1 } from '../../bytes/views.ts';
import type { ImageShape } from '../decoded-image.ts';
import type { ConvertedFormat, Decoder } from '../format.ts';
import { heapBytes } from '../wasm-decoder.ts';
import { decodeHeic } from './decode.ts';
import { readHeifHeader } from './header.ts';
import { findInHeic } from './metadata.ts';

/** HEIF files whose images are coded with HEVC (ISO/IEC 23008-12). */
export const heic = {
  kind: 'converted',
  name: 'heic',
  title: 'HEIC',
  matches: hasHeicBrand,
  metadata: findInHeic,
} as const satisfies ConvertedFormat;

/** Decodes with libheif. */
export const heicDecoder: Decoder = {
  header: async (reader) => (await readHeifHeader(reader)).shape,
  decode: decodeHeic,
  memory: (shape, fileBytes) => ({ heap: heapBytes(libheifBytes(shape) + 2 * fileBytes), rasterCopies: 1 }),
};

/** Brands of images coded with HEVC (ISO/IEC 23008-12, annex B.4). */
const brands: ReadonlySet<string> = new Set(['heic', 'heix', 'heim', 'heis']);

/**
 * Whether the file type box, which comes first, names one of the brands as its major or as a
 * compatible brand.
 */
function hasHeicBrand(prefix: Uint8Array): boolean {
  const text = latin1(prefix);
  if (!text.startsWith('ftyp', 4)) return false;
  const length = Math.min(text.charCodeAt(2) * 256 + text.charCodeAt(3), text.length);
  // The minor version follows the major brand.
  for (let at = 8; at + 4 <= length; at += at === 8 ? 8 : 4) {
    if (brands.has(text.slice(at, at + 4))) return true;
  }
  return false;
}

/**
 * The decoder's planes and libheif's copy of them, without subsampling in the worst case, and the
 * result. Bytes.
 */
function libheifBytes(shape: ImageShape): number {
  const planes = 3 + (shape.alpha ? 1 : 0);
  const pixels = shape.decodedPixels ?? shape.width * shape.height;
  return pixels * 3 * planes * (shape.bitDepth / 8);
}

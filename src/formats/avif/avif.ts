import { latin1 } from '../../bytes/views.ts';
import { decodedBytes } from '../decoded-image.ts';
import type { ConvertedFormat, Decoder } from '../format.ts';
import { findInHeic } from '../heic/metadata.ts';
import { decodeAvif, readAvifHeader } from './decode.ts';

/** HEIF files whose images are coded with AV1 (AV1 Image File Format, AOMedia). */
export const avif = {
  kind: 'converted',
  name: 'avif',
  title: 'AVIF',
  // `avis` is the brand of sequences, which are refused by their header.
  matches: (prefix) => /^[^]{4}ftypavi[fs]/u.test(latin1(prefix)),
  metadata: findInHeic,
} as const satisfies ConvertedFormat;

/** Decodes with libvips (libheif and libaom). */
export const avifDecoder: Decoder = {
  header: async (reader) => (await readAvifHeader(reader)).shape,
  decode: decodeAvif,
  // libaom's planes, libheif's copies of them and of the colours, and those of libvips and sharp:
  // 7.2 in all (measured with 6,000 × 4,000 pixels).
  memory: (shape) => ({ heap: 0, rasterCopies: 8 + LIBVIPS_BYTES / decodedBytes(shape) }),
};

/** Memory of libvips and libaom besides whole rasters. Bytes. */
const LIBVIPS_BYTES = 96 * 2 ** 20;

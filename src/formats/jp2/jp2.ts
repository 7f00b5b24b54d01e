import { type ImageShape, samplesPerPixel } from '../decoded-image.ts';
import { anyOf, type ConvertedFormat, type Decoder, signature } from '../format.ts';
import { heapBytes } from '../wasm-decoder.ts';
import { decodeJp2 } from './decode.ts';
import { readJp2Header } from './header.ts';
import { findInJp2 } from './metadata.ts';

/** JPEG 2000 (ISO/IEC 15444): JP2 and JPX files, and bare codestreams. */
export const jp2 = {
  kind: 'converted',
  name: 'jp2',
  title: 'JPEG 2000',
  matches: anyOf(signature('\0\0\0\x0cjP  \r\n\x87\n'), signature('\xff\x4f\xff\x51')),
  metadata: findInJp2,
} as const satisfies ConvertedFormat;

/** Decodes with OpenJPEG. */
export const jp2Decoder: Decoder = {
  header: async (reader) => (await readJp2Header(reader)).shape,
  decode: decodeJp2,
  // Decoded samples are copied once more where alpha is interleaved or bits are widened.
  memory: (shape, fileBytes) => ({
    heap: heapBytes(openJpegBytes(shape) + 2 * fileBytes),
    rasterCopies: shape.alpha || shape.isLab || shape.bands === 4 ? 2.5 : 2,
  }),
};

/**
 * OpenJPEG holds every component as 32-bit numbers, alpha and unused components included, and the
 * result besides. Components that are selected from among others are copied first. Its copies of
 * the file are counted separately. Bytes.
 */
function openJpegBytes(shape: ImageShape): number {
  const pixels = shape.width * shape.height;
  const components = samplesPerPixel(shape);
  const selected = shape.alpha || shape.bands === 4 ? shape.bands : 0;
  return pixels * (4 * (components + selected) + shape.bands * (shape.bitDepth / 8));
}

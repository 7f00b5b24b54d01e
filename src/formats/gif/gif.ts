import type { RangeReader } from '../../bytes/range-reader.ts';
import { viewOf } from '../../bytes/views.ts';
import { RejectedImageError } from '../../errors.ts';
import { decodedBytes, type ImageShape } from '../decoded-image.ts';
import { anyOf, type ConvertedFormat, type Decoder, signature } from '../format.ts';
import { corrupt } from '../header-bytes.ts';

/** GIF (versions 87a and 89a), of which the first frame is decoded. */
export const gif = {
  kind: 'converted',
  name: 'gif',
  title: 'GIF',
  matches: anyOf(signature('GIF87a'), signature('GIF89a')),
} as const satisfies ConvertedFormat;

/** Decodes with libvips (libnsgif), which is loaded when it is needed. */
export const gifDecoder: Decoder = {
  header: readGifShape,
  decode: async (bytes, options) => (await import('./decode.ts')).decodeGif(bytes, options),
  // libvips and sharp hold the decoded samples 2.3 times in all (measured with 6,000 × 6,000
  // pixels).
  memory: (shape) => ({ heap: 0, rasterCopies: 3 + LIBVIPS_BYTES / decodedBytes(shape) }),
};

/** Memory of libvips besides whole rasters. Bytes. */
const LIBVIPS_BYTES = 64 * 2 ** 20;

/**
 * The logical screen, on which frames are composed (GIF89a, section 18). Throws RejectedImageError.
 */
async function readGifShape(reader: RangeReader): Promise<ImageShape> {
  const bytes = await reader.read(0, 13);
  if (bytes.length < 13) throw new RejectedImageError('TRUNCATED', 'the file ends before its logical screen');
  const view = viewOf(bytes);
  const width = view.getUint16(6, true);
  const height = view.getUint16(8, true);
  if (width === 0 || height === 0)
    throw corrupt('Expected a logical screen of at least one pixel', `${width} × ${height}`);
  return { width, height, bands: 3, alpha: false, bitDepth: 8 };
}

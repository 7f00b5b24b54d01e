import type { RangeReader } from '../../bytes/range-reader.ts';
import { viewOf } from '../../bytes/views.ts';
import { RejectedImageError } from '../../errors.ts';
import { decodeFailure } from '../../imaging/decode.ts';
import { sharp } from '../../imaging/sharp.ts';
import { type DecodedImage, decodedBytes, type ImageShape } from '../decoded-image.ts';
import { anyOf, type ConvertedFormat, type Decoder, type DecodeOptions, signature } from '../format.ts';
import { corrupt } from '../header-bytes.ts';

/** GIF (versions 87a and 89a), of which the first frame is decoded. */
export const gif = {
  kind: 'converted',
  name: 'gif',
  title: 'GIF',
  matches: anyOf(signature('GIF87a'), signature('GIF89a')),
} as const satisfies ConvertedFormat;

/** Decodes with libvips (libnsgif). */
export const gifDecoder: Decoder = {
  header: readGifShape,
  decode: decodeGif,
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

/** Decodes the first frame on `background`, as RGB. Throws RejectedImageError. */
async function decodeGif(bytes: Uint8Array, { background }: Pick<DecodeOptions, 'background'>): Promise<DecodedImage> {
  // The loader stays blocked in processes that never decode a GIF.
  sharp.unblock({ operation: ['VipsForeignLoadNsgifBuffer'] });
  const { data, info } = await sharp(bytes, { page: 0, failOn: 'truncated', limitInputPixels: false })
    .flatten({ background })
    .toColourspace('srgb')
    .raw()
    .toBuffer({ resolveWithObject: true })
    .catch((error: unknown) => {
      throw decodeFailure(error);
    });
  if (info.channels !== 3) throw new RejectedImageError('CORRUPT_PIXELS', `a GIF of ${info.channels} bands`);
  return {
    width: info.width,
    height: info.height,
    bands: 3,
    alpha: false,
    bitDepth: 8,
    data: new Uint8Array(data.buffer, data.byteOffset, data.length),
  };
}

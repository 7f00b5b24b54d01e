import { RejectedImageError } from '../../errors.ts';
import { cutShort, decodeFailure } from '../../imaging/decode-errors.ts';
import { sharp } from '../../imaging/sharp.ts';
import type { DecodedImage } from '../decoded-image.ts';
import type { DecodeOptions } from '../format.ts';
import { hasGifEnd } from './blocks.ts';

/** Decodes the first frame on `background`, as RGB. Throws RejectedImageError. */
export async function decodeGif(
  bytes: Uint8Array,
  { background }: Pick<DecodeOptions, 'background'>,
): Promise<DecodedImage> {
  // The loader stays blocked in processes that never decode a GIF.
  sharp.unblock({ operation: ['VipsForeignLoadNsgifBuffer'] });
  const { data, info } = await sharp(bytes, { page: 0, failOn: 'truncated', limitInputPixels: false })
    .flatten({ background })
    .toColourspace('srgb')
    .raw()
    .toBuffer({ resolveWithObject: true })
    .catch((error: unknown) => {
      const failure = decodeFailure(error);
      throw failure instanceof RejectedImageError && !hasGifEnd(bytes) ? cutShort(bytes.length, error) : failure;
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

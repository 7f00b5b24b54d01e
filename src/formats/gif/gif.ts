/** GIF: the first frame, through libvips (libnsgif). */
import { RejectedImageError } from '../../errors.ts';
import { decodeFailure } from '../../imaging/decode.ts';
import { sharp } from '../../imaging/sharp.ts';
import type { RangeReader } from '../../bytes/range-reader.ts';
import { corrupt, viewOf } from '../boxes.ts';
import type { DecodedImage, ImageShape } from '../decoded-image.ts';

// Only who converts may load GIF; everywhere else the loader stays blocked.
sharp.unblock({ operation: ['VipsForeignLoadNsgifBuffer'] });

/** The logical screen, which frames are composed on (GIF89a, section 18). Throws RejectedImageError. */
export async function readGifShape(reader: RangeReader): Promise<ImageShape> {
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
export async function decodeGif(bytes: Uint8Array, { background }: { background: string }): Promise<DecodedImage> {
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

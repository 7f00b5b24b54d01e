/** AVIF as libvips decodes it; its build of libaom decodes 8 bits a sample. */
import { memoryReader, type RangeReader } from '../../bytes/range-reader.ts';
import { latin1 } from '../../bytes/views.ts';
import { RejectedImageError } from '../../errors.ts';
import { decodeFailure } from '../../imaging/decode-errors.ts';
import { sharp } from '../../imaging/sharp.ts';
import { type DecodedImage, samplesPerPixel } from '../decoded-image.ts';
import { corrupt, unsupported } from '../header-bytes.ts';
import { type HeifCoding, type HeifHeader, readHeifHeader } from '../heic/header.ts';
import { newBytes } from '../samples.ts';

/** AV1CodecConfigurationRecord (AV1 Codec ISO Media File Format Binding, section 2.3.3). */
const av1: HeifCoding = {
  item: 'av01',
  configuration: 'av1C',
  samplesOf(record) {
    const flags = record.getUint8(2);
    const bits = (flags & 0x40) === 0 ? 8 : (flags & 0x20) === 0 ? 10 : 12;
    return { bits, isGrey: (flags & 0x10) !== 0 };
  },
};

/**
 * Reads the header: a few ranged reads. Throws RejectedImageError: MULTI_PAGE for a sequence,
 * UNSUPPORTED_PIXELS for more than 8 bits.
 */
export async function readAvifHeader(reader: RangeReader): Promise<HeifHeader> {
  if (latin1(await reader.read(8, 4)) === 'avis') throw new RejectedImageError('MULTI_PAGE', 'an animation');
  const header = await readHeifHeader(reader, av1);
  const bits = Math.max(header.bits, header.alphaBits);
  if (bits > 8) throw unsupported(`AVIF of ${bits} bits`);
  return header;
}

/**
 * Decodes the primary image, grids included. The crop, rotation and mirroring of the HEIF
 * properties are applied; an Exif orientation is ignored. Throws RejectedImageError.
 */
export async function decodeAvif(bytes: Uint8Array): Promise<DecodedImage> {
  const { shape, iccProfile } = await readAvifHeader(memoryReader(bytes));
  // The loader stays blocked in processes that never decode an AVIF.
  sharp.unblock({ operation: ['VipsForeignLoadHeifBuffer'] });
  const { data, info } = await sharp(bytes, { failOn: 'truncated', ignoreIcc: true, limitInputPixels: false })
    .raw({ depth: 'uchar' })
    .toBuffer({ resolveWithObject: true })
    .catch((error: unknown) => {
      throw decodeFailure(error);
    });
  const stored = 3 + (shape.alpha ? 1 : 0);
  if (info.width !== shape.width || info.height !== shape.height || info.channels !== stored) {
    const received = `${info.width} × ${info.height} of ${info.channels} samples`;
    throw corrupt(`Expected ${shape.width} × ${shape.height} of ${stored} samples`, received);
  }
  const profile = iccProfile ? { iccProfile } : {};
  return { ...shape, ...profile, data: shape.bands === 1 ? greyOf(data, shape.alpha) : Uint8Array.from(data) };
}

/** The first of three equal samples, and the opacity. */
function greyOf(data: Uint8Array, alpha: boolean): Uint8Array {
  const kept = samplesPerPixel({ bands: 1, alpha });
  const stored = kept + 2;
  const grey = newBytes((data.length / stored) * kept);
  for (let from = 0, to = 0; from < data.length; from += stored, to += kept) {
    grey[to] = data[from] ?? 0;
    if (alpha) grey[to + 1] = data[from + 3] ?? 0;
  }
  return grey;
}

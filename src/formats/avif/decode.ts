/** AVIF as libvips decodes it (libheif and libaom). */
import { memoryReader, type RangeReader } from '../../bytes/range-reader.ts';
import { latin1 } from '../../bytes/views.ts';
import { RejectedImageError } from '../../errors.ts';
import { decodeFailure } from '../../imaging/decode-errors.ts';
import { sharp } from '../../imaging/sharp.ts';
import type { DecodedImage } from '../decoded-image.ts';
import { corrupt, unsupported } from '../header-bytes.ts';
import { type HeifCoding, type HeifHeader, readHeifHeader } from '../heic/header.ts';
import { samplesOf } from '../heic/samples.ts';

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
 * UNSUPPORTED_PIXELS for opacity of more bits than the colours.
 */
export async function readAvifHeader(reader: RangeReader): Promise<HeifHeader> {
  if (latin1(await reader.read(8, 4)) === 'avis') throw new RejectedImageError('MULTI_PAGE', 'an animation');
  const header = await readHeifHeader(reader, av1);
  const { bits, alphaBits } = header;
  if (alphaBits > bits) throw unsupported(`AVIF of ${bits} bits with opacity of ${alphaBits} bits`);
  return header;
}

/**
 * Decodes the primary image, grids included; samples of 10 and 12 bits are widened to 16. The crop,
 * rotation and mirroring of the HEIF properties are applied; an Exif orientation is ignored. Throws
 * RejectedImageError.
 */
export async function decodeAvif(bytes: Uint8Array): Promise<DecodedImage> {
  const header = await readAvifHeader(memoryReader(bytes));
  const { shape, bits, iccProfile } = header;
  // The loader stays blocked in processes that never decode an AVIF.
  sharp.unblock({ operation: ['VipsForeignLoadHeifBuffer'] });
  const { data, info } = await sharp(bytes, { failOn: 'truncated', ignoreIcc: true, limitInputPixels: false })
    .toColourspace(bits > 8 ? 'rgb16' : 'srgb')
    .raw({ depth: bits > 8 ? 'ushort' : 'uchar' })
    .toBuffer({ resolveWithObject: true })
    .catch((error: unknown) => {
      throw decodeFailure(error);
    });
  const samples = 3 + (shape.alpha ? 1 : 0);
  if (info.width !== shape.width || info.height !== shape.height || info.channels !== samples) {
    const received = `${info.width} × ${info.height} of ${info.channels} samples`;
    throw corrupt(`Expected ${shape.width} × ${shape.height} of ${samples} samples`, received);
  }
  const profile = iccProfile ? { iccProfile } : {};
  if (shape.bitDepth === 8 && shape.bands === 3) return { ...shape, ...profile, data: Uint8Array.from(data) };
  // libvips moves the bits to the top of 16.
  const stored = { data, stride: data.length / info.height, left: 0, top: 0, shift: shape.bitDepth - bits };
  return { ...shape, ...profile, data: samplesOf(header, stored) };
}

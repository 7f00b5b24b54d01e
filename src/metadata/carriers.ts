/** Where a file format carries metadata: located by src/formats, read by this folder. */
import type { RangeReader } from '../bytes/range-reader.ts';
import { latin1 } from '../bytes/views.ts';
import { type ByteRange, joinedReader, readExactly } from './bounded-reader.ts';
import type { MetadataFields, Resolution } from './embedded-metadata.ts';

/** A portion of an extended XMP packet (XMP specification part 3, section 1.1.3.1). */
export interface ExtendedXmpPortion {
  /** MD5 of the whole extended packet, hex, upper case. */
  readonly digest: string;
  /** Offset of this portion in the extended packet. Bytes. */
  readonly offset: number;
  /** The bytes of the portion in the file. */
  readonly range: ByteRange;
}

export interface Carriers {
  /** A TIFF structure. */
  exif?: RangeReader | undefined;
  xmp?: RangeReader | undefined;
  extendedXmp?: readonly ExtendedXmpPortion[] | undefined;
  /** IPTC-IIM datasets. */
  iptc?: RangeReader | undefined;
  /** Photoshop image resources, which may contain IPTC datasets. */
  photoshop?: RangeReader | undefined;
  icc?: RangeReader | undefined;
  /** Resolution in a field of the format itself; used where Exif states none. */
  resolution?: Resolution | undefined;
  /** Texts by keyword. */
  text?: MetadataFields | undefined;
}

/** Precedes the TIFF structure in the APP1 segment of a JPEG. */
export const EXIF_SIGNATURE = 'Exif\0\0';

/**
 * The TIFF structure of an Exif block. Some writers put the signature of JPEG before it in other
 * formats too.
 */
export async function withoutExifSignature(block: RangeReader): Promise<RangeReader> {
  const signature = EXIF_SIGNATURE.length;
  if (block.size < signature || latin1(await readExactly(block, 0, signature)) !== EXIF_SIGNATURE) return block;
  return joinedReader(block, [{ offset: signature, length: block.size - signature }]);
}

import type { RangeReader } from '../bytes/range-reader.ts';
import type { Place } from './bounded-reader.ts';
import type { MetadataFields, Resolution } from './embedded-metadata.ts';

/** A portion of an extended XMP packet (XMP specification part 3, section 1.1.3.1). */
export interface ExtendedXmpPortion {
  /** MD5 of the whole extended packet, hex, upper case. */
  readonly digest: string;
  /** Bytes of the whole extended packet. */
  readonly length: number;
  /** Where in it this portion belongs. */
  readonly offset: number;
  readonly place: Place;
}

/** What a file format carries metadata in, found but not yet understood. */
export interface Carriers {
  /** A TIFF structure. */
  exif?: RangeReader | undefined;
  xmp?: RangeReader | undefined;
  extendedXmp?: readonly ExtendedXmpPortion[] | undefined;
  /** IPTC-IIM datasets. */
  iptc?: RangeReader | undefined;
  /** Photoshop image resources, which may hold IPTC. */
  photoshop?: RangeReader | undefined;
  icc?: RangeReader | undefined;
  /** What the format itself says; Exif's own word goes before it. */
  resolution?: Resolution | undefined;
  text?: MetadataFields | undefined;
}

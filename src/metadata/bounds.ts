/**
 * Limits on the metadata that is read from a master and kept, whatever sizes the master declares.
 */

/** Total that is read from one master to find and read its metadata. Bytes. */
export const MAX_READ_BYTES = 16 * 2 ** 20;

/**
 * Minimum charge of one read against MAX_READ_BYTES, which limits the number of reads to 1,024.
 * Bytes.
 */
export const MIN_CHARGE_BYTES = 16 * 2 ** 10;

/**
 * Marker segments of a JPEG before its scan, chunks of a PNG or WebP, or extents of the items of a
 * HEIC.
 */
export const MAX_CONTAINER_PARTS = 4_096;

/** Length of the end of a PNG that is searched for chunks after the pixels. Bytes. */
export const MAX_TAIL_BYTES = 256 * 2 ** 10;

/** Fields of one Exif directory; real directories have a few dozen. */
export const MAX_IFD_FIELDS = 512;

/** Numbers of one Exif field; fields with more are tables, not descriptions. */
export const MAX_FIELD_NUMBERS = 64;

/** Length to which a text is cut. UTF-16 code units. */
export const MAX_TEXT_LENGTH = 16_384;

/** Values of one repeated property, such as keywords or creators. */
export const MAX_REPEATED_VALUES = 1_000;

/** Larger XMP packets are left out; they consist of embedded previews and edit histories. Bytes. */
export const MAX_XMP_BYTES = 2 * 2 ** 20;

/** Nesting and number of elements of an XMP packet. */
export const MAX_XML_DEPTH = 64;
export const MAX_XML_ELEMENTS = 50_000;

/** Larger IPTC records are left out. Bytes. */
export const MAX_IPTC_BYTES = 256 * 2 ** 10;

/** Photoshop image resources read to find the IPTC record. */
export const MAX_PHOTOSHOP_RESOURCES = 1_000;

/** Tags of an ICC profile read to find its description. */
export const MAX_ICC_TAGS = 256;

/** Total decompressed size of compressed PNG chunks. Bytes. */
export const MAX_INFLATED_BYTES = 8 * 2 ** 20;

/** Warnings of one master; further warnings are counted. */
export const MAX_WARNINGS = 50;

/** Size of a sidecar. Bytes. */
export const MAX_SIDECAR_BYTES = 2 ** 20;

/** Length of every text of the short form in the ledger. UTF-16 code units. */
export const MAX_SHORT_TEXT_LENGTH = 256;

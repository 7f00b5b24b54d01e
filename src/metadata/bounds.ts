/** How much of a master's metadata is read and kept, whatever the master claims. */

/** Of one master: what is fetched to find and read its metadata. Bytes. */
export const MAX_READ_BYTES = 16 * 2 ** 20;

/** A request counts as at least this much, so that there are never more than 1,024 of them. Bytes. */
export const MIN_CHARGE_BYTES = 16 * 2 ** 10;

/** A JPEG's segments before its scan, the chunks of a PNG or WebP, or the places of a HEIC's items. */
export const MAX_SEGMENTS = 4_096;

/** Chunks behind the pixels of a PNG are looked for in this much of its end. Bytes. */
export const MAX_TAIL_BYTES = 256 * 2 ** 10;

/** Fields of one Exif directory. Real ones have a few dozen. */
export const MAX_IFD_FIELDS = 512;

/** Numbers of one Exif field; what has more is a table, not a description. */
export const MAX_NUMBERS = 64;

/** A text is cut here. UTF-16 code units. */
export const MAX_TEXT = 16_384;

/** Texts of one repeated property: keywords, creators. */
export const MAX_TEXTS = 1_000;

/** A longer XMP packet is left out: what is that large is embedded previews and edit histories. Bytes. */
export const MAX_XMP_BYTES = 2 * 2 ** 20;

/** Nesting and number of elements of an XMP packet. */
export const MAX_XML_DEPTH = 64;
export const MAX_XML_ELEMENTS = 50_000;

/** A longer IPTC record is left out. Bytes. */
export const MAX_IPTC_BYTES = 256 * 2 ** 10;

/** Photoshop image resources that are walked to find the IPTC one. */
export const MAX_RESOURCES = 1_000;

/** Tags of an ICC profile that are looked at to find its name. */
export const MAX_ICC_TAGS = 256;

/** What compressed PNG chunks may expand to. Bytes. */
export const MAX_INFLATED_BYTES = 8 * 2 ** 20;

/** Warnings of one master; those beyond are counted. */
export const MAX_WARNINGS = 50;

/** A sidecar as it is stored. Bytes. */
export const MAX_SIDECAR_BYTES = 2 ** 20;

/** Every text of a ledger row's short form. UTF-16 code units. */
export const MAX_SHORT_TEXT = 256;

const EXTENSION = 0x21;
const IMAGE = 0x2c;
/** Header and logical screen descriptor (GIF89a, sections 17 and 18). Bytes. */
const SCREEN_BYTES = 13;

/**
 * Follows the blocks of a GIF. False where the file ends before its trailer or a block of no known
 * type.
 */
export function hasGifEnd(bytes: Uint8Array): boolean {
  let at = SCREEN_BYTES + tableBytes(bytes[10] ?? 0);
  while (at < bytes.length) {
    const type = bytes[at];
    if (type !== EXTENSION && type !== IMAGE) return true;
    // An image descriptor has ten bytes, a table of colours and the size of codes before its data.
    const data = type === EXTENSION ? at + 2 : at + 11 + tableBytes(bytes[at + 9] ?? 0);
    at = endOfSubBlocks(bytes, data);
  }
  return false;
}

/** Size of the table of colours that the flags of a descriptor state. Bytes. */
function tableBytes(flags: number): number {
  return (flags & 0x80) === 0 ? 0 : 3 * 2 ** ((flags & 7) + 1);
}

/** Data is in blocks of up to 255 bytes after their length; an empty one is the last. */
function endOfSubBlocks(bytes: Uint8Array, start: number): number {
  let at = start;
  for (let length = bytes[at]; length !== undefined && length > 0; length = bytes[at]) at += length + 1;
  return at + 1;
}

import type { RangeReader } from '../../bytes/range-reader.ts';
import { latin1, viewOf } from '../../bytes/views.ts';

/** Length of the signature. Bytes. */
const SIGNATURE_BYTES = 8;
/** Length, type and checksum around the data of a chunk. Bytes. */
const FRAME_BYTES = 12;
/** Chunks before the pixels that are walked. */
const MAX_CHUNKS = 4_096;
/** A palette of 256 colours, the longest of the chunks that are read. Bytes. */
const MAX_DATA_BYTES = 768;

/**
 * The data of the first chunks of these types before the pixels, at most 768 bytes of each. Stops
 * at a chunk that goes on beyond the file.
 */
export async function readHeaderChunks(
  reader: RangeReader,
  types: readonly string[],
): Promise<ReadonlyMap<string, Uint8Array>> {
  const found = new Map<string, Uint8Array>();
  let at = SIGNATURE_BYTES;
  for (let walked = 0; walked < MAX_CHUNKS && at + FRAME_BYTES <= reader.size; walked++) {
    const header = await reader.read(at, 8);
    const type = latin1(header.subarray(4, 8));
    const length = viewOf(header).getUint32(0);
    if (type === 'IDAT' || at + FRAME_BYTES + length > reader.size) break;
    if (types.includes(type) && !found.has(type)) {
      found.set(type, await reader.read(at + 8, Math.min(length, MAX_DATA_BYTES)));
    }
    at += FRAME_BYTES + length;
  }
  return found;
}

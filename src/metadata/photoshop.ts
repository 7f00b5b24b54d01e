import type { RangeReader } from '../bytes/range-reader.ts';
import { latin1, viewOf } from '../bytes/views.ts';
import { joinedReader, readExactly } from './bounded-reader.ts';
import { MAX_PHOTOSHOP_RESOURCES } from './bounds.ts';
import { MalformedMetadataError } from './warnings.ts';

/** Number of the resource that has the IPTC record. */
export const IPTC_RESOURCE = 0x0404;

/**
 * Signatures of resources in Adobe's Photoshop File Formats Specification and in files of other
 * programs.
 */
const signatures: ReadonlySet<string> = new Set(['8BIM', 'PHUT', 'DCSR', 'AgHg', 'MeSa']);

/**
 * Finds a resource by its number in a sequence of Photoshop image resources. A resource consists of
 * signature, number, name (padded to even length), length and value (padded to even length). Throws
 * MalformedMetadataError when a resource does not start where the one before ends.
 */
export async function findPhotoshopResource(reader: RangeReader, number: number): Promise<RangeReader | undefined> {
  let at = 0;
  for (let count = 0; at + 12 <= reader.size; count++) {
    if (count === MAX_PHOTOSHOP_RESOURCES)
      throw new MalformedMetadataError(`Expected at most ${MAX_PHOTOSHOP_RESOURCES} resources`);
    const header = await readExactly(reader, at, Math.min(7 + 255 + 1 + 4, reader.size - at));
    if (!signatures.has(latin1(header.subarray(0, 4)))) {
      // The block may end with zero padding.
      if (header.every((byte) => byte === 0)) return undefined;
      throw new MalformedMetadataError(`Expected a Photoshop resource at 0x${at.toString(16)}`);
    }
    const nameBytes = 1 + (header[6] ?? 0);
    const lengthAt = 6 + nameBytes + (nameBytes % 2);
    if (lengthAt + 4 > header.length)
      throw new MalformedMetadataError(
        'Expected a length for the Photoshop resource but received the end of the block',
      );
    const view = viewOf(header);
    const length = view.getUint32(lengthAt);
    const value = at + lengthAt + 4;
    if (view.getUint16(4) === number) {
      return joinedReader(reader, [{ offset: value, length }]);
    }
    at = value + length + (length % 2);
  }
  return undefined;
}

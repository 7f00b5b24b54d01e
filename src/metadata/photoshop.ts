import type { RangeReader } from '../bytes/range-reader.ts';
import { latin1, viewOf } from '../bytes/views.ts';
import { joinedReader, readExactly } from './bounded-reader.ts';
import { MAX_RESOURCES } from './bounds.ts';
import { MalformedMetadataError } from './warnings.ts';

const IPTC_RESOURCE = 0x0404;

/** Signatures of resources (Adobe Photoshop File Formats Specification, and what other programs wrote). */
const signatures: ReadonlySet<string> = new Set(['8BIM', 'PHUT', 'DCSR', 'AgHg', 'MeSa']);

/**
 * The IPTC record among Photoshop's image resources, walked header by header: each is signature, number, a name padded
 * to even, length, and a value padded to even. Throws MalformedMetadataError where they do not follow one another.
 */
export async function findIptcResource(reader: RangeReader): Promise<RangeReader | undefined> {
  let at = 0;
  for (let walked = 0; at + 12 <= reader.size; walked++) {
    if (walked === MAX_RESOURCES) throw new MalformedMetadataError(`Expected at most ${MAX_RESOURCES} resources`);
    const header = await readExactly(reader, at, Math.min(7 + 255 + 1 + 4, reader.size - at));
    if (!signatures.has(latin1(header.subarray(0, 4)))) {
      // Zeros may pad the block.
      if (header.every((byte) => byte === 0)) return undefined;
      throw new MalformedMetadataError(`Expected a Photoshop resource at 0x${at.toString(16)}`);
    }
    const nameBytes = 1 + (header[6] ?? 0);
    const lengthAt = 6 + nameBytes + (nameBytes % 2);
    if (lengthAt + 4 > header.length) throw new MalformedMetadataError('Expected a length but the resources end');
    const view = viewOf(header);
    const length = view.getUint32(lengthAt);
    const value = at + lengthAt + 4;
    if (view.getUint16(4) === IPTC_RESOURCE) {
      return joinedReader(reader, [{ offset: value, length }]);
    }
    at = value + length + (length % 2);
  }
  return undefined;
}

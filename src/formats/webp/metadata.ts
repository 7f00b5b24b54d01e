import type { RangeReader } from '../../bytes/range-reader.ts';
import { joinedReader, latin1, type Place, readExactly, viewOf } from '../../metadata/bounded-reader.ts';
import { MAX_SEGMENTS } from '../../metadata/bounds.ts';
import type { Carriers } from '../../metadata/carriers.ts';
import { withoutExifSignature } from '../jpeg/metadata.ts';
import { MalformedMetadataError, type Warnings } from '../../metadata/warnings.ts';

/** The metadata chunks of a WebP (RFC 9649, section 2.7.1.4), before or behind its pixels. */
export async function findInWebp(reader: RangeReader, warnings: Warnings): Promise<Carriers> {
  const chunks = new Map<string, Place>();
  await warnings.attempt('WebP chunks', () => walkChunks(reader, chunks));
  const chunk = (name: string): RangeReader | undefined => {
    const place = chunks.get(name);
    return place && joinedReader(reader, [place]);
  };
  const exif = chunk('EXIF');
  return { exif: exif && (await withoutExifSignature(exif)), xmp: chunk('XMP '), icc: chunk('ICCP') };
}

async function walkChunks(reader: RangeReader, chunks: Map<string, Place>): Promise<void> {
  for (let at = 12, walked = 0; at + 8 <= reader.size; walked++) {
    if (walked === MAX_SEGMENTS) throw new MalformedMetadataError(`Expected at most ${MAX_SEGMENTS} chunks`);
    const header = await readExactly(reader, at, 8);
    const name = latin1(header.subarray(0, 4));
    const place = { offset: at + 8, length: viewOf(header).getUint32(4, true) };
    if (place.offset + place.length > reader.size) throw new MalformedMetadataError(`Expected all of chunk ${name}`);
    if (!chunks.has(name)) chunks.set(name, place);
    at = place.offset + place.length + (place.length % 2);
  }
}

import { type Box, readBoxes } from '../boxes.ts';
import type { RangeReader } from '../../bytes/range-reader.ts';
import { joinedReader, readExactly } from '../../metadata/bounded-reader.ts';
import type { Carriers } from '../../metadata/carriers.ts';

/**
 * Content of UUID boxes by their UUID (XMP specification part 3, section 1.1.4; ExifTool, JPEG 2000
 * tags).
 */
const carriers: Readonly<Record<string, 'xmp' | 'exif' | 'iptc'>> = {
  be7acfcb97a942e89c71999491e3afac: 'xmp',
  // In ASCII: JpgTiffExif->JP2
  '4a706754696666457869662d3e4a5032': 'exif',
  '33c7a4d2b81d4723a0baf1a3e097ad38': 'iptc',
};
const UUID_BYTES = 16;

/** Locates the metadata boxes of a JP2 or JPX file; a bare codestream has none. */
export async function findInJp2(reader: RangeReader): Promise<Carriers> {
  const found: Carriers = {};
  if ((await reader.read(0, 2))[0] === 0xff) return found;
  for (const box of await readBoxes(reader, 0, reader.size)) {
    if (box.type !== 'uuid') continue;
    const kind = carriers[await uuidOf(reader, box)];
    if (kind) found[kind] ??= joinedReader(reader, [contentOf(box)]);
  }
  return found;
}

async function uuidOf(reader: RangeReader, { start }: Box): Promise<string> {
  return Buffer.from(await readExactly(reader, start, UUID_BYTES)).toString('hex');
}

function contentOf({ start, end }: Box): { offset: number; length: number } {
  return { offset: start + UUID_BYTES, length: Math.max(0, end - start - UUID_BYTES) };
}

import { type Box, readBoxes } from '../boxes.ts';
import type { RangeReader } from '../../bytes/range-reader.ts';
import { joinedReader, readExactly } from '../../metadata/bounded-reader.ts';
import type { Carriers } from '../../metadata/carriers.ts';
import type { Warnings } from '../../metadata/warnings.ts';

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
export async function findInJp2(reader: RangeReader, warnings: Warnings): Promise<Carriers> {
  const found: Carriers = {};
  if ((await reader.read(0, 2))[0] === 0xff) return found;
  for (const box of await readBoxes(reader, 0, reader.size)) {
    if (box.type === 'jp2h') found.icc ??= await warnings.attempt('ICC profile', () => findProfile(reader, box));
    if (box.type !== 'uuid') continue;
    const kind = carriers[await uuidOf(reader, box)];
    if (kind) found[kind] ??= joinedReader(reader, [contentOf(box)]);
  }
  return found;
}

/** The profile of the first colour specification that has one (ISO/IEC 15444-1, annex I.5.3.3). */
async function findProfile(reader: RangeReader, header: Box): Promise<RangeReader | undefined> {
  for (const box of await readBoxes(reader, header.start, header.end)) {
    if (box.type !== 'colr' || box.end - box.start < PROFILE_AT) continue;
    const [method = 0] = await readExactly(reader, box.start, 1);
    if (method === 2 || method === 3)
      return joinedReader(reader, [{ offset: box.start + PROFILE_AT, length: box.end - box.start - PROFILE_AT }]);
  }
  return undefined;
}

/** Method, precedence and approximation precede the profile. Bytes. */
const PROFILE_AT = 3;

async function uuidOf(reader: RangeReader, { start }: Box): Promise<string> {
  return Buffer.from(await readExactly(reader, start, UUID_BYTES)).toString('hex');
}

function contentOf({ start, end }: Box): { offset: number; length: number } {
  return { offset: start + UUID_BYTES, length: Math.max(0, end - start - UUID_BYTES) };
}

import type { RangeReader } from '../../bytes/range-reader.ts';
import { joinedReader } from '../../metadata/bounded-reader.ts';
import type { Carriers } from '../../metadata/carriers.ts';
import { type ConvertedFormat, type Decoder, signature } from '../format.ts';
import { decodeBmp } from './decode.ts';
import { assertWholeBmp, readBmpHeader } from './header.ts';

/** Windows and OS/2 bitmaps. */
export const bmp = {
  kind: 'converted',
  name: 'bmp',
  title: 'BMP',
  matches: (prefix) => isBm(prefix) && isDibHeader(prefix),
  metadata: findProfile,
} as const satisfies ConvertedFormat;

/** Decodes with code of this folder. */
export const bmpDecoder: Decoder = {
  async header(reader) {
    const header = await readBmpHeader(reader);
    assertWholeBmp(header, reader.size);
    return header.shape;
  },
  decode: decodeBmp,
  // Runs are unpacked to palette indexes first.
  memory: () => ({ heap: 0, rasterCopies: 2 }),
};

/** The embedded profile; a BMP has no other metadata. */
async function findProfile(reader: RangeReader): Promise<Carriers> {
  const { profile } = await readBmpHeader(reader);
  return profile ? { icc: joinedReader(reader, [{ offset: profile.at, length: profile.length }]) } : {};
}

const isBm = signature('BM');
/** Offset of the length of the DIB header. */
const LENGTH_OFFSET = 14;

/**
 * Whether the length of the DIB header is one of Windows or OS/2. Text that starts with BM has
 * other bytes there.
 */
function isDibHeader(prefix: Uint8Array): boolean {
  const [length = 0, ...upper] = prefix.subarray(LENGTH_OFFSET, LENGTH_OFFSET + 4);
  const isKnown = length === 12 || (length >= 16 && length <= 64) || length === 108 || length === 124;
  return isKnown && upper.every((byte) => byte === 0);
}

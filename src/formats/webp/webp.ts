import type { RangeReader } from '../../bytes/range-reader.ts';
import { latin1, viewOf } from '../../bytes/views.ts';
import { RejectedImageError } from '../../errors.ts';
import { type ByteRange, joinedReader, readExactly } from '../../metadata/bounded-reader.ts';
import { MAX_CONTAINER_PARTS } from '../../metadata/bounds.ts';
import { type Carriers, withoutExifSignature } from '../../metadata/carriers.ts';
import { MalformedMetadataError, type Warnings } from '../../metadata/warnings.ts';
import { type DirectFormat, signature } from '../format.ts';
import { describeLibvipsHeader, readLibvipsHeader } from '../libvips-header.ts';

/** RFC 9649. */
export const webp = {
  kind: 'direct',
  name: 'webp',
  title: 'WebP',
  matches: signature('WEBP', 8),
  async header(reader) {
    assertWhole(await reader.read(0, RIFF_HEADER_BYTES), reader.size);
    // libwebp parses a header only when it is given the whole file.
    return describeLibvipsHeader('webp', await readLibvipsHeader(reader, reader.size, isWholeWebp), reader.size);
  },
  isWhole: isWholeWebp,
  metadata: findInWebp,
} as const satisfies DirectFormat;

/** RIFF, the length of what follows, and WEBP. Bytes. */
const RIFF_HEADER_BYTES = 12;

function assertWhole(header: Uint8Array, size: number): void {
  const declared = declaredBytes(header);
  if (declared > size)
    throw new RejectedImageError('TRUNCATED', `the header states ${declared} bytes, the file has ${size}`);
}

async function isWholeWebp(reader: RangeReader): Promise<boolean> {
  const header = await reader.read(0, RIFF_HEADER_BYTES);
  return header.length === RIFF_HEADER_BYTES && declaredBytes(header) <= reader.size;
}

/** Bytes of the file by its RIFF header. */
function declaredBytes(header: Uint8Array): number {
  return viewOf(header).getUint32(4, true) + 8;
}

/** Locates the metadata chunks (section 2.7.1.4), before or after the pixels. */
async function findInWebp(reader: RangeReader, warnings: Warnings): Promise<Carriers> {
  const chunks = new Map<string, ByteRange>();
  await warnings.attempt('WebP chunks', () => walkChunks(reader, chunks));
  const chunk = (name: string): RangeReader | undefined => {
    const range = chunks.get(name);
    return range && joinedReader(reader, [range]);
  };
  const exif = chunk('EXIF');
  const xmp = chunk('XMP ');
  const misnamed = xmp ? undefined : chunk('XMP\0');
  if (misnamed) warnings.add('XMP: read from a chunk with a non-standard name');
  return {
    exif: exif && (await warnings.attempt('Exif', () => withoutExifSignature(exif))),
    xmp: xmp ?? misnamed,
    icc: chunk('ICCP'),
  };
}

async function walkChunks(reader: RangeReader, chunks: Map<string, ByteRange>): Promise<void> {
  for (let at = RIFF_HEADER_BYTES, walked = 0; at + 8 <= reader.size; walked++) {
    if (walked === MAX_CONTAINER_PARTS)
      throw new MalformedMetadataError(`Expected at most ${MAX_CONTAINER_PARTS} chunks`);
    const header = await readExactly(reader, at, 8);
    const name = latin1(header.subarray(0, 4));
    const range = { offset: at + 8, length: viewOf(header).getUint32(4, true) };
    if (range.offset + range.length > reader.size) throw new MalformedMetadataError(`Expected all of chunk ${name}`);
    if (!chunks.has(name)) chunks.set(name, range);
    at = range.offset + range.length + (range.length % 2);
  }
}

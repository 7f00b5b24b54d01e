import type { RangeReader } from '../../bytes/range-reader.ts';
import { latin1, viewOf } from '../../bytes/views.ts';
import { type ByteRange, readExactly } from '../../metadata/bounded-reader.ts';
import { MAX_CONTAINER_PARTS, MAX_TAIL_BYTES } from '../../metadata/bounds.ts';
import { MalformedMetadataError } from '../../metadata/warnings.ts';

/** Types of the chunks that describe the picture (PNG, W3C third edition, section 11). */
const metadataTypes = ['eXIf', 'iTXt', 'tEXt', 'zTXt', 'iCCP', 'pHYs'] as const;
export type PngChunkType = (typeof metadataTypes)[number];

export interface PngChunk extends ByteRange {
  readonly type: PngChunkType;
}

/** Length, type and checksum around the data of a chunk. Bytes. */
const FRAME = 12;

/**
 * Collects the metadata chunks before the first pixels and those at the end of the file. Chunks are
 * chained by their lengths, and there may be a million chunks of pixels between, so the chunks at
 * the end are searched for in the tail.
 */
export async function walkPngChunks(reader: RangeReader, chunks: PngChunk[]): Promise<void> {
  let at = 8;
  let walked = 0;
  for (; walked < MAX_CONTAINER_PARTS; walked++) {
    const header = await readExactly(reader, at, 8);
    const chunk = chunkAt(header, at);
    if (chunk.type === 'IEND') return;
    if (chunk.type === 'IDAT') break;
    if (chunk.end > reader.size) throw new MalformedMetadataError(`Expected all of chunk ${chunk.type}`);
    push(chunks, chunk);
    at = chunk.end;
  }
  const start = Math.max(at, reader.size - MAX_TAIL_BYTES);
  const atEnd = tailChunks(await readExactly(reader, start, reader.size - start), start);
  for (const chunk of atEnd.slice(0, MAX_CONTAINER_PARTS)) push(chunks, chunk);
  if (walked === MAX_CONTAINER_PARTS || atEnd.length > MAX_CONTAINER_PARTS)
    throw new MalformedMetadataError(`Expected at most ${MAX_CONTAINER_PARTS} chunks`);
}

interface AnyChunk extends ByteRange {
  readonly type: string;
  readonly end: number;
}

function chunkAt(header: Uint8Array, at: number): AnyChunk {
  const length = viewOf(header).getUint32(0);
  return { type: latin1(header.subarray(4, 8)), offset: at + 8, length, end: at + FRAME + length };
}

function push(chunks: PngChunk[], { type, offset, length }: AnyChunk): void {
  const known = metadataTypes.find((name) => name === type);
  if (known) chunks.push({ type: known, offset, length });
}

/**
 * The longest chain of chunks that starts with a metadata chunk and ends with IEND at the end of
 * the file. Two chains that meet are the same from there on, so no offset is followed twice.
 */
function tailChunks(tail: Uint8Array, start: number): AnyChunk[] {
  const text = latin1(tail);
  const followed = new Set<number>();
  for (const { index } of text.matchAll(/eXIf|iTXt|tEXt|zTXt/gu)) {
    const chain: AnyChunk[] = [];
    let at = index - 4;
    while (at >= 0 && at + FRAME <= tail.length && !followed.has(at)) {
      followed.add(at);
      const chunk = chunkAt(tail.subarray(at, at + 8), start + at);
      chain.push(chunk);
      at = chunk.end - start;
    }
    if (at === tail.length && chain.at(-1)?.type === 'IEND') return chain;
  }
  return [];
}

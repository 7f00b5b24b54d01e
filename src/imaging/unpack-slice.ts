/** Reads the chunks of a slice and decodes them by our own decoders, batch by batch. */
import type { FileHandle } from 'node:fs/promises';
import { writeAt } from '../bytes/write-at.ts';
import { MalformedTiffError, RejectedImageError } from '../errors.ts';
import type { PackedChunk, PackedChunks } from '../tiff/packed-chunks.ts';
import type { Slice } from '../tiff/slice.ts';
import { yccPlaneSize } from '../tiff/ycc-layout.ts';
import { convertSamples, needsConversion, unconvertedBytes } from './unpack/convert-samples.ts';
import { fillChunk, unpackChunk } from './unpack/unpack.ts';
import { yccPlanesToRgb } from './unpack/ycc.ts';
import { Arena } from './arena.ts';
import { readSlice, type SliceReader } from './read-slice.ts';

/** Compressed chunks that are read at a time. Bytes. */
const BATCH_BYTES = 16 * 2 ** 20;

type PackedSlice = Pick<Slice, 'header' | 'size'> & { readonly packed: PackedChunks };

/**
 * The slice with its chunks decoded, in memory of the arena. Adds to `warnings`. Throws
 * RejectedImageError for the first chunk, in the order of the slice, whose pixels are in doubt.
 */
export async function unpackIntoMemory(
  reader: SliceReader,
  { header, size, packed }: PackedSlice,
  warnings: Set<string>,
  arena: Arena,
): Promise<Uint8Array> {
  const bytes = arena.take(size);
  bytes.set(header);
  const decode = chunkDecoder(packed, warnings);
  for await (const { chunk, stored } of storedChunks(reader, packed)) {
    decode(chunk, stored, bytes.subarray(chunk.at, chunk.at + chunk.length));
  }
  return bytes;
}

/** Writes the slice with its chunks decoded. Throws as `unpackIntoMemory`. */
export async function unpackIntoFile(
  reader: SliceReader,
  { header, packed }: PackedSlice,
  warnings: Set<string>,
  handle: FileHandle,
): Promise<void> {
  await writeAt(handle, header, 0);
  const decode = chunkDecoder(packed, warnings);
  for await (const { chunk, stored } of storedChunks(reader, packed)) {
    const rows = new Uint8Array(chunk.length);
    if (decode(chunk, stored, rows)) await writeAt(handle, rows, chunk.at);
  }
}

/** Decodes a chunk into `target`. Returns false until all planes of its place are decoded. */
type DecodeChunk = (chunk: PackedChunk, stored: Uint8Array, target: Uint8Array) => boolean;

function chunkDecoder(packed: PackedChunks, warnings: Set<string>): DecodeChunk {
  const planes = new Map<number, Uint8Array>();
  return (chunk, stored, target) => {
    const { plane } = chunk;
    const { coding, kind } = packed;
    if (plane === undefined || !coding.ycc) {
      decodeChunk(chunk, stored, target, packed, warnings);
      return true;
    }
    const { ycc: layout, ...plain } = coding;
    const { width, height } = yccPlaneSize(layout, plane, coding.width, target.length / (3 * coding.width));
    const samples = new Uint8Array(width * height);
    if (chunk.byteCount > 0) {
      const own = { ...plain, samples: 1, width };
      for (const warning of unpacked(`${kind} ${chunk.index}`, stored, samples, own)) warnings.add(warning);
    } else samples.fill(plane === 0 ? packed.fill : NO_CHROMA);
    planes.set(plane, samples);
    const [luma, blue, red] = [planes.get(0), planes.get(1), planes.get(2)];
    if (plane < 2 || !luma || !blue || !red) return false;
    yccPlanesToRgb([luma, blue, red], target, coding.width, layout);
    planes.clear();
    return true;
  };
}

/** Chroma of grey, for holes. */
const NO_CHROMA = 128;

function decodeChunk(
  chunk: PackedChunk,
  stored: Uint8Array,
  target: Uint8Array,
  { coding, fill, kind }: PackedChunks,
  warnings: Set<string>,
): void {
  if (chunk.byteCount === 0) {
    fillChunk(target, fill, coding);
    return;
  }
  const decoded = needsConversion(coding) ? new Uint8Array(unconvertedBytes(target.length, coding)) : target;
  for (const warning of unpacked(`${kind} ${chunk.index}`, stored, decoded, coding)) warnings.add(warning);
  if (needsConversion(coding)) convertSamples(decoded, target, coding);
}

/**
 * Calls `use` with every chunk of the slice and its samples as stored; undefined for a hole.
 * `isWanted` tells which chunks are decoded. Throws as `unpackIntoMemory`.
 */
export async function forEachStoredChunk(
  reader: SliceReader,
  packed: PackedChunks,
  isWanted: (chunk: PackedChunk) => boolean,
  use: (chunk: PackedChunk, samples: Uint8Array | undefined) => void,
): Promise<void> {
  const chunks = packed.chunks.filter(isWanted);
  for await (const { chunk, stored } of storedChunks(reader, { ...packed, chunks })) {
    if (chunk.byteCount === 0) {
      use(chunk, undefined);
      continue;
    }
    const samples = new Uint8Array(unconvertedBytes(chunk.length, packed.coding));
    unpacked(`${packed.kind} ${chunk.index}`, stored, samples, packed.coding);
    use(chunk, samples);
  }
}

/** Every chunk with its bytes, which stay valid until the next one is requested. */
async function* storedChunks(
  reader: SliceReader,
  { chunks }: PackedChunks,
): AsyncGenerator<{ readonly chunk: PackedChunk; readonly stored: Uint8Array }> {
  for (const batch of batches(chunks)) {
    const arena = new Arena();
    try {
      const bytes = await readBatch(reader, batch, arena);
      for (const [index, chunk] of batch.entries()) yield { chunk, stored: bytes[index] ?? new Uint8Array() };
    } finally {
      arena.release();
    }
  }
}

function unpacked(
  name: string,
  bytes: Uint8Array,
  target: Uint8Array,
  coding: PackedChunks['coding'],
): readonly string[] {
  try {
    target.fill(0);
    return unpackChunk(bytes, target, coding);
  } catch (error) {
    if (!(error instanceof MalformedTiffError)) throw error;
    throw new RejectedImageError('CORRUPT_PIXELS', `${name} is damaged: ${error.message}`, { cause: error });
  }
}

function* batches(chunks: readonly PackedChunk[]): Generator<readonly PackedChunk[]> {
  let batch: PackedChunk[] = [];
  let bytes = 0;
  for (const chunk of chunks) {
    if (batch.length > 0 && bytes + chunk.byteCount > BATCH_BYTES) {
      yield batch;
      batch = [];
      bytes = 0;
    }
    batch.push(chunk);
    bytes += chunk.byteCount;
  }
  if (batch.length > 0) yield batch;
}

/** The compressed bytes of the chunks, by merged reads. */
async function readBatch(
  reader: SliceReader,
  batch: readonly PackedChunk[],
  arena: Arena,
): Promise<readonly Uint8Array[]> {
  let size = 0;
  const reads = batch.map(({ offset, byteCount }) => {
    size += byteCount;
    return { offset, length: byteCount, at: size - byteCount };
  });
  const stored = reads.filter(({ length }) => length > 0);
  const bytes = await readSlice(reader, { header: new Uint8Array(), size, reads: stored }, arena);
  return reads.map(({ at, length }) => bytes.subarray(at, at + length));
}

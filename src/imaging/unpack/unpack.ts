/**
 * Decompression of chunks by our own decoders. libtiff warns about deviations that leave no pixel
 * in doubt as it does about damage, so a master that libvips refuses is decoded here a second time.
 */
import { constants, inflateRawSync, zstdDecompressSync } from 'node:zlib';
import { MalformedTiffError } from '../../errors.ts';
import type { ChunkCoding } from '../../tiff/packed-chunks.ts';
import { Compression } from '../../tiff/tags.ts';
import { type FaxOddity, unpackFax } from './fax.ts';
import { isOldStyleLzw, unpackLzw } from './lzw.ts';
import { unpackPackBits } from './packbits.ts';
import { undoPredictor } from './predictor.ts';
import { unpackXz } from './xz.ts';

const faxWarnings: Readonly<Record<FaxOddity, string>> = {
  'short rows': 'some fax rows end before the right edge of the image; the rest of them is white',
  'no end-of-line codes': 'the fax rows have no end-of-line codes',
};

/**
 * Decodes a chunk into `target`, which is all zeros and as long as the rows of the chunk: samples
 * as stored, without predictor, bits from the highest to the lowest. Returns warnings. Throws
 * MalformedTiffError when pixels are in doubt.
 */
export function unpackChunk(packed: Uint8Array, target: Uint8Array, coding: ChunkCoding): readonly string[] {
  const bytes = coding.fillOrder === 2 ? reversed(packed) : packed;
  const warnings = decompress(bytes, target, coding);
  if (hasPredictor(coding.compression)) undoPredictor(target, coding);
  return warnings;
}

function decompress(packed: Uint8Array, target: Uint8Array, coding: ChunkCoding): readonly string[] {
  switch (coding.compression) {
    case Compression.none:
      copyExactly(packed, target, 'data');
      return [];
    case Compression.lzw:
      unpackLzw(packed, target);
      return isOldStyleLzw(packed) ? ['its LZW data has the order of bits of old writers (before TIFF 6.0)'] : [];
    case Compression.packbits:
      return unpackPackBits(packed, target) ? ['its PackBits data goes on beyond its rows; that is ignored'] : [];
    case Compression.deflate:
    case Compression.adobeDeflate:
      copyExactly(inflated(packed, target.length), target, 'deflate data');
      return [];
    case Compression.zstd:
      copyExactly(unpackZstd(packed, target.length), target, 'Zstandard data');
      return [];
    case Compression.lzma:
      unpackXz(packed, target);
      return [];
    default:
      return [...unpackFax(packed, target, coding)].map((oddity) => faxWarnings[oddity]);
  }
}

function copyExactly(bytes: Uint8Array, target: Uint8Array, what: string): void {
  if (bytes.length < target.length) {
    throw new MalformedTiffError(`Expected ${target.length} bytes of ${what} but received ${bytes.length}`);
  }
  target.set(bytes.subarray(0, target.length));
}

/** Decoded bytes after the rows that are accepted before the data counts as damaged. */
const SURPLUS_BYTES = 2 ** 20;
/** Method and flags before the compressed data (RFC 1950). Bytes. */
const ZLIB_HEADER_BYTES = 2;

/** Like libtiff, does not require the checksum after the data. */
function inflated(packed: Uint8Array, length: number): Uint8Array {
  try {
    return inflateRawSync(packed.subarray(ZLIB_HEADER_BYTES), {
      maxOutputLength: length + SURPLUS_BYTES,
      finishFlush: constants.Z_SYNC_FLUSH,
    });
  } catch (error) {
    throw new MalformedTiffError('Expected intact deflate data but received other bytes', { cause: error });
  }
}

function unpackZstd(packed: Uint8Array, length: number): Uint8Array {
  try {
    return zstdDecompressSync(packed, { maxOutputLength: length + SURPLUS_BYTES });
  } catch (error) {
    throw new MalformedTiffError('Expected intact Zstandard data but received other bytes', { cause: error });
  }
}

function hasPredictor(compression: number): boolean {
  const { lzw, deflate, adobeDeflate, zstd, lzma } = Compression;
  const all: readonly number[] = [lzw, deflate, adobeDeflate, zstd, lzma];
  return all.includes(compression);
}

/** Every sample of a chunk of holes is `value`, as decoded. */
export function fillChunk(
  target: Uint8Array,
  value: number,
  { bits: stored, mapping, littleEndian }: ChunkCoding,
): void {
  const bits = mapping?.to ?? stored;
  if (bits === 16) {
    const view = new DataView(target.buffer, target.byteOffset, target.byteLength);
    for (let at = 0; at < target.length; at += 2) view.setUint16(at, value, littleEndian);
    return;
  }
  let byte = 0;
  for (let shift = 0; shift < 8; shift += bits) byte |= value << shift;
  target.fill(byte);
}

const reversedBits = Uint8Array.from({ length: 256 }, (_, byte) =>
  Array.from({ length: 8 }, (__, bit) => ((byte >> bit) & 1) << (7 - bit)).reduce((sum, bit) => sum | bit),
);

function reversed(bytes: Uint8Array): Uint8Array {
  return bytes.map((byte) => reversedBits[byte] ?? 0);
}

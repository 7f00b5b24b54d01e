import type { RangeReader } from '../bytes/range-reader.ts';
import { viewOf } from '../bytes/views.ts';
import { MalformedTiffError } from '../errors.ts';

/**
 * The same TIFF with another first directory: a reader whose header has the offset of this
 * directory. Throws MalformedTiffError when the offset lies past the end or does not fit the
 * header of a classic TIFF.
 */
export async function withFirstDirectory(reader: RangeReader, directory: number): Promise<RangeReader> {
  const stored = await reader.read(0, 16);
  if (directory >= reader.size || stored.length < 16) {
    throw new MalformedTiffError(
      `Expected a directory within ${reader.size} bytes but received the offset 0x${directory.toString(16)}`,
      { cutShort: true },
    );
  }
  const header = viewOf(Uint8Array.from(stored));
  const littleEndian = header.getUint16(0, true) === 0x4949;
  const isBigTiff = header.getUint16(2, littleEndian) === 43;
  if (isBigTiff) header.setBigUint64(8, BigInt(directory), littleEndian);
  else if (directory < 2 ** 32) header.setUint32(4, directory, littleEndian);
  else throw new MalformedTiffError(`Expected an offset of 32 bits in a classic TIFF but received ${directory}`);
  const changed = new Uint8Array(header.buffer, 0, isBigTiff ? 16 : 8);
  return {
    size: reader.size,
    async read(offset, length) {
      const bytes = await reader.read(offset, length);
      if (offset >= changed.length) return bytes;
      // A copy, because readers return views of their caches.
      const copy = Uint8Array.from(bytes);
      copy.set(changed.subarray(offset, offset + bytes.length));
      return copy;
    },
  };
}

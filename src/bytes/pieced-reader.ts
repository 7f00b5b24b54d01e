import type { RangeReader } from './range-reader.ts';

/** A part of a file that is put together: given bytes, or a range of another file. */
export type FilePart = Uint8Array | { readonly offset: number; readonly length: number };

/** A reader of the parts, one after the other; `reader` has the ranges. */
export function piecedReader(reader: RangeReader, parts: readonly FilePart[]): Required<RangeReader> {
  let size = 0;
  const placed = parts.map((part) => ({ part, start: size, end: (size += part.length) }));
  const fill = async (target: Uint8Array, offset: number): Promise<void> => {
    const end = offset + target.length;
    for (const { part, start, end: partEnd } of placed) {
      const [from, to] = [Math.max(offset, start), Math.min(end, partEnd)];
      if (from >= to) continue;
      const piece = target.subarray(from - offset, to - offset);
      if (part instanceof Uint8Array) piece.set(part.subarray(from - start, to - start));
      else await readInto(reader, piece, part.offset + from - start);
    }
  };
  return {
    size,
    async read(offset, length) {
      const bytes = new Uint8Array(Math.max(0, Math.min(length, size - offset)));
      await fill(bytes, offset);
      return bytes;
    },
    async readInto(target, offset) {
      if (offset + target.length > size) {
        throw new RangeError(`Expected ${target.length} bytes at ${offset} but received ${size} in all`);
      }
      await fill(target, offset);
    },
  };
}

async function readInto(reader: RangeReader, target: Uint8Array, offset: number): Promise<void> {
  if (reader.readInto) return reader.readInto(target, offset);
  const bytes = await reader.read(offset, target.length);
  if (bytes.length < target.length) {
    throw new RangeError(`Expected ${target.length} bytes at ${offset} but received ${bytes.length}`);
  }
  target.set(bytes);
}
